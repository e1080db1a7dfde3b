"""The benches that need neither a peer nor a running stack, as small as they can be: each runs to its end, however fast."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crm_assets_tests.bench import page, startup, tick, unchanged
from crm_assets_tests.bench.__main__ import BENCHES
from crm_assets_tests.bench.figures import Figure


@pytest.fixture(autouse=True)
def heard_afterwards() -> Iterator[None]:
    """Some benches silence the log, whose lines later tests of this process read."""
    log = logging.getLogger("crm_assets")
    before = log.level
    yield
    log.setLevel(before)


@pytest.mark.parametrize(
    ("run", "told"),
    [
        # The loader of ``load``, too: it counts the rows and those that are written.
        (lambda: unchanged.figures(rows=20, repeats=1), "20 rows of 35 days again, beside the first time"),
        (lambda: tick.figures((1, 2), days=3, repeats=1), "td_catch_up: queries, 2 stores beside 1"),
        (lambda: startup.figures(repeats=1), "crm_download --help, beside an empty Python"),
    ],
    ids=["unchanged", "tick", "startup"],
)
def test_a_bench_runs_to_its_end(run: Callable[[], Iterator[Figure]], told: str) -> None:
    found = {one.name: one for one in run()}
    assert found[told].ours is not None
    assert all(one.ours is not None and one.ours >= 0 for one in found.values())


def test_the_page_has_a_table_for_each_bench_that_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "performance.md")
    page.keep("tick", [Figure(name="a tick", unit="s", ours=0.5, our_range=(0.4, 0.6), target=1, at_most=True)])
    page.write(BENCHES)
    text = page.PAGE.read_text(encoding="utf-8")
    assert "## `tick`" in text
    assert "| a tick | 0.5 s (0.4 to 0.6) |  |  | ≤ 1 | ok |" in text
    assert "## `idle`" not in text
