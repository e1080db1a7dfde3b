"""The clock: following, standing, moving on."""

from datetime import UTC, date, datetime, timedelta

from crm_assets.model import IST
from crm_assets.sandbox import SandboxClock


class Machine:
    """A machine's clock that is moved by hand."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, 20, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


def test_it_follows_the_machine_in_kolkata() -> None:
    clock = SandboxClock(Machine())
    assert clock.now().isoformat() == "2026-01-02T01:30:00+05:30"
    assert clock.today() == date(2026, 1, 2)


def test_it_stands_where_it_was_set_and_runs_on_from_there() -> None:
    machine = Machine()
    clock = SandboxClock(machine)
    clock.set(datetime(2026, 3, 1, 9, 0))  # noqa: DTZ001
    machine.moment += timedelta(hours=5)
    assert clock.now() == datetime(2026, 3, 1, 9, 0, tzinfo=IST)
    clock.run()
    machine.moment += timedelta(minutes=1)
    assert clock.now() == datetime(2026, 3, 1, 9, 1, tzinfo=IST)
    assert not clock.stands_still


def test_it_moves_on_standing_and_running() -> None:
    clock = SandboxClock(Machine())
    clock.advance(timedelta(days=1))
    assert clock.today() == date(2026, 1, 3)
    clock.set(datetime(2026, 3, 1, tzinfo=IST))
    clock.advance(timedelta(days=1))
    assert clock.today() == date(2026, 3, 2)
