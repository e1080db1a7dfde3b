"""Parts: each within its time, and its failure a finding that shows no secret."""

import time
from threading import Event

import pytest

from crm_assets.doctor.findings import Finding, Level
from crm_assets.doctor.parts import begin, within
from crm_assets.errors import ConfigurationError


def test_what_a_part_found_is_handed_on() -> None:
    assert begin("disk", "folders", 5, lambda: "all of it").ended() == "all of it"


def test_parts_are_at_work_at_once() -> None:
    met = Event()
    first = begin("host", "a", 5, lambda: met.wait(5))
    second = begin("host", "b", 5, lambda: met.set() or True)
    assert (first.ended(), second.ended()) == (True, True)


def test_a_part_that_does_not_end_is_red_after_its_time() -> None:
    began = time.monotonic()
    finding = begin("database", "server", 1, Event().wait).ended()
    assert time.monotonic() - began < 3
    assert isinstance(finding, Finding)
    assert (finding.subject, finding.name, finding.level) == ("database", "server", Level.RED)
    assert finding.found == "no answer within 1 s"
    assert finding.next_step


def test_an_error_of_ours_is_told_in_its_own_words_and_its_last_sentence_is_the_next_step() -> None:
    def fail() -> None:
        raise ConfigurationError("CRM_X: expected a number, found none. Set it to 5")

    finding = begin("settings", "x", 5, fail).ended()
    assert isinstance(finding, Finding)
    assert (finding.found, finding.next_step) == ("CRM_X: expected a number, found none", "Set it to 5")


def test_an_error_of_someone_else_is_told_by_kind_and_place_alone() -> None:
    def fail() -> None:
        raise ValueError("postgresql://crm:Never-Shown-1@db/crm")

    finding = begin("database", "server", 5, fail).ended()
    assert isinstance(finding, Finding)
    assert finding.level is Level.RED
    assert finding.found.startswith("the look itself failed: ValueError in test_parts.py, line ")
    assert "Never-Shown-1" not in finding.found + finding.next_step


def test_a_step_is_waited_for_so_long_and_no_longer() -> None:
    assert within(5, lambda: 3) == 3
    with pytest.raises(TimeoutError):
        within(0.1, Event().wait)
