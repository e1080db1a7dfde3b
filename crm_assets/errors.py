"""The error tree: each branch names who acts.

Retrying reads the type, never the text. A message says what was expected, what was found and what to do next.

    CrmError
    ├─ ConfigurationError                                     the installer mends a setting
    ├─ WarehouseUnavailable                                   the installer mends the database
    ├─ NeedsPerson       OtpRequired, LoginRejected           someone runs the bootstrap; never retried
    ├─ PortalTrouble     PortalUnavailable, PortalChanged,
    │                    ExportTimedOut, BrowserFroze         retried with backoff
    ├─ BrowserMissing                                         the installer installs a browser
    ├─ BadReport         NotAWorkbook, HeaderDrift, WrongWindow,
    │                    WrongStore, ChecksumMismatch         someone looks at the kept file
    ├─ AccountBusy                                            wait: another run holds the account
    └─ NothingLanded                                          materialize the asset before this one
"""


class CrmError(Exception):
    """Anything this project expects to go wrong; ``code`` names the class in ledger rows and JSON."""

    @property
    def code(self) -> str:
        return type(self).__name__


class ConfigurationError(CrmError):
    """A setting is missing or malformed."""


class WarehouseUnavailable(CrmError):
    """The database does not answer, refuses us, or lacks our tables."""


class NeedsPerson(CrmError):
    """A person must sign in; trying again by machine could lock the account."""


class OtpRequired(NeedsPerson):
    """The portal asks for a one-time password."""


class LoginRejected(NeedsPerson):
    """The portal refused the user or the password, or there is none to try."""


class PortalTrouble(CrmError):
    """The portal misbehaved; the same request may succeed later."""


class PortalUnavailable(PortalTrouble):
    """The portal does not answer, or answers with a server error."""


class PortalChanged(PortalTrouble):
    """A page does not look or answer as this adapter knows it."""


class ExportTimedOut(PortalTrouble):
    """The portal did not finish the export in time."""


class BrowserFroze(PortalTrouble):
    """The browser did not start, or passed its hard deadline; it was ended."""


class BrowserMissing(CrmError):
    """No Chrome or Chromium was found on this machine."""


class BadReport(CrmError):
    """The file is not the report that was asked for; nothing of it is loaded."""


class NotAWorkbook(BadReport):
    """The file is not an .xlsx workbook."""


class HeaderDrift(BadReport):
    """A column the report must have is missing or doubled."""


class WrongWindow(BadReport):
    """A row lies outside the days that were asked for."""


class WrongStore(BadReport):
    """A row belongs to another store."""


class ChecksumMismatch(BadReport):
    """The portal's own count or sums differ from the rows of the file."""


class NothingLanded(CrmError):
    """The asset before this one has nothing for these partitions."""


class AccountBusy(CrmError):
    """Another run works in this store's account; one browser at a time may."""


def error_class(code: str | None) -> type[CrmError]:
    """The class a ``code`` names; CrmError for one that none does, such as a run that ended without a word."""
    known = {found.__name__: found for found in _tree(CrmError)}
    return known.get(code or "", CrmError)


def _tree(root: type[CrmError]) -> list[type[CrmError]]:
    return [root, *(found for branch in root.__subclasses__() for found in _tree(branch))]
