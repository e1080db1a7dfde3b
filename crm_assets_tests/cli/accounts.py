"""What the database of an installation knows of its accounts."""

import psycopg

from crm_assets.model import Account
from crm_assets.settings import load_settings
from crm_assets.warehouse import sessions
from crm_assets_tests.fixtures.command import CommandLine


def account_of(command: CommandLine, name: str) -> Account | None:
    """What is known of an account such as ``td/a668``."""
    crm, code = name.split("/")
    with psycopg.connect(command.url) as conn:
        return sessions.account(conn, load_settings(command.environ).store(crm, code))
