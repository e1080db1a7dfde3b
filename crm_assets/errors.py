"""The error tree: each branch names who acts.

Retrying reads the type, never the text. A message says what was expected and what was found, with what to do about this one case
where that is known. What its class means, who acts and what they do stand here and nowhere else: the class's docstring, ``who``
and ``next_step``. Every channel shows the message first and then ``advice``: the class's next step word for word, and its command
where the message does not hold it already. ``docs/errors.md`` is written from here.

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
    ├─ Abandoned                                              nobody: the next run tries again
    └─ NothingLanded                                          materialize the asset before this one
"""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import ClassVar


class Who(StrEnum):
    """Who acts."""

    PERSON = "a person who can sign in"
    STORE = "someone at the store"
    INSTALLER = "whoever installed it"
    READER = "whoever looks at the file"
    ASKER = "whoever started it"
    NOBODY = "nobody at first"


ASKED_AGAIN = (
    "Nobody at first: it is asked for again, three times a slot at most; if it stays, someone looks at the file, kept under "
    "downloads/refused/."
)


class CrmError(Exception):
    """The work ended before its end, without a code of its own.

    Every other class says what it expects to go wrong; ``code`` names it in ledger rows and JSON. ``command`` is what the next
    step runs, for the account in its braces.

    ``evidence`` is the folder with the picture, the page and the steps of a failure in a browser, where there is one;
    ``seen_today`` counts how often the store met the same failure on that day.
    """

    who: ClassVar[Who] = Who.NOBODY
    next_step: ClassVar[str] = (
        "Nobody at first: it is tried again by itself; if it stays, someone reads the end of the run's log in the "
        "Dagster UI."
    )
    command: ClassVar[str] = ""

    evidence: Path | None = None
    seen_today: int = 1

    @property
    def code(self) -> str:
        return type(self).__name__

    @classmethod
    def means(cls) -> str:
        """What happened, in a sentence: the class's docstring up to its first empty line."""
        return " ".join((cls.__doc__ or cls.__name__).split("\n\n")[0].split())


class ConfigurationError(CrmError):
    """A setting is missing or malformed."""

    who = Who.INSTALLER
    next_step = (
        "Whoever installed it mends the setting that the message names; crm_download doctor shows whether all is well."
    )


class PortalMoved(ConfigurationError):
    """The portal leads to a host that stores.yaml does not list; nothing was typed or sent there."""

    next_step = (
        "Whoever installed it sees whether the portal has really moved, and then lists the new host in stores.yaml."
    )


class WarehouseUnavailable(CrmError):
    """The database does not answer, refuses us, or lacks our tables."""

    who = Who.INSTALLER
    next_step = (
        "Whoever installed it sees that PostgreSQL runs and CRM_DATABASE_URL is right; crm_download doctor looks "
        "at both."
    )


class NeedsPerson(CrmError):
    """A person must sign in; trying again by machine could lock the account."""

    who = Who.PERSON
    next_step = "A person signs in to the account once, with the bootstrap command; until then it is left alone."
    command = "crm_download bootstrap --crm {crm} --store {store}"


class OtpRequired(NeedsPerson):
    """The portal asks for a one-time password."""

    next_step = (
        "A person who gets the store's one-time passwords signs in once, with the bootstrap command; until then "
        "it is left alone."
    )


class LoginRejected(NeedsPerson):
    """The portal refused the user or the password."""

    next_step = (
        "A person puts the right user and password where they are kept (.env), then signs in once with the "
        "bootstrap command."
    )


class LoginMissing(NeedsPerson):
    """The session has ended, and neither the environment nor a person has a login to try; the portal was not asked."""

    next_step = "A person puts the store's user and password into .env, or signs in once with the bootstrap command."


class AccountLocked(NeedsPerson):
    """The portal has locked the account."""

    next_step = (
        "A person has the account unlocked by the portal's support, then signs in once with the bootstrap command."
    )


class PersonAwaited(NeedsPerson):
    """The account waits for a person since an earlier run; the portal was not asked again."""

    next_step = "A person does what the reason in the message asks for, then signs in once with the bootstrap command."


class PortalTrouble(CrmError):
    """The portal misbehaved; the same request may succeed later."""

    who = Who.NOBODY
    next_step = (
        "Nobody at first: it is tried again by itself; if it lasts for a day, someone looks whether the portal "
        "works in their own browser."
    )


class PortalUnavailable(PortalTrouble):
    """The portal does not answer, or answers with a server error."""


class PortalChanged(PortalTrouble):
    """A page does not look or answer as this adapter knows it."""

    next_step = (
        "Nobody at first: it is tried again by itself; if it comes again, whoever keeps the adapter compares the "
        "evidence with its pages.py."
    )


class SessionDropped(PortalTrouble):
    """The portal ended the session right after the login, or in the middle of the work."""

    next_step = (
        "Nobody at first: the next try signs in again; if it lasts for a day, someone looks who else uses the account."
    )


class ExportTimedOut(PortalTrouble):
    """The portal did not finish the export in time.

    ``requested_at`` (aware) is when it was asked, by its own clock: the next attempt takes that request up again.
    """

    next_step = (
        "Nobody at first: the next try takes up the same request, and asks for no second one while that one can "
        "still be used."
    )

    requested_at: datetime | None = None


class ExportFailed(PortalTrouble):
    """The portal gave up on the export that it was asked for."""

    next_step = (
        "Nobody at first: it is asked for again by itself; if it lasts for a day, someone exports the same days "
        "in their own browser."
    )


class BrowserFroze(PortalTrouble):
    """The browser did not start, or passed its hard deadline; it was ended."""

    next_step = (
        "Nobody at first: the browser was ended, and it is tried again; if it lasts, whoever installed it looks "
        "for memory and disk."
    )


class BrowserMissing(CrmError):
    """No Chrome or Chromium was found on this machine."""

    who = Who.INSTALLER
    next_step = "Whoever installed it runs script/setup, or sets CRM_BROWSER_PATH to a browser that is there."


class DiskFull(CrmError):
    """There is too little room on the disk to begin a download."""

    who = Who.INSTALLER
    next_step = "Whoever installed it makes room on the disk, also with crm_download tidy; the next try goes on."


class DataLate(CrmError):
    """A store's data is older than its schedule allows."""

    who = Who.INSTALLER
    next_step = (
        "Whoever installed it sees that script/server or cron is running, and what crm_download status says of "
        "the store."
    )


class BadReport(CrmError):
    """The file is not the report that was asked for; nothing of it is loaded."""

    who = Who.READER
    next_step = "Someone looks at the file, kept under downloads/refused/; nothing of it was loaded."


class NotAWorkbook(BadReport):
    """The file is not an .xlsx workbook."""

    next_step = ASKED_AGAIN


class TooLarge(BadReport):
    """The workbook is larger, or unpacks to more, than any report of a store could be."""

    next_step = (
        "Someone looks at the file, kept under downloads/refused/; where it is right, fewer days are asked for at once."
    )


class HeaderDrift(BadReport):
    """A column the report must have is missing or doubled."""

    next_step = (
        "Someone compares the headers of the file, kept under downloads/refused/, with the portal's reports.py, "
        "and mends that."
    )


class WrongStore(BadReport):
    """A row belongs to another store."""

    next_step = (
        "Someone looks whose rows the file under downloads/refused/ holds, and whether the login in .env is this "
        "store's."
    )


class WrongWindow(BadReport):
    """A row lies outside the days that were asked for."""

    next_step = ASKED_AGAIN


class DatesSwapped(BadReport):
    """The dates make sense month first only, where the report writes the day first."""

    next_step = (
        "Someone looks how the file under downloads/refused/ writes its dates, and mends the formats in the "
        "portal's reports.py."
    )


class ChecksumMismatch(BadReport):
    """The portal's own count or sums differ from the rows of the file."""

    next_step = ASKED_AGAIN


class UnprovenEmpty(BadReport):
    """The file holds no row, and nothing else says that there was none."""

    next_step = ASKED_AGAIN


class DuplicateKeys(BadReport):
    """Two rows of the file have one business key."""

    next_step = (
        "Someone looks at the repeated rows of the file, kept under downloads/refused/, and asks the portal which "
        "one is right."
    )


class TooManyRejects(BadReport):
    """More rows break a rule than a few bad entries could explain."""

    next_step = (
        "Someone looks at the broken rule; where the portal writes it so now, its columns in the portal's "
        "reports.py are mended."
    )


class ShrunkReport(BadReport):
    """The file lacks more of the rows that are loaded already than could have vanished in the ordinary way."""

    next_step = (
        "Someone looks whether so many rows are rightly gone; if they are, the same days are fetched with "
        "--accept-shrink."
    )


class OlderExport(BadReport):
    """A newer export of the same days is loaded already."""

    who = Who.NOBODY
    next_step = "Nobody: what is loaded is newer."


class StoreSkipped(CrmError):
    """The store cannot be served for now, for a reason that only people at the store can settle."""

    who = Who.STORE
    next_step = "Someone at the store does what the message says; after that the store is served again by itself."


class OverdueOrders(StoreSkipped):
    """TumbleDry shows its list of overdue orders and lets nobody pass; a person at the store must clear it."""

    next_step = (
        "Someone at the store clears TumbleDry's list of overdue orders; after that the store is served again by "
        "itself."
    )


class RunCancelled(CrmError):
    """The run was cancelled before this window was done."""

    who = Who.NOBODY
    next_step = "Nobody: what is still wanted is fetched at the next slot, or started again by whoever cancelled it."


class Abandoned(CrmError):
    """The process that ran the attempt ended without a word."""

    who = Who.NOBODY
    next_step = "Nobody: the next run tries it again."


class NothingLanded(CrmError):
    """The asset before this one has nothing for these partitions."""

    who = Who.ASKER
    next_step = "Whoever started it materializes the asset that the message names first, for the same partitions."


class AccountBusy(CrmError):
    """Another run works in this store's account; one browser at a time may."""

    who = Who.NOBODY
    next_step = "Nobody: it is tried again by itself when the other run has ended."


def error_class(code: str | None) -> type[CrmError]:
    """The class a ``code`` names; CrmError for one that none does, such as a run that ended without a word."""
    known = {found.__name__: found for found in _tree(CrmError)}
    return known.get(code or "", CrmError)


def codes_of(root: type[CrmError]) -> list[str]:
    """The codes of a branch."""
    return [found.__name__ for found in _tree(root)]


def every_class() -> list[type[CrmError]]:
    """The whole tree, the root first, each branch before what is below it."""
    return _tree(CrmError)


def advice(code: str | None, said: str = "", account: str = "") -> tuple[str, ...]:
    """The lines below a message, the same in every channel: the next step, and its command unless the message holds it.

    ``said`` is the message; without an ``account``, such as ``td/a668``, there is no command to give.
    """
    step, command = f"Next: {error_class(code).next_step}", command_of(code, account)
    return (step, f"Run: {command}") if command and command not in said else (step,)


def command_of(code: str | None, account: str) -> str | None:
    """What a person runs for this account, or None where the next step is no command."""
    crm, _, store = account.partition("/")
    return error_class(code).command.format(crm=crm, store=store) or None if store else None


def in_full(error: CrmError, account: str = "") -> str:
    """The message and its advice, a line each."""
    return "\n".join([str(error), *advice(error.code, str(error), account)])


def heals_by_itself(code: str | None) -> bool:
    """Whether trying again can help. A run that ended without a word says nothing against it."""
    for_others = (NeedsPerson, BadReport, StoreSkipped, ConfigurationError, NothingLanded)
    return may_be_an_accident(code) or not issubclass(error_class(code), for_others)


def may_be_an_accident(code: str | None) -> bool:
    """Whether the portal may well hand over the right file when it is asked once more: this was another page, or too early."""
    return issubclass(error_class(code), (NotAWorkbook, WrongWindow, ChecksumMismatch, UnprovenEmpty))


def _tree(root: type[CrmError]) -> list[type[CrmError]]:
    return [root, *(found for branch in root.__subclasses__() for found in _tree(branch))]
