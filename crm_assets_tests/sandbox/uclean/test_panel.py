"""The fronts over plain HTTP: the pages of the old one, and where they are when it has moved."""

from urllib.parse import urlsplit

import httpx
import pytest

from crm_assets.sandbox import Sandbox

PAGES = ["/", "/login", "/dashboard", "/gst-report?from=today"]


@pytest.mark.parametrize("page", PAGES)
def test_a_front_that_moved_sends_every_page_to_the_same_page_of_the_new_one(sandbox: Sandbox, page: str) -> None:
    sandbox.fault("moved", crm="uc")
    sent = httpx.get(sandbox.urls["store"] + page)
    assert (sent.status_code, sent.headers["location"]) == (301, sandbox.urls["storepanel"] + page)
    assert sent.headers["cache-control"] == "no-store"


def test_the_new_front_does_not_move_and_the_old_one_comes_back(sandbox: Sandbox) -> None:
    sandbox.fault("moved")
    assert httpx.get(sandbox.urls["storepanel"] + "/login").status_code == 200
    sandbox.clear_faults()
    assert httpx.get(sandbox.urls["store"] + "/login").status_code == 200


def test_a_front_may_move_to_a_host_that_nobody_configured(sandbox: Sandbox) -> None:
    sandbox.fault("moved", host="localhost")
    there = urlsplit(httpx.get(sandbox.urls["store"] + "/dashboard").headers["location"])
    assert (there.hostname, there.port) == ("localhost", urlsplit(sandbox.urls["storepanel"]).port)
