"""The fingerprint: how a browser looks to a portal, kept with the session it made.

Values and their comparison. Launching a browser belongs to ``chrome.py``, keeping the fingerprint to ``sessions.py``.
"""

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

Pixels = Annotated[int, Field(gt=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What a portal can notice: the launched browser (``chrome``, ``chromium`` or a file's name) and what a context pins.

    ``platform`` is ``sys.platform`` of the machine the session was made on.
    """

    browser: str
    version: str
    headless: bool
    platform: str
    user_agent: str
    locale: str = "en-IN"
    timezone_id: str = "Asia/Kolkata"
    viewport: tuple[Pixels, Pixels] = (1366, 900)

    def context_options(self) -> dict[str, Any]:
        """The arguments of Playwright's ``new_context`` that make a page look like this."""
        width, height = self.viewport
        return {
            "user_agent": self.user_agent,
            "locale": self.locale,
            "timezone_id": self.timezone_id,
            "viewport": {"width": width, "height": height},
        }

    def differences(self, other: "Fingerprint") -> list[str]:
        """What a portal could notice when ``other`` opens a session this one made; empty when they are alike."""
        then, now = self._look(), other._look()
        return [] if then == now else [f"made by {then}, now {now}"]

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"viewport": list(self.viewport)}

    @staticmethod
    def from_json(value: object) -> "Fingerprint | None":
        """The fingerprint of a profile, or None for anything malformed: a session may be good without one."""
        try:
            return TypeAdapter(Fingerprint).validate_json(json.dumps(value), strict=True)
        except (ValidationError, TypeError, ValueError):
            return None

    def _look(self) -> str:
        """``headed chrome 141 on darwin``; the major version alone: a portal sees no more of it."""
        mode = "headless" if self.headless else "headed"
        return f"{mode} {self.browser} {self.version.partition('.')[0]} on {self.platform}"


def own_user_agent(text: str) -> str:
    """The browser's own user agent, without the word by which a portal tells headless from headed."""
    return text.replace("HeadlessChrome", "Chrome")
