"""Everything the apps of one sandbox share, and where every answer passes: reaching, arriving, and handing over a file.

Composition only: each part has its own module. Routes belong to the apps.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import Response

from crm_assets.sandbox.books import Books
from crm_assets.sandbox.clock import SandboxClock
from crm_assets.sandbox.codes import Codes
from crm_assets.sandbox.faults import Fault, FaultBoard
from crm_assets.sandbox.journal import Journal
from crm_assets.sandbox.memory import Memory
from crm_assets.sandbox.options import SandboxOptions
from crm_assets.sandbox.pace import Pace
from crm_assets.sandbox.screens import screen
from crm_assets.sandbox.seals import Seals
from crm_assets.sandbox.sessions import Devices, Sessions
from crm_assets.sandbox.stores import SandboxStore, other_store
from crm_assets.sandbox.wire import NoAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One sandbox's parts. ``urls`` are by origin: subs, reports, store, storepanel, api, control."""

    options: SandboxOptions
    urls: Mapping[str, str]
    clock: SandboxClock
    faults: FaultBoard
    books: Books
    journal: Journal
    seals: Seals
    sessions: Sessions
    devices: Devices
    codes: Codes
    pace: Pace

    @classmethod
    def built(cls, options: SandboxOptions, urls: Mapping[str, str], clock: SandboxClock, memory: Memory) -> "World":
        faults = FaultBoard()
        seals = Seals(options.seed)
        return cls(
            options=options,
            urls=urls,
            clock=clock,
            faults=faults,
            books=Books(options.seed, clock, lambda store, day: faults.is_quiet(store.crm, store.code, day)),
            journal=Journal(),
            seals=seals,
            sessions=Sessions(seals, memory),
            devices=Devices(seals, memory),
            codes=Codes(options.seed, clock),
            pace=Pace(options.pace, options.seed),
        )

    def fault(self, fault: Fault) -> None:
        """Switch a fault on, or let it happen when it is one that is over at once."""
        at_once = {"session_expired": self.sessions.end, "otp": self.devices.forget}
        if happens := at_once.get(fault.name):
            happens(fault.crm, fault.store)
        else:
            self.faults.put(fault)

    def reach(self, crm: str, at: str, store: SandboxStore | None = None) -> None:
        """Nobody gets further while the portal is down. Only what answers without arriving need ask by itself."""
        if self.faults.take("down", crm, store.code if store else None, at):
            raise NoAnswer

    async def arrive(self, crm: str, at: str, store: SandboxStore | None = None) -> None:
        """Every answer begins here: it takes its time, and may turn out a 502."""
        self.reach(crm, at, store)
        code = store.code if store else None
        slow = self.faults.take("slow", crm, code, at)
        await self.pace.wait(at, str(store or ""), slow.seconds if slow else 0)
        if self.faults.take("502", crm, code, at):
            raise HTTPException(502)

    def store_shown(self, store: SandboxStore, at: str) -> SandboxStore:
        """Whose data a session shows: its own store's, but for a mix-up."""
        return other_store(store) if self.faults.take("other_store", store.crm, store.code, at) else store

    def hand_over(self, store: SandboxStore, at: str, export: Response) -> Response:
        """Every export leaves here: it is counted, and on a bad day a login page leaves under its name."""
        self.journal.exports[str(store)] += 1
        if not self.faults.take("html_instead_of_xlsx", store.crm, store.code, at):
            return export
        page = screen("signed_out.html")
        page.headers["content-disposition"] = export.headers.get(
            "content-disposition", 'attachment; filename="export.xlsx"'
        )
        return page
