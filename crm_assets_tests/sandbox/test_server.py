"""Starting and stopping: addresses, remembered ports, and what is handed to the product."""

from datetime import date
from pathlib import Path

import httpx
import pytest
import yaml

from crm_assets.sandbox import Sandbox, SandboxClock, SandboxOptions
from crm_assets_tests.sandbox.visitors import td_form

ORIGINS = {"subs", "reports", "store", "storepanel", "api", "control"}


def test_every_origin_answers_at_an_address_of_its_own(sandbox: Sandbox) -> None:
    assert set(sandbox.urls) == ORIGINS
    assert len(set(sandbox.urls.values())) == len(ORIGINS)
    for url in sandbox.urls.values():
        assert httpx.get(url).status_code < 500


def test_a_stopped_sandbox_answers_no_more() -> None:
    with Sandbox() as sandbox:
        url = sandbox.urls["control"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_ports_are_taken_again_after_a_restart(tmp_path: Path) -> None:
    options = SandboxOptions(state_dir=tmp_path)
    with Sandbox(options) as before:
        urls = before.urls
    with Sandbox(options) as after:
        assert after.urls == urls


def test_a_remembered_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    options = SandboxOptions(state_dir=tmp_path)
    with Sandbox(options) as first, Sandbox(options) as second:
        assert not set(first.urls.values()) & set(second.urls.values())


def test_a_port_that_was_asked_for_is_taken() -> None:
    with Sandbox() as sandbox:
        port = int(sandbox.urls["api"].rpartition(":")[2])
    with Sandbox(SandboxOptions(ports={"api": port})) as sandbox:
        assert sandbox.urls["api"] == f"http://127.0.0.1:{port}"


def test_a_port_that_was_asked_for_and_is_taken_is_an_error() -> None:
    with Sandbox() as sandbox:
        port = int(sandbox.urls["subs"].rpartition(":")[2])
        with pytest.raises(OSError, match="Address already in use"):
            Sandbox(SandboxOptions(ports={"control": port})).start()


def test_secrets_open_each_store_and_follow_the_seed(sandbox: Sandbox) -> None:
    secrets = sandbox.secrets()
    assert len(secrets) == 8
    form = td_form(sandbox, "a817")
    assert (secrets["CRM_TD_A817_USER"], secrets["CRM_TD_A817_PASSWORD"]) == (form["txtUserId"], form["txtPassword"])
    assert Sandbox(SandboxOptions(seed="other")).secrets() != secrets


def test_stores_yaml_points_at_this_sandbox(sandbox: Sandbox) -> None:
    crms = yaml.safe_load(sandbox.stores_yaml())["crms"]
    assert crms["td"]["site"] == {origin: sandbox.urls[origin] for origin in ("subs", "reports")}
    assert crms["uc"]["site"] == {
        "panel": sandbox.urls["storepanel"],
        "api": sandbox.urls["api"],
        "token_key": "uclean_auth_token",
    }
    assert crms["td"]["stores"]["a668"] == {
        "name": "Uttam Nagar",
        "first_day": date(2025, 10, 17),
        "file_prefix": "1170",
    }
    assert crms["uc"]["stores"]["sushantlok1"]["strategies"] == ["generate_gst_post", "tax_report", "ui"]


def test_the_first_day_can_be_chosen(clock: SandboxClock) -> None:
    with Sandbox(SandboxOptions(first_day=date(2025, 11, 1)), clock) as sandbox:
        crms = yaml.safe_load(sandbox.stores_yaml())["crms"]
    assert {store["first_day"] for crm in crms.values() for store in crm["stores"].values()} == {date(2025, 11, 1)}
