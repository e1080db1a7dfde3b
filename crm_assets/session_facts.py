"""What can be said of an account and its saved session without showing either: for ``crm_download sessions`` and the doctor.

Names, counts and times only; a cookie's or a token's value never gets here.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crm_assets.browser.fingerprint import Fingerprint
from crm_assets.browser.profile import Profile
from crm_assets.browser.sessions import Profiles
from crm_assets.errors import ConfigurationError
from crm_assets.model import Account, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """One account. ``problem`` is why its file cannot be used, ``saved_at`` None for a file that does not say.

    ``cookies`` are by domain, ``stored`` the numbers of entries by origin and kind of storage; ``first_expiry`` is when the first
    cookie with a date ends.
    """

    store: Store
    account: Account | None
    file: Path
    saved: bool
    sealed: bool = False
    previous: bool = False
    problem: str | None = None
    saved_at: datetime | None = None
    fingerprint: Fingerprint | None = None
    cookies: Mapping[str, int] = field(default_factory=dict)
    stored: Mapping[str, int] = field(default_factory=dict)
    first_expiry: datetime | None = None

    @property
    def form(self) -> str:
        """``none``, ``unusable``, ``sealed`` or ``plain``."""
        if not self.saved:
            return "none"
        return "unusable" if self.problem else "sealed" if self.sealed else "plain"


def session_facts(profiles: Profiles, store: Store, account: Account | None) -> SessionFacts:
    """Look at the account's file and at what is remembered of it."""
    file = profiles.path(store)
    common: dict[str, Any] = {
        "store": store,
        "account": account,
        "file": file,
        "saved": file.exists(),
        "previous": profiles.previous_path(store).exists(),
    }
    try:
        profile = profiles.load(store)
        sealed = bool(profiles.is_sealed(store))
    except ConfigurationError as error:
        return SessionFacts(**common, problem=str(error))
    if profile is None:
        return SessionFacts(**common)
    return SessionFacts(
        **common,
        sealed=sealed,
        saved_at=profile.saved_at,
        fingerprint=profile.fingerprint,
        cookies=Counter(str(cookie.get("domain", "")) for cookie in profile.state["cookies"]),
        stored=_stored(profile),
        first_expiry=_first_expiry(profile),
    )


def _stored(profile: Profile) -> dict[str, int]:
    """``{"https://panel.example localStorage": 3}``."""
    found = {
        f"{origin['origin']} {kind}": len(origin.get(kind, []))
        for origin in profile.state["origins"]
        for kind in ("localStorage", "indexedDB")
    }
    found |= {f"{origin} sessionStorage": len(items) for origin, items in profile.session_storage.items()}
    return {name: count for name, count in found.items() if count}


def _first_expiry(profile: Profile) -> datetime | None:
    """Playwright writes -1 for a cookie that ends with the browser."""
    dated = [float(cookie.get("expires", -1)) for cookie in profile.state["cookies"]]
    return min((datetime.fromtimestamp(each, UTC) for each in dated if each > 0), default=None)
