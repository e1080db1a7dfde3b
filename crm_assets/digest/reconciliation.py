"""Whether the fact tables themselves bear out what the page says: each figure of a store, as it is shown, against a second count.

The second count is ``warehouse/sales.py``'s, straight from the tables, without the views that the page was read from.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from crm_assets.digest.figures import Digest, Mismatch, Sums, ThreeSums
from crm_assets.model import Store
from crm_assets.warehouse.sales import TableSums

WINDOWS = ("day", "month", "last month")
HALF_A_PAISA = Decimal("0.005")

type Figures = Mapping[str, Sums]
"""Counts and rupees by name: ``td/a668: sales of the month``."""


def differences(digest: Digest, tables: Figures) -> Iterator[Mismatch]:
    """Every figure on the page that is not the tables', and every one of theirs that the page does not have."""
    page = dict(_of_page(digest))
    for what in sorted(page.keys() | tables.keys()):
        told, held = page.get(what, Sums()), tables.get(what, Sums())
        if told.count != held.count or abs(told.amount - held.amount) > HALF_A_PAISA:
            yield Mismatch(what=what, page=told, tables=held)


def figures_of(
    of_windows: Sequence[Iterable[TableSums]], standing: Iterable[TableSums], stores: Sequence[Store]
) -> Figures:
    """The second count by name, of these stores; ``of_windows`` in the order of the periods."""
    named = [(f" of the {window}", one) for window, found in zip(WINDOWS, of_windows, strict=True) for one in found]
    named += [("", one) for one in standing]
    known = _names(stores)
    return {
        f"{one.crm}/{one.store}: {one.what}{window}": Sums(count=one.rows, amount=one.amount)
        for window, one in named
        if f"{one.crm}/{one.store}" in known
    }


def rows_of(of_windows: Sequence[Iterable[TableSums]], stores: Sequence[Store]) -> int:
    """How many rows sales and collections were counted from: the day's are among the month's, returns among collections."""
    _, *months = of_windows
    known = _names(stores)
    return sum(
        one.rows for found in months for one in found if one.what != "returns" and f"{one.crm}/{one.store}" in known
    )


def _names(stores: Sequence[Store]) -> set[str]:
    return {str(store) for store in stores}


def _of_page(digest: Digest) -> Iterator[tuple[str, Sums]]:
    for sold in digest.sales:
        yield from _of_windows(f"{sold.store}: sales", sold.sums)
    for received in digest.collections:
        yield from _of_windows(f"{received.store}: collections", received.money)
        yield from _of_windows(f"{received.store}: packages", received.packages)
        yield from _of_windows(f"{received.store}: returns", received.returns)
    for waiting in digest.pipelines:
        yield f"{waiting.store}: not delivered", Sums(count=sum(map(sum, waiting.by_status.values())))
    for owed in digest.owed:
        yield f"{owed.store}: unpaid", owed.whole
    yield from _gst(digest).items()


def _of_windows(what: str, sums: ThreeSums) -> Iterator[tuple[str, Sums]]:
    for window, one in zip(WINDOWS, sums.of_windows(), strict=True):
        yield f"{what} of the {window}", one


def _gst(digest: Digest) -> Figures:
    """All months of a store together."""
    sums: dict[str, Sums] = {}
    for store, one in digest.gst:
        what = f"{store}: GST"
        sums[what] = sums.get(what, Sums()) + Sums(count=one.invoices, amount=one.value)
    return sums
