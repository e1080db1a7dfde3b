"""How many orders or invoices a store has on a day, at which times, and where the running numbers stand.

Drawn from the seed alone, whole days at once, so that a number once given stays as the clock moves on.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from random import Random

from crm_assets.model import IST

EPOCH = date(2025, 1, 1)
"""The day the first number was given; nothing was sold before."""

_OPENS = 9 * 3600
_CLOSES = 21 * 3600
_QUIET_SHARE = 0.015


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One numbered sequence of one store: its orders, or its invoices."""

    seed: str
    store: str
    mean: float
    most: int

    def draw(self, *subject: object) -> Random:
        """Chance bound to a subject: the same on every machine and in every process."""
        return Random("/".join(map(str, (self.seed, self.store, *subject))))  # noqa: S311


@lru_cache(maxsize=20_000)
def count_on(series: Series, day: date) -> int:
    """How many the whole day will have had, whatever the hour is now."""
    if day < EPOCH:
        return 0
    chance = series.draw(day, "count")
    if chance.random() < _QUIET_SHARE:
        return 0
    return min(_poisson(chance, series.mean), series.most)


@lru_cache(maxsize=20_000)
def count_before(series: Series, day: date) -> int:
    """How many there were before a day, summed month by month so that a far day costs little."""
    if day <= EPOCH:
        return 0
    since = (day - timedelta(days=1)).replace(day=1)
    return count_before(series, since) + sum(
        count_on(series, since + timedelta(days=offset)) for offset in range((day - since).days)
    )


def times_on(series: Series, day: date) -> list[datetime]:
    """The times of a day, ascending, never twice the same second."""
    midnight = datetime.combine(day, time(), tzinfo=IST)
    seconds = series.draw(day, "times").sample(range(_OPENS, _CLOSES), count_on(series, day))
    return [midnight + timedelta(seconds=second) for second in sorted(seconds)]


def _poisson(chance: Random, mean: float) -> int:
    floor, product, count = math.exp(-mean), chance.random(), 0
    while product > floor:
        product *= chance.random()
        count += 1
    return count
