"""Log lines: ``[timestamp] [crm/store] [event] [filename or error]``, through the standard logging module.

An existing installation's own handlers on the logger ``crm_assets`` are kept; ``to_stream`` is for processes that have none.
"""

import logging
from datetime import datetime
from typing import TextIO

from crm_assets.model import IST, Store

log = logging.getLogger("crm_assets")


def say(store: Store | str, event: str, detail: object = "-", *, level: int = logging.INFO) -> None:
    """One line about one store; ``detail`` is a file name, a count or an error, never customer data."""
    log.log(
        level,
        "[%s] [%s] [%s]",
        store,
        event,
        detail,
        extra={"store": str(store), "event": event, "detail": str(detail)},
    )


def to_stream(stream: TextIO, *, level: int = logging.INFO) -> None:
    """Send the lines to a stream, each with Kolkata's time."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Line("[%(asctime)s] %(message)s"))
    log.addHandler(handler)
    log.setLevel(level)
    log.propagate = False


class _Line(logging.Formatter):
    """Four parts in one line, whoever wrote it; times as the stores' people read them: ISO 8601 with Kolkata's offset."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        record.message = " ".join(record.message.split())
        if not hasattr(record, "store"):
            record.message = f"[-] [{record.levelname.lower()}] [{record.message}]"
        return super().formatMessage(record)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's own name
        return datetime.fromtimestamp(record.created, IST).isoformat(timespec="seconds")
