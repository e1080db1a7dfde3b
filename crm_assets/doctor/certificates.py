"""Certificates: is the host who it says it is, and for how long can it still prove it?

Judged by the certificate authorities of this machine (``SSL_CERT_FILE`` names others); a browser may bring its own.
"""

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass

from crm_assets.doctor.findings import Finding, yellow

FEW_DAYS = 14
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """A certificate that holds, and the whole days it has left."""

    days_left: int


@dataclass(frozen=True, slots=True)
class Untrusted(Exception):
    """The certificate does not hold."""

    found: str
    next_step: str


def shaken_hands(connection: socket.socket, host: str, seconds: float) -> tuple[ssl.SSLSocket, Trust]:
    """TLS on a connection that stands. Raises Untrusted, or OSError when there is no handshake."""
    connection.settimeout(seconds)
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # from Python 3.13 on it refuses what no browser refuses
    try:
        secured = context.wrap_socket(connection, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise Untrusted(
            f"its certificate does not hold: {error.verify_message}", _advice(error.verify_message)
        ) from None
    ends = ssl.cert_time_to_seconds(str((secured.getpeercert() or {})["notAfter"]))
    return secured, Trust(days_left=int((ends - time.time()) // DAY_SECONDS))


def judged(subject: str, name: str, trust: Trust | None) -> Iterator[Finding]:
    """A certificate that soon ends; the portal's people mend that, and runs stop when they forget it."""
    if trust and trust.days_left < FEW_DAYS:
        yield yellow(
            subject,
            name,
            f"its certificate ends in {trust.days_left} days",
            "Look again in some days; if it is not renewed then, tell the portal's people",
        )


def _advice(reason: str) -> str:
    if "expired" in reason or "not yet valid" in reason:
        return "See that this machine's clock is right; if it is, the portal's people must renew the certificate"
    if "mismatch" in reason or "not valid for" in reason:
        return "See site in stores.yaml: another host answers under this name"
    return (
        "Find out who answers before anyone signs in: a proxy that opens TLS, a login page of the network, or this machine "
        "lacks its certificate authorities"
    )
