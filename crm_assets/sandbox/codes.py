"""One-time codes: what a store's registered mobile was sent, and whether what somebody typed is right.

A code is good for five minutes of the sandbox's clock and for one login; a store's authenticator app is believed as well.
Who is asked for a code is decided by ``tumbledry/sign_in``; which browsers are not asked, by ``sessions``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import randbelow
from typing import Literal
from uuid import uuid4

from pyotp import TOTP

from crm_assets.model import Clock
from crm_assets.sandbox.stores import SandboxStore, totp_secret

TRIES = 3
VALID = timedelta(minutes=5)

type Verdict = Literal["right", "wrong", "given up"]


@dataclass(slots=True, kw_only=True)
class _Challenge:
    """One login that waits for its code. ``name`` tells it from the store's other logins."""

    name: str
    code: str
    sent_at: datetime
    wrong: int = 0


class Codes:
    """The logins that wait for a code, one for each store: a newer one makes the older one's code worthless."""

    def __init__(self, seed: str, clock: Clock) -> None:
        self._seed = seed
        self._clock = clock
        self._waiting: dict[SandboxStore, _Challenge] = {}

    def send(self, store: SandboxStore) -> str:
        """Send a fresh code to the store's mobile; the name of the login that waits for it."""
        challenge = _Challenge(name=uuid4().hex, code=f"{randbelow(1_000_000):06d}", sent_at=self._clock())
        self._waiting[store] = challenge
        return challenge.name

    def is_waited_for(self, store: SandboxStore, name: str) -> bool:
        challenge = self._waiting.get(store)
        return challenge is not None and challenge.name == name

    def judge(self, store: SandboxStore, said: str) -> Verdict:
        """Whether the login that waits may go on, may try again, or is over."""
        challenge = self._waiting[store]
        right = said == self._code_of(challenge) or self._is_of_the_authenticator(store, said)
        challenge.wrong += not right
        if right or challenge.wrong == TRIES:
            del self._waiting[store]
        return "right" if right else "given up" if challenge.wrong == TRIES else "wrong"

    def in_force(self) -> dict[str, str]:
        """The codes that would be right now, by account."""
        codes = {str(store): self._code_of(challenge) for store, challenge in self._waiting.items()}
        return {account: code for account, code in codes.items() if code}

    def _code_of(self, challenge: _Challenge) -> str | None:
        return challenge.code if self._clock() <= challenge.sent_at + VALID else None

    def _is_of_the_authenticator(self, store: SandboxStore, said: str) -> bool:
        return TOTP(totp_secret(self._seed, store)).verify(said, for_time=self._clock(), valid_window=1)
