"""What the stores' robots did here, counted by account, so that a test can say "two exports".

Counts only: no tokens, no passwords, no rows.
"""

from collections import Counter
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class Journal:
    """Each counter is keyed by account: ``journal.exports["td/a668"]``."""

    logins: Counter[str] = field(default_factory=Counter)
    rejected_logins: Counter[str] = field(default_factory=Counter)
    codes_sent: Counter[str] = field(default_factory=Counter)
    rejected_codes: Counter[str] = field(default_factory=Counter)
    overdue_forced: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    exports: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, dict[str, int]]:
        return {counter.name: dict(getattr(self, counter.name)) for counter in fields(self)}
