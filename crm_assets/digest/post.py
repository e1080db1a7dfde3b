"""The digest as a message: the totals in a few lines, with the page and the workbook beside them; and when it is sent again.

How a message travels belongs to ``crm_assets.notify``, when a day's digest is due to ``pipeline/digest.py``.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from pydantic import SecretStr

from crm_assets.digest.figures import Digest
from crm_assets.digest.files import DigestFiles
from crm_assets.digest.words import day_text, growth, known_rupees, orders, rupees
from crm_assets.notify import DELIVERY_SECONDS, Message, Unanswered, deliver
from crm_assets.settings import DIGEST_URLS

PAUSES = (timedelta(0), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=3))
"""After each failed delivery. A server may fail and have taken the message all the same: it is not asked for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How far the sending of the digest of ``day`` (ISO) got: ``done``, or so many ``tries`` failed, and no other one yet."""

    day: str = ""
    done: bool = False
    tries: int = 0
    not_before: str = ""

    @classmethod
    def read(cls, text: str | None, day: str) -> "Sending":
        """What is remembered of this day."""
        remembered = json.loads(text or "{}")
        return cls(**remembered) if remembered.get("day") == day else cls(day=day)

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    def is_due(self, now: datetime) -> bool:
        gave_up = self.tries > len(PAUSES)
        return not self.done and not gave_up and (not self.not_before or now >= datetime.fromisoformat(self.not_before))

    def failed(self, now: datetime) -> "Sending":
        pause = PAUSES[min(self.tries, len(PAUSES) - 1)]
        return replace(self, tries=self.tries + 1, not_before=(now + pause).isoformat())


def send(urls: Sequence[SecretStr], digest: Digest, files: DigestFiles, seconds: float = DELIVERY_SECONDS) -> list[str]:
    """Send it; returns what is to be said of the addresses that may not have it.

    Who did not answer in time may have it: that is said, and not sent again. Raises Undelivered when nobody took it.
    """
    try:
        return deliver(urls, message_of(digest, files), seconds, setting=DIGEST_URLS)
    except Unanswered as error:
        return [str(error)]


def message_of(digest: Digest, files: DigestFiles) -> Message:
    """What is sent; where a service takes no files, the lines say what matters."""
    warnings = [f"{one.store.name}: {one.report.replace('_', ' ')} is late" for one in digest.stale]
    if digest.mismatches:
        warnings.insert(0, "RECONCILIATION FAILED: do not rely on these figures")
    sold = digest.total.day
    return Message(
        title=f"Sales of {day_text(digest.day)}: {'not fetched yet' if sold.is_missing else known_rupees(sold)}",
        body="\n".join([*warnings, *summary(digest)]),
        kind="failure" if digest.mismatches else "info",
        files=(files.page, files.workbook),
    )


def summary(digest: Digest) -> list[str]:
    """The totals, a line for each store and one for all."""
    total = digest.total
    lines = [
        f"{one.store.name}: not fetched yet"
        if one.sums.day.is_missing
        else f"{one.store.name}: {rupees(one.sums.day.amount)}, {orders(one.sums.day.count)}"
        for one in digest.sales
    ]
    if not total.day.is_missing:
        lines.append(f"All stores: {known_rupees(total.day)}, {orders(total.day.count)}")
    lines.append(
        f"The month so far: {known_rupees(total.month)}, {orders(total.month.count)}; "
        f"against last month to the same day {growth(total.growth)}"
    )
    if digest.collections and not digest.money.day.is_missing:
        lines.append(f"Collected: {known_rupees(digest.money.day)}")
    if any(one.is_partial for one in (*total.of_windows(), digest.money.day)):
        lines.append("* without days that were never fetched")
    return lines
