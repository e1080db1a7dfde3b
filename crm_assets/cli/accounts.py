"""``crm_download bootstrap`` and ``crm_download sessions``: what a person does about a store's account and its saved session."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_assets.cli.options import (
    OK,
    STORE_FAILED,
    CrmOption,
    EveryCrm,
    EveryStore,
    JsonOption,
    StoreOption,
    TraceOption,
    load_settings,
    migrated,
    named_stores,
    one_by_one,
    wrong_usage,
)
from crm_assets.errors import LoginMissing
from crm_assets.model import AccountState, Store, system_clock

if TYPE_CHECKING:
    from crm_assets.account import Desk
    from crm_assets.credentials import Credentials
    from crm_assets.session_facts import SessionFacts
    from crm_assets.settings import Settings

sessions_app = typer.Typer(no_args_is_help=True, help="Look at the saved sessions, test, seal and forget them.")


def bootstrap(
    crm: CrmOption,
    store: StoreOption,
    in_terminal: Annotated[
        bool, typer.Option("--terminal", help="Without a window: a one-time password is asked for on the terminal.")
    ] = False,
    state_file: Annotated[
        Path | None,
        typer.Option("--import", help="Take over a storage state made on another machine, once it is seen to be good."),
    ] = None,
    trace: TraceOption = False,
) -> None:
    """Sign in to a store with a person's help, once, and keep its session."""
    settings = load_settings()
    wanted = named_stores(settings, crm, store)
    if state_file and (in_terminal or len(wanted) > 1):
        wrong_usage("--import takes the session of one store, and neither --terminal nor --store all")

    from crm_assets.credentials import credentials
    from crm_assets.multi_crm_downloader import bootstrap_from_file, bootstrap_in_terminal, bootstrap_in_window
    from crm_assets.otp import terminal_answer

    desk = _desk(settings, "bootstrap", headless=bool(in_terminal or state_file), trace=trace)

    def sign_in(one: Store) -> None:
        login = credentials(settings, one)
        if state_file:
            profile = bootstrap_from_file(desk, one, login, state_file)
        elif in_terminal:
            profile = bootstrap_in_terminal(desk, one, login or _asked_login(one), terminal_answer())
        else:
            profile = bootstrap_in_window(desk, one, login)
        typer.echo(f"{one}: session saved in {profile}")

    raise typer.Exit(one_by_one(wanted, sign_in))


@sessions_app.command("list")
def list_sessions(crm: EveryCrm = "", store: EveryStore = "all", as_json: JsonOption = False) -> None:
    """Every store's account and saved session: state, age, sealed or plain."""
    from crm_assets.terminal import show_sessions

    show_sessions(list(_facts(crm, store)), system_clock(), as_json=as_json)


@sessions_app.command("show")
def show_session(crm: CrmOption, store: StoreOption, as_json: JsonOption = False) -> None:
    """One session in full, by names and counts: never a cookie's or a token's value."""
    from crm_assets.terminal import show_session_in_full

    for facts in _facts(crm, store):
        show_session_in_full(facts, as_json=as_json)


@sessions_app.command("test")
def test_session(crm: EveryCrm = "", store: EveryStore = "all", trace: TraceOption = False) -> None:
    """Open the portal with the saved session and see whether it is still signed in. Never logs in."""
    settings = load_settings()
    wanted = _every(settings, crm, store)

    from crm_assets.session_care import probe

    desk = _desk(settings, "sessions test", trace=trace)
    signed_out: list[Store] = []

    def test(one: Store) -> None:
        if probe(desk, one):
            typer.echo(f"{one}: signed in")
        else:
            typer.echo(f"{one}: signed out; {_what_follows(desk, one)}")
            signed_out.append(one)

    code = one_by_one(wanted, test)
    raise typer.Exit(max(code, STORE_FAILED if signed_out else OK))


@sessions_app.command("seal")
def seal_sessions(crm: EveryCrm = "", store: EveryStore = "all") -> None:
    """Seal the saved sessions with CRM_PROFILE_KEY; sealed ones stay as they are."""
    _reseal(crm, store, "sessions seal", "sealed")


@sessions_app.command("rotate-key")
def rotate_key(crm: EveryCrm = "", store: EveryStore = "all") -> None:
    """Seal every session anew with the first key of CRM_PROFILE_KEY=new,old; then the old one can go."""
    _reseal(crm, store, "sessions rotate-key", "sealed with the first key")


@sessions_app.command("forget")
def forget_session(crm: CrmOption, store: StoreOption) -> None:
    """Delete a saved session and the one kept beside it; the next run logs in."""
    settings = load_settings()
    wanted = named_stores(settings, crm, store)

    from crm_assets.session_care import forget

    desk = _desk(settings, "sessions forget")

    def delete(one: Store) -> None:
        deleted = ", ".join(path.name for path in forget(desk, one))
        typer.echo(f"{one}: {deleted + ' deleted' if deleted else 'nothing was saved'}")

    raise typer.Exit(one_by_one(wanted, delete))


def _reseal(crm: str, store: str, command: str, done: str) -> None:
    settings = load_settings()
    wanted = _every(settings, crm, store)

    from crm_assets.session_care import reseal

    desk = _desk(settings, command)

    def seal(one: Store) -> None:
        typer.echo(f"{one}: {done if reseal(desk, one) else 'nothing to do'}")

    raise typer.Exit(one_by_one(wanted, seal))


def _what_follows(desk: "Desk", store: Store) -> str:
    """What the next run makes of a session that has ended."""
    from crm_assets.credentials import has_login

    known = desk.book.account(store)
    if known and known.state is AccountState.NEEDS_PERSON:
        return f"a person is needed. Run: {store.bootstrap_command}"
    if not has_login(desk.settings, store):
        return f"there is no login to use. Run: {store.bootstrap_command}"
    return "the next run logs in"


def _facts(crm: str, store: str) -> Iterator["SessionFacts"]:
    """What can be said of each account."""
    from crm_assets.account import profiles_of
    from crm_assets.session_facts import session_facts
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.sessions import account

    settings = load_settings()
    wanted, profiles = _every(settings, crm, store), profiles_of(settings)
    with connect(migrated(settings)) as conn:
        for one in wanted:
            yield session_facts(profiles, one, account(conn, one))


def _every(settings: "Settings", crm: str, store: str) -> list[Store]:
    if not crm and store != "all":
        wrong_usage("--store needs --crm")
    return [one for code in ([crm] if crm else settings.crms) for one in named_stores(settings, code, store)]


def _desk(settings: "Settings", what: str, *, headless: bool | None = None, trace: bool = False) -> "Desk":
    """What a command works with: the accounts' book, under its name; what it waits for is told on standard error."""
    from crm_assets import logs
    from crm_assets.account import Desk
    from crm_assets.pipeline.journal import AccountLedger

    logs.to_stream(sys.stderr)
    book = AccountLedger(
        url=migrated(settings),
        holder=f"crm_download {what}",
        wait_seconds=settings.env.account_wait_s,
        clock=system_clock,
    )
    run_id = f"{what.replace(' ', '-')}-{system_clock():%Y%m%dT%H%M%SZ}"
    return Desk(settings=settings, book=book, clock=system_clock, run_id=run_id, headless=headless, trace=trace)


def _asked_login(store: Store) -> "Credentials":
    """User and password, typed. Raises LoginMissing where nobody can type."""
    from pydantic import SecretStr

    from crm_assets.credentials import Credentials, secret_name

    if not sys.stdin.isatty():
        raise LoginMissing(
            f"{store}: expected a login, found none, and nobody is at the terminal to type one. "
            f"Set {secret_name(store, 'USER')} and {secret_name(store, 'PASSWORD')}"
        )
    user = typer.prompt(f"{store}: user", err=True)
    password = typer.prompt(f"{store}: password", hide_input=True, err=True)
    return Credentials(user=user, password=SecretStr(password))
