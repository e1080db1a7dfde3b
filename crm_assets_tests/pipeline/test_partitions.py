"""Keys, windows and what "today" is."""

from datetime import UTC, date, datetime

import dagster as dg
import pytest

from crm_assets.model import business_day, system_clock
from crm_assets.pipeline.partitions import days_by_store, key_of, partitions_of, range_tags, refuse_mixed_range
from crm_assets.store_list import Crm, StoreEntry

CRM = Crm(
    title="TumbleDry",
    portal="crm_assets.portals.tumbledry",
    stores={
        "a668": StoreEntry(name="Uttam Nagar", first_day=date(2025, 11, 5)),
        "a817": StoreEntry(name="Kirti Nagar", first_day=date(2025, 11, 1)),
    },
)


def test_the_partitions_are_the_days_since_the_earliest_store_opened() -> None:
    definition = partitions_of(CRM)
    assert definition.partition_dimension_names == ["date", "store"]
    assert definition.get_first_partition_key() in ("2025-11-01|a668", "2025-11-01|a817")


def test_the_last_partition_is_today_where_the_stores_are() -> None:
    found = days_by_store(partitions_of(CRM).get_partition_keys())
    assert {store: days[-1] for store, days in found.items()} == dict.fromkeys(
        ("a668", "a817"), business_day(system_clock)
    )


def test_a_new_partition_appears_at_midnight_in_kolkata() -> None:
    dates = partitions_of(CRM).get_partitions_def_for_dimension("date")
    assert isinstance(dates, dg.DailyPartitionsDefinition)
    window = dates.time_window_for_partition_key("2025-11-02")
    assert window.start.astimezone(UTC) == datetime(2025, 11, 1, 18, 30, tzinfo=UTC)


def test_keys_become_days_of_each_store_in_order() -> None:
    found = days_by_store(["2025-11-02|b", "2025-11-01|b", "2025-11-01|a"])
    assert found == {"a": (date(2025, 11, 1),), "b": (date(2025, 11, 1), date(2025, 11, 2))}
    assert list(found) == ["a", "b"], "two runs take the accounts' locks in the same order"


def test_a_key_is_made_and_read_back() -> None:
    key = key_of("a668", date(2025, 11, 1))
    assert days_by_store([key]) == {"a668": (date(2025, 11, 1),)}


def test_the_tags_of_a_range_name_its_ends_and_its_store() -> None:
    assert range_tags("a668", date(2025, 11, 1), date(2025, 11, 30)) == {
        "dagster/asset_partition_range_start": "2025-11-01|a668",
        "dagster/asset_partition_range_end": "2025-11-30|a668",
        "store": "a668",
    }


@pytest.mark.parametrize("tags", [{}, {"dagster/partition": "2025-11-01|a668"}, range_tags("a", date.min, date.max)])
def test_ranges_and_single_partitions_alone_are_taken(tags: dict[str, str]) -> None:
    refuse_mixed_range(tags)
