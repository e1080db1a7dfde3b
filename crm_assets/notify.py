"""Messages to people, by mail, webhook, chat and whatever else Apprise knows; the only room that knows Apprise.

Who is told what, and when again, belongs to ``crm_assets.pipeline.alerting``. An address holds passwords: it is in no error here,
and in no log line.
"""

import logging
import re
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from crm_assets.errors import ConfigurationError
from crm_assets.logs import say
from crm_assets.settings import ALERT_URLS
from crm_assets.threads import in_a_thread

if TYPE_CHECKING:
    from apprise import NotifyBase

SENDER = "crm_assets"
DELIVERY_SECONDS = 20.0
SCHEMA = re.compile(r"^([a-z][a-z0-9+.-]{0,19})://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a person is told: a subject line, plain text, and files where the service takes any."""

    title: str
    body: str
    kind: Literal["failure", "recovery", "info"]
    files: tuple[Path, ...] = ()


class Undelivered(Exception):
    """No address took the message; it names them by position and schema."""


class Unanswered(Undelivered):
    """No address took the message, and one had said nothing by the deadline."""


def deliver(
    urls: Sequence[SecretStr], message: Message, seconds: float = DELIVERY_SECONDS, *, setting: str = ALERT_URLS
) -> list[str]:
    """Send the message to every address at once; returns what is to be said of those that did not take it, while another did.

    A person who reads one of them knows: sending it again to all would tell that person twice. Raises Undelivered when nobody
    took it, within ``seconds`` in any case, and ConfigurationError for an address of the ``setting`` that cannot be read.
    """
    services = readable(urls, setting)
    ends_at = time.monotonic() + seconds
    sent = [in_a_thread(partial(_send, service, message)) for service in services]
    ends = [_end(future, max(0.0, ends_at - time.monotonic())) for future in sent]
    failed = [
        f"{_position(number, url)}: {end}"
        for number, (url, end) in enumerate(zip(urls, ends, strict=True), start=1)
        if end
    ]
    if len(failed) == len(ends):
        silent = any(not future.done() for future in sent)
        raise (Unanswered if silent else Undelivered)("; ".join(failed) or "there is no address")
    for one in failed:
        say("alerts", "undelivered", one, level=logging.WARNING)
    return failed


def readable(urls: Sequence[SecretStr], setting: str = ALERT_URLS) -> "list[NotifyBase]":
    """The addresses as Apprise understands them. Raises ConfigurationError with a bad one's position and schema, and no more."""
    from apprise import Apprise, AppriseAsset
    from apprise.common import OverflowMode

    _keep_addresses_out_of_logs()
    services = []
    for number, url in enumerate(urls, start=1):
        asset = AppriseAsset(app_id=SENDER, app_desc=SENDER, storage_mode="memory")
        service = Apprise.instantiate(url.get_secret_value(), asset=asset)
        if service is None:
            raise ConfigurationError(
                f"{setting}: {_position(number, url)}: expected an address as Apprise has them, such as "
                f"mailtos://... or jsons://..., found {_what_is_wrong(url)}"
            )
        if "overflow=" not in url.get_secret_value():
            # More messages, rather than one that a service refuses for its length.
            service.overflow_mode = OverflowMode.SPLIT
        services.append(service)
    return services


def _what_is_wrong(url: SecretStr) -> str:
    from apprise.plugins import N_MGR

    schema = _schema(url)
    if schema is None:
        return "a text without a schema"
    return f"one of {schema!r} that it cannot read" if schema in N_MGR else f"the unknown schema {schema!r}"


def _position(number: int, url: SecretStr) -> str:
    """``the 2nd address (mailtos)``."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    schema = _schema(url)
    return f"the {number}{ending} address" + (f" ({schema})" if schema else "")


def _schema(url: SecretStr) -> str | None:
    """Nothing that is not plainly a schema: in a text that somebody mistyped it may be a part of the password."""
    found = SCHEMA.match(url.get_secret_value())
    return found[1].lower() if found else None


def _send(service: "NotifyBase", message: Message) -> str:
    """Send it to one address; returns what went wrong, or nothing. One service alone is called in this thread, and no pool's."""
    from apprise import Apprise, NotifyFormat, NotifyType

    kinds = {"failure": NotifyType.FAILURE, "recovery": NotifyType.SUCCESS, "info": NotifyType.INFO}
    one = Apprise()
    one.add(service)
    result = one.notify(
        title=message.title,
        body=message.body,
        notify_type=kinds[message.kind],
        body_format=NotifyFormat.TEXT,
        attach=[str(file) for file in message.files] or None,
    )
    return "" if result else "it did not take the message"


def _end(sent: Future[str], seconds: float) -> str:
    """How a delivery ended; of an error only its class, because its text may quote the address."""
    try:
        error = sent.exception(timeout=seconds)
    except TimeoutError:
        return "no answer in time"
    return type(error).__name__ if error else sent.result()


def _keep_addresses_out_of_logs() -> None:
    """Apprise logs what it reads and sends, and urllib3 the paths it asks for, which are the tokens of several services."""
    logging.getLogger("apprise").disabled = True
    web = logging.getLogger("urllib3")
    web.setLevel(max(logging.INFO, web.level))
