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
    """The runs of single partitions are extrapolated from a few of them, one after the other: an account has one at a time."""
    today = business_day(system_clock)
    window = Window(first=today - timedelta(days=days), last=today - timedelta(days=1))
    partitions = days * len(ALL_STORES)
    with live(bench_server(), "instant") as at:
        single = [Window(first=day, last=day) for day in list(window.days())[:sample]]
        at.run(ALL_STORES[0], single[0])
        exports, began = at.exports(), time.monotonic()
        for number, day in enumerate(single):
            at.run(ALL_STORES[number % len(ALL_STORES)], day)
        each = (time.monotonic() - began) / sample
        exports_each = (at.exports() - exports) / sample
        # Stores run beside each other, the days of one store do not.
        one_by_one = each * partitions / len(ALL_STORES)
        exports, began = at.exports(), time.monotonic()
        _backfill(at, window)
        took, exported = time.monotonic() - began, at.exports() - exports
    yield Figure(
        name=f"{days} days x {len(ALL_STORES)} stores: fewer exports by",
        unit="times",
        ours=exports_each * partitions / exported,
        target=FEWER_EXPORTS,
    )
    yield Figure(name="the same: faster by", unit="times", ours=one_by_one / took, target=FASTER)
    yield Figure(name="the same: from the click to the facts", unit="s", ours=took, reference=one_by_one)
    yield Figure(name="exports of the backfill", unit="exports", ours=exported, reference=exports_each * partitions)


def _backfill(at: Live, window: Window) -> None:
    """Both CRMs' chains, as launched from the pages of their assets; until every run has ended well."""
    ids = []
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
    while ids:
        found = [asked(at.stack.url, BACKFILL, id=one) for one in ids]
        failed = [one for one in found if one["status"] not in ("REQUESTED", "COMPLETED_SUCCESS")]
        assert not failed, failed
        ids = [one for one, told in zip(ids, found, strict=True) if told["status"] == "REQUESTED"]
        Event().wait(LOOK_SECONDS)
