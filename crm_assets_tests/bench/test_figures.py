"""Figures: what is ok, and what a program reads of them."""

import io
import json

import pytest
from rich.console import Console

from crm_assets_tests.bench.figures import Figure, show


@pytest.mark.parametrize(
    ("ours", "target", "at_most", "ok"),
    [
        (0.9, 0.8, False, True),
        (0.7, 0.8, False, False),
        (0, 0, True, True),
        (1, 0, True, False),
        (5, None, False, None),
    ],
)
def test_a_figure_is_ok_on_the_right_side_of_what_is_wanted(
    ours: float, target: float | None, at_most: bool, ok: bool | None
) -> None:
    assert Figure(name="a", unit="runs", ours=ours, target=target, at_most=at_most).ok is ok


def test_a_line_is_json_with_the_ratio_to_the_reference() -> None:
    written = io.StringIO()
    show(
        Console(file=written, width=20),
        [Figure(name="runs that ended well", unit="share", ours=0.8, reference=0.64, target=0.5)],
        as_json=True,
    )
    assert json.loads(written.getvalue()) == {
        "name": "runs that ended well",
        "unit": "share",
        "ours": 0.8,
        "reference": 0.64,
        "ratio": 1.25,
        "target": 0.5,
        "ok": True,
    }
