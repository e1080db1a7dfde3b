"""``crm_download alerts``: what is wrong at a terminal, and whether a message would arrive."""

import json
import shutil
from pathlib import Path

import pytest

from crm_assets.errors import OtpRequired, PortalUnavailable
from crm_assets.pipeline.alerting import raise_alerts
from crm_assets.settings import load_settings
from crm_assets.warehouse.connection import connect
from crm_assets_tests.fixtures.command import ROOT, clean_environment, finished
from crm_assets_tests.postbox import PASSWORD, free_port, mail_server, mail_url, webhook
from crm_assets_tests.warehouse.samples import TD, UC
from crm_assets_tests.warehouse.troubled import at, failed, good, person_needed

OTP = OtpRequired(f"td/a668: signed out, and an OTP is asked for. Run: {TD.bootstrap_command}")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An installation that has nothing but its list of stores: a test message needs no database."""
    shutil.copy(ROOT / "stores.yaml", tmp_path)
    return clean_environment() | {"CRM_HOME": str(tmp_path)}


@pytest.fixture
def troubled(environ: dict[str, str], warehouse: str) -> dict[str, str]:
    """An installation in which one trouble is over and one lasts; nobody was told of either."""
    environ["CRM_DATABASE_URL"] = warehouse
    settings = load_settings(environ)

    def look(hours: float) -> None:
        raise_alerts(settings, conn, lambda: at(hours))

    with connect(warehouse) as conn:
        failed(conn, PortalUnavailable("uc/sector56: nothing answers"), 0, store=UC)
        look(0)
        good(conn, 1, store=UC)
        person_needed(conn, OTP, 1)
        look(1)
    return environ


def test_what_is_wrong_is_listed_for_people_and_for_programs(troubled: dict[str, str]) -> None:
    table = finished(("alerts",), troubled)
    assert table.code == 0, table
    assert "td/a668 OtpRequired 1 - open" in " ".join(table.said.replace("│", " ").split())
    assert str(OTP) in table.out
    assert "uc/sector56" not in table.out

    every = finished(("alerts", "--all", "--json"), troubled)
    found = {one["account"]: one for one in map(json.loads, every.out.splitlines())}
    assert {name: (one["code"], one["times"], one["told_at"]) for name, one in found.items()} == {
        "uc/sector56": ("PortalUnavailable", 1, None),
        "td/a668": ("OtpRequired", 1, None),
    }
    assert found["td/a668"]["resolved_at"] is None
    assert found["uc/sector56"]["resolved_at"].startswith("2025-11-24T12:30")


def test_a_test_message_arrives_at_every_address(environ: dict[str, str]) -> None:
    with mail_server() as post, webhook() as hook:
        ran = finished(("alerts", "--test"), environ | {"CRM_ALERT_URLS": f"{post.url} {hook.url}"})
    assert (ran.code, ran.out.strip()) == (0, "delivered: 2 of 2 addresses took the test message")
    assert (post.subjects, hook.titles) == (["[crm_assets] test"], ["[crm_assets] test"])
    assert PASSWORD not in ran.said


def test_a_test_message_that_does_not_arrive_is_a_wrong_setting(environ: dict[str, str]) -> None:
    none = finished(("alerts", "--test"), environ)
    assert (none.code, none.out) == (4, "")
    assert "CRM_ALERT_URLS: expected addresses as Apprise has them, found none" in none.said
    with webhook() as hook:
        half = finished(("alerts", "--test"), environ | {"CRM_ALERT_URLS": f"{hook.url} {mail_url(free_port())}"})
    assert (half.code, half.out) == (4, "")
    assert "not delivered: the 2nd address (mailto): it did not take the message" in half.said
    assert PASSWORD not in half.said
