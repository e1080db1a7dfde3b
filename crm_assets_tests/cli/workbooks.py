"""Workbooks of a sandbox's stores under names that people give them, as old as a test wants."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from crm_assets.model import Window
from crm_assets.sandbox.layouts import GST_REPORT, ORDER_REPORT, Row
from crm_assets.sandbox.workbooks import workbook
from crm_assets_tests.fixtures.command import CommandLine
from crm_assets_tests.fixtures.dagster import books


def exported(command: CommandLine, name: str, rows: Sequence[Row], *, crm: str, at: datetime) -> Path:
    """A file of these rows beside the installation, last written at this time."""
    folder = command.home / "exported"
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_bytes(workbook({"td": ORDER_REPORT, "uc": GST_REPORT}[crm], rows))
    os.utime(file, (at.timestamp(), at.timestamp()))
    return file


def sold(command: CommandLine, store: str, window: Window) -> list[Row]:
    return list(books(command.sandbox, store, window))
