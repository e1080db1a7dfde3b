"""Signed words the portals hand out and get back: session tokens, one-time tokens, download keys.

They are JSON Web Tokens signed with a key made from the seed, so they are still good after a restart. Whether a session
is still wanted is asked of ``sessions``.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

type Claims = Mapping[str, str | int]

_HEADER = {"alg": "HS256", "typ": "JWT"}


class Seals:
    """Seals claims for one purpose and opens them for no other."""

    def __init__(self, seed: str) -> None:
        self._key = hashlib.sha256(f"sandbox seals of {seed}".encode()).digest()

    def seal(self, purpose: str, **claims: str | int) -> str:
        body = f"{_packed(_HEADER)}.{_packed({**claims, 'purpose': purpose})}"
        return f"{body}.{self._signature(body)}"

    def open(self, purpose: str, token: str) -> Claims | None:
        """The claims, or nothing when the token is not ours, was changed, or was sealed for something else."""
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(body).encode()):
            return None
        claims: Claims = json.loads(base64.urlsafe_b64decode(body.partition(".")[2] + "=="))
        return claims if claims["purpose"] == purpose else None

    def _signature(self, body: str) -> str:
        return _text(hmac.new(self._key, body.encode(), hashlib.sha256).digest())


def short_hash(*subject: object, length: int) -> str:
    """A name that follows from its subject, in the letters of a file name."""
    return _text(hashlib.sha256("/".join(map(str, subject)).encode()).digest())[:length]


def _packed(claims: Claims) -> str:
    return _text(json.dumps(claims, separators=(",", ":"), sort_keys=True).encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
