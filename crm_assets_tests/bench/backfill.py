"""The bench ``backfill``: 90 days of four stores as one backfill from the asset's page, against one run for each partition."""

import time
from collections.abc import Iterator
from datetime import timedelta
from threading import Event

from crm_assets.model import Window, business_day, system_clock
from crm_assets_tests.bench.figures import Figure
from crm_assets_tests.bench.live import Live, live
from crm_assets_tests.bench.server import bench_server
from crm_assets_tests.fixtures.dagster import chain
from crm_assets_tests.fixtures.sandbox import ALL_STORES, REPORTS
from crm_assets_tests.fixtures.stack import BACKFILL, LAUNCH_BACKFILL, asked

DAYS, SAMPLE = 90, 8
FEWER_EXPORTS, FASTER = 50, 20
LOOK_SECONDS = 0.5


def figures(days: int = DAYS, sample: int = SAMPLE) -> Iterator[Figure]:
    """The runs of single partitions, asked for at once, are extrapolated from a few of them."""
    today = business_day(system_clock)
    window = Window(first=today - timedelta(days=days), last=today - timedelta(days=1))
    partitions = days * len(ALL_STORES)
    with live(bench_server(), "instant") as at:
        single = [Window(first=day, last=day) for day in window.days()]
        at.run(ALL_STORES[0], single[-1])
        exports, began = at.exports(), time.monotonic()
        at.run_all([(ALL_STORES[number % len(ALL_STORES)], single[number]) for number in range(sample)])
        one_by_one = (time.monotonic() - began) / sample * partitions
        exports_one_by_one = (at.exports() - exports) / sample * partitions
        exports = at.exports()
        took = _backfill(at, window)
        exported = at.exports() - exports
    yield Figure(
        name=f"{days} days x {len(ALL_STORES)} stores: fewer exports by",
        unit="times",
        ours=exports_one_by_one / exported,
        target=FEWER_EXPORTS,
    )
    yield Figure(name="the same: faster by", unit="times", ours=one_by_one / took, target=FASTER)
    yield Figure(name="the same: from the click to the facts", unit="s", ours=took, reference=one_by_one)
    yield Figure(name="the same: exports", unit="exports", ours=exported, reference=exports_one_by_one)


def _backfill(at: Live, window: Window) -> float:
    """Both CRMs' chains, as launched from the pages of their assets, until each has ended well; the seconds to the last fact."""
    ids, began = [], time.monotonic()
    for crm in ("td", "uc"):
        stores = [name.split("/")[1] for name in ALL_STORES if name.startswith(crm)]
        launched = asked(
            at.stack.url,
            LAUNCH_BACKFILL,
            params={
                "assetSelection": [{"path": [asset]} for asset in chain(REPORTS[crm])],
                "partitionNames": [f"{day}|{store}" for day in window.days() for store in stores],
            },
        )
        ids.append(launched["backfillId"])
    while not _is_loaded(at, window):
        Event().wait(LOOK_SECONDS)
    took = time.monotonic() - began
    while ids:
        found = [asked(at.stack.url, BACKFILL, id=one) for one in ids]
        failed = [one for one in found if one["status"] not in ("REQUESTED", "COMPLETED_SUCCESS")]
        assert not failed, failed
        ids = [one for one, told in zip(ids, found, strict=True) if told["status"] == "REQUESTED"]
        Event().wait(LOOK_SECONDS)
    return took


def _is_loaded(at: Live, window: Window) -> bool:
    """Whether each store's export of the window is in the facts. The backfill itself is over at Dagster's next look, up to 30 s
    later.
    """
    (found,) = at.pipeline.rows(
        "SELECT count(DISTINCT (crm, store)) AS loaded FROM download_ledger "
        "WHERE from_date = %s AND to_date = %s AND status IN ('ingested', 'empty')",
        window.first,
        window.last,
    )
    return bool(found["loaded"] == len(ALL_STORES))
