"""``docs/errors.md``: what each error means, who acts, what they do, whether it is tried again, and the exit code."""

from crm_assets.cli.options import exit_code_of
from crm_assets.errors import (
    CrmError,
    NeedsPerson,
    Who,
    every_class,
    heals_by_itself,
    may_be_an_accident,
)
from crm_assets_tests.documents.markdown import anchor, code, page, table

ABOUT = """\
An error has a code, a message and a next step. The message says what was expected and what was found in this one case; what its
code means and what to do about it stand below, word for word as the Dagster UI, `crm_download` (tables and `--json`), the
alerts and `crm_download status` say it."""
NO_CODE = "ended early"  # what tables show for a run that ended without a code


def errors_page() -> str:
    """The whole page: a list of the codes, then who acts on which, in full."""
    return page(
        "What each error means",
        "crm_assets/errors.py",
        ABOUT,
        table(
            ("code", "who acts", "tried again by itself", "exit code"),
            ([_link(each), each.who, retried(each), str(exit_code_of(each))] for each in every_class()),
        ),
        *(part for who in Who for part in _section(who)),
    )


def heading(found: type[CrmError]) -> str:
    return NO_CODE if found is CrmError else found.__name__


def retried(found: type[CrmError]) -> str:
    if issubclass(found, NeedsPerson):
        return "never, until a person has signed in"
    if may_be_an_accident(found.__name__):
        return "yes, three times a slot at most"
    return "yes" if heals_by_itself(found.__name__) else "at the next slot"


def _link(found: type[CrmError]) -> str:
    return f"[{heading(found)}]({anchor(heading(found))})"


def _section(who: Who) -> list[str]:
    return [f"## {who.capitalize()}", *(_entry(each) for each in every_class() if each.who is who)]


def _entry(found: type[CrmError]) -> str:
    lines = [f"### {heading(found)}", found.means(), f"**Next:** {found.next_step}"]
    if found.command:
        lines.append(f"For example: {code(found.command.format(crm='td', store='a668'))}")
    return "\n\n".join(lines)
