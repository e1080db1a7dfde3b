"""The error tree: each branch names who acts.

Retrying reads the type, never the text. A message says what was expected, what was found and what to do next.

    CrmError
    ├─ ConfigurationError  PortalMoved                        the installer mends a setting
    ├─ WarehouseUnavailable                                   the installer mends the database
    ├─ NeedsPerson       OtpRequired, LoginRejected,
    │                    AccountLocked, LoginMissing,
    │                    PersonAwaited                        someone runs the bootstrap; never retried
    ├─ PortalTrouble     PortalUnavailable, PortalChanged,
    │                    SessionDropped, ExportTimedOut,
    │                    ExportFailed, BrowserFroze           retried with backoff
    ├─ BrowserMissing                                         the installer installs a browser
    ├─ DiskFull                                               the installer makes room
    ├─ DataLate                                               someone looks at what the store's last run said
    ├─ BadReport         NotAWorkbook, TooLarge, HeaderDrift,
    │                    WrongStore, WrongWindow, DatesSwapped,
    │                    ChecksumMismatch, UnprovenEmpty,
    │                    DuplicateKeys, TooManyRejects,
    │                    ShrunkReport, OlderExport            someone looks at the kept file
    ├─ StoreSkipped      OverdueOrders                        someone at the store; no failure of ours
    ├─ AccountBusy                                            wait: another run holds the account
    ├─ RunCancelled                                           nobody: whoever cancelled it knows
    └─ NothingLanded                                          materialize the asset before this one
"""

from datetime import datetime
from pathlib import Path


class CrmError(Exception):
    """Anything this project expects to go wrong; ``code`` names the class in ledger rows and JSON.

    ``evidence`` is the folder with the picture, the page and the steps of a failure in a browser, where there is one;
    ``seen_today`` counts how often the store met the same failure on that day.
    """

    evidence: Path | None = None
    seen_today: int = 1

    @property
    def code(self) -> str:
        return type(self).__name__


class ConfigurationError(CrmError):
    """A setting is missing or malformed."""


class PortalMoved(ConfigurationError):
    """The portal leads to a host that ``stores.yaml`` does not list; nothing was typed or sent there."""


class WarehouseUnavailable(CrmError):
    """The database does not answer, refuses us, or lacks our tables."""


class NeedsPerson(CrmError):
    """A person must sign in; trying again by machine could lock the account."""


class OtpRequired(NeedsPerson):
    """The portal asks for a one-time password."""


class LoginRejected(NeedsPerson):
    """The portal refused the user or the password."""


class LoginMissing(NeedsPerson):
    """The session has ended, and neither the environment nor a person has a login to try; the portal was not asked."""


class AccountLocked(NeedsPerson):
    """The portal has locked the account."""


class PersonAwaited(NeedsPerson):
    """The account waits for a person since an earlier run; the portal was not asked again."""


class PortalTrouble(CrmError):
    """The portal misbehaved; the same request may succeed later."""


class PortalUnavailable(PortalTrouble):
    """The portal does not answer, or answers with a server error."""


class PortalChanged(PortalTrouble):
    """A page does not look or answer as this adapter knows it."""


class SessionDropped(PortalTrouble):
    """The portal ended the session right after the login, or in the middle of the work."""


class ExportTimedOut(PortalTrouble):
    """The portal did not finish the export in time.

    ``requested_at`` (aware) is when it was asked, by its own clock: the next attempt takes that request up again.
    """

    requested_at: datetime | None = None


class ExportFailed(PortalTrouble):
    """The portal gave up on the export that it was asked for."""


class BrowserFroze(PortalTrouble):
    """The browser did not start, or passed its hard deadline; it was ended."""


class BrowserMissing(CrmError):
    """No Chrome or Chromium was found on this machine."""


class DiskFull(CrmError):
    """There is too little room on the disk to begin a download."""


class DataLate(CrmError):
    """A store's data is older than its schedule allows."""


class BadReport(CrmError):
    """The file is not the report that was asked for; nothing of it is loaded."""


class NotAWorkbook(BadReport):
    """The file is not an .xlsx workbook."""


class TooLarge(BadReport):
    """The workbook is larger, or unpacks to more, than any report of a store could be."""


class HeaderDrift(BadReport):
    """A column the report must have is missing or doubled."""


class WrongStore(BadReport):
    """A row belongs to another store."""


class WrongWindow(BadReport):
    """A row lies outside the days that were asked for."""


class DatesSwapped(BadReport):
    """The dates make sense month first only, where the report writes the day first."""


class ChecksumMismatch(BadReport):
    """The portal's own count or sums differ from the rows of the file."""


class UnprovenEmpty(BadReport):
    """The file holds no row, and nothing else says that there was none."""


class DuplicateKeys(BadReport):
    """Two rows of the file have one business key."""


class TooManyRejects(BadReport):
    """More rows break a rule than a few bad entries could explain."""


class ShrunkReport(BadReport):
    """The file lacks more of the rows that are loaded already than could have vanished in the ordinary way."""


class OlderExport(BadReport):
    """A newer export of the same days is loaded already."""


class StoreSkipped(CrmError):
    """The store cannot be served for now, for a reason that only people at the store can settle."""


class OverdueOrders(StoreSkipped):
    """TumbleDry shows its list of overdue orders and lets nobody pass; a person at the store must clear it."""


class RunCancelled(CrmError):
    """The run was cancelled before this window was done."""


class NothingLanded(CrmError):
    """The asset before this one has nothing for these partitions."""


class AccountBusy(CrmError):
    """Another run works in this store's account; one browser at a time may."""


def error_class(code: str | None) -> type[CrmError]:
    """The class a ``code`` names; CrmError for one that none does, such as a run that ended without a word."""
    known = {found.__name__: found for found in _tree(CrmError)}
    return known.get(code or "", CrmError)


def codes_of(root: type[CrmError]) -> list[str]:
    """The codes of a branch."""
    return [found.__name__ for found in _tree(root)]


def heals_by_itself(code: str | None) -> bool:
    """Whether trying again can help. A run that ended without a word says nothing against it."""
    for_others = (NeedsPerson, BadReport, StoreSkipped, ConfigurationError, NothingLanded)
    return may_be_an_accident(code) or not issubclass(error_class(code), for_others)


def may_be_an_accident(code: str | None) -> bool:
    """Whether the portal may well hand over the right file when it is asked once more: this was another page, or too early."""
    return issubclass(error_class(code), (NotAWorkbook, WrongWindow, ChecksumMismatch, UnprovenEmpty))


def _tree(root: type[CrmError]) -> list[type[CrmError]]:
    return [root, *(found for branch in root.__subclasses__() for found in _tree(branch))]
