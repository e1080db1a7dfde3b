"""``crm_download rejects``: the rows that no fact table took, and what a person does about them."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from crm_assets.cli.options import (
    OK,
    EveryCrm,
    EveryStore,
    JsonOption,
    every_source,
    exit_code_of,
    load_settings,
    migrated,
    wrong_usage,
)
from crm_assets.model import Report, Store, system_clock

if TYPE_CHECKING:
    from crm_assets.warehouse.rejects import KeptReject

rejects_app = typer.Typer(no_args_is_help=True, help="List the rejected rows, show, replay and waive them.")
Ids = Annotated[list[int], typer.Argument(help="Numbers from 'rejects list'.")]
STATUSES = ("open", "replayed", "waived")


@rejects_app.command("list")
def list_rejects(
    crm: EveryCrm = "",
    store: EveryStore = "all",
    every: Annotated[bool, typer.Option("--all", help="Those that are replayed or waived, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The open rejected rows, one line each: where they come from and which rules they break. No customer's data."""
    from crm_assets.terminal import show_rejects
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.rejects import find

    settings = load_settings()
    with connect(migrated(settings)) as conn:
        found = _of(every_source(settings, crm, store), find(conn, statuses=STATUSES if every else ("open",)))
    show_rejects(found, as_json=as_json)


@rejects_app.command("show")
def show_reject(reject_id: Annotated[int, typer.Argument(help="A number from 'rejects list'.")]) -> None:
    """One rejected row in full, as JSON: every cell and every broken rule. It holds a customer's data."""
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.rejects import find

    with connect(migrated(load_settings())) as conn:
        (row,) = _existing(find(conn, statuses=STATUSES, ids=[reject_id]), [reject_id])
    typer.echo(json.dumps(_as_object(row), ensure_ascii=False, indent=2))


@rejects_app.command("replay")
def replay_rejects(crm: EveryCrm = "", store: EveryStore = "all") -> None:
    """Read the days of the open rejected rows anew from staging, after a rule or an alias was mended; nothing is downloaded."""
    settings = load_settings()
    wanted = list(every_source(settings, crm, store))

    from crm_assets.pipeline.reload import loading, replay
    from crm_assets.terminal import show_reloaded
    from crm_assets.warehouse.rejects import find

    with loading(settings, migrated(settings)) as at:
        rows = find(at.conn)
        done = [replay(at, report, one, mine) for report, one in wanted if (mine := _of([(report, one)], rows))]
        still = len(_of(wanted, find(at.conn)))
    show_reloaded(done)
    typer.echo(f"{still} still rejected" if still else "no row is rejected any more")
    raise typer.Exit(max((exit_code_of(type(one.error)) for one in done if one.error), default=OK))


@rejects_app.command("waive")
def waive_rejects(
    ids: Ids, reason: Annotated[str, typer.Option(help="Why the warehouse can do without these rows.")]
) -> None:
    """Do without these rows: they stay in the table, are not open any more, and stay waived when exported again."""
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.rejects import find, waive

    with connect(migrated(load_settings())) as conn:
        _existing(find(conn, statuses=STATUSES, ids=ids), ids)
        closed = waive(conn, ids, reason, system_clock())
    typer.echo(f"waived: {', '.join(map(str, closed)) or 'none, they were not open'}")


def _of(wanted: Iterable[tuple[Report, Store]], rows: "list[KeptReject]") -> "list[KeptReject]":
    names = {(report.crm, report.name, store.code) for report, store in wanted}
    return [row for row in rows if (row.crm, row.report, row.store) in names]


def _existing(found: "list[KeptReject]", ids: list[int]) -> "list[KeptReject]":
    if unknown := sorted(set(ids) - {row.reject_id for row in found}):
        wrong_usage(
            f"no rejected row has the number {', '.join(map(str, unknown))}; see: crm_download rejects list --all"
        )
    return found


def _as_object(row: "KeptReject") -> dict[str, object]:
    return {
        "id": row.reject_id,
        "account": f"{row.crm}/{row.store}",
        "report": row.report,
        "business_day": str(row.business_day) if row.business_day else None,
        "ledger_id": row.ledger_id,
        "row_number": row.row_number,
        "status": row.status,
        "note": row.note,
        "problems": row.problems,
        "row": row.raw,
    }
