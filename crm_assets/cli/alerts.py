"""``crm_download alerts``: what is wrong, what was told of it, and whether anybody would hear of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from crm_assets.cli.options import JsonOption, load_settings, migrated, wrong_usage
from crm_assets.errors import ConfigurationError

if TYPE_CHECKING:
    from crm_assets.settings import Settings


def alerts(
    every: Annotated[bool, typer.Option("--all/--open", help="Those that are over, too.")] = False,
    as_json: JsonOption = False,
    test: Annotated[
        bool, typer.Option("--test", help="Send a test message to every address of CRM_ALERT_URLS instead.")
    ] = False,
) -> None:
    """What is wrong now: since when, where, how often, and when it was told. Codes and counts, no customer's data."""
    settings = load_settings()
    if test:
        if every or as_json:
            wrong_usage("--test sends a message and lists nothing: it goes with no other option")
        _send_test(settings)
        return

    from crm_assets.terminal import show_alerts
    from crm_assets.warehouse.alerts import find
    from crm_assets.warehouse.connection import connect

    with connect(migrated(settings)) as conn:
        found = find(conn, every=every)
    show_alerts(found, as_json=as_json)


def _send_test(settings: "Settings") -> None:
    """Raises ConfigurationError when an address does not take the message: now somebody is there to look."""
    from crm_assets.credentials import addresses
    from crm_assets.notify import Message, Undelivered, deliver
    from crm_assets.settings import ALERT_URLS

    urls = addresses(settings, ALERT_URLS)
    if not urls:
        raise ConfigurationError(
            f"{ALERT_URLS}: expected addresses as Apprise has them, found none, so nobody hears of a failure. "
            f"Example: {ALERT_URLS}=mailtos://user:password@mail.example.com?to=me@example.com"
        )
    message = Message(
        title="[crm_assets] test", body="This is a test: alerts of crm_download arrive here.", kind="info"
    )
    try:
        failed = deliver(urls, message)
    except Undelivered as error:
        failed = [str(error)]
    if failed:
        raise ConfigurationError(f"{ALERT_URLS}: the test message was not delivered: {'; '.join(failed)}")
    typer.echo(f"delivered: {len(urls)} of {len(urls)} addresses took the test message")
