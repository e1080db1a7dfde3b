"""A town of stores: a ``stores.yaml`` of any number of TumbleDry stores, and a database that knows nothing of them yet.

What has come of them is written into the ledger by ``crm_assets_tests/warehouse/attempts.py``; no browser, no portal.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from crm_assets.model import IST, Store
from crm_assets.pipeline.reports import Source, sources_of
from crm_assets.settings import Settings, load_settings
from crm_assets.warehouse.connection import Connection, connect


def ist(text: str) -> datetime:
    """``2025-11-24 10:30`` in Kolkata."""
    return datetime.fromisoformat(text).replace(tzinfo=IST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """``url``: a migrated database, or any when none is asked."""

    url: str
    folder: Path

    def build(self, stores: int | Mapping[str, Mapping[str, Any]] = 1, **options: Any) -> Settings:
        """So many stores ``a000``, ``a001`` ... that opened on the 1st of November, or these; ``options`` are the CRM's."""
        if isinstance(stores, int):
            stores = {f"a{place:03}": {} for place in range(stores)}
        entries = {code: {"name": f"Store {code}", "first_day": "2025-11-01"} | told for code, told in stores.items()}
        portal = {
            "title": "TumbleDry",
            "portal": "crm_assets.portals.tumbledry",
            "reports": ["order_report"],
            "site": {"subs": "http://127.0.0.1:1", "reports": "http://127.0.0.1:1"},
        }
        file = {"crms": {"td": portal | {"spread_minutes": 0} | options | {"stores": entries}}}
        (self.folder / "stores.yaml").write_text(yaml.safe_dump(file, sort_keys=False), encoding="utf-8")
        return self.settings

    @property
    def settings(self) -> Settings:
        return load_settings({"CRM_HOME": str(self.folder), "CRM_DATABASE_URL": self.url})

    @property
    def source(self) -> Source:
        return sources_of(self.settings, "td")[0]

    def store(self, code: str = "a000") -> Store:
        return self.settings.store("td", code)

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        with connect(self.url) as conn:
            yield conn
