"""Repeated events: the first has a line, and then ever fewer have."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pointsman.telemetry.repeats import Repeats
from tests.support.manual_clock import ManualClock


def test_a_flood_of_a_day_is_a_few_dozen_lines_that_count_it() -> None:
    clock = ManualClock()
    repeats = Repeats(clock)

    lines = []
    for _ in range(86_400):
        if (times := repeats.times("topic missing")) is not None:
            lines.append(times)
        clock.advance(1)

    assert lines[:3] == [1, 60, 120]
    assert len(lines) < 40
    assert 86_400 - 3_600 <= sum(lines) <= 86_400


def test_events_are_counted_apart() -> None:
    repeats = Repeats(ManualClock())

    assert [repeats.times(key) for key in ("a", "b", "a", "b")] == [1, 1, None, None]


def test_what_is_over_begins_anew() -> None:
    repeats = Repeats(ManualClock())
    repeats.times("a")

    assert repeats.forget("a")
    assert not repeats.forget("a")
    assert repeats.times("a") == 1


def test_what_was_quiet_for_long_begins_anew() -> None:
    clock = ManualClock()
    repeats = Repeats(clock)
    repeats.times("a")
    repeats.times("a")
    clock.advance(7_201)

    assert repeats.times("a") == 1


@given(keys=st.lists(st.integers(0, 3_000), max_size=300))
def test_the_first_of_each_has_a_line(keys: list[int]) -> None:
    repeats = Repeats(ManualClock())

    lines = [key for key in keys if repeats.times(key) == 1]

    assert lines == list(dict.fromkeys(keys))


def test_only_so_many_events_are_remembered() -> None:
    repeats = Repeats(ManualClock())
    for key in range(5_000):
        repeats.times(key)

    assert repeats.times(4_999) is None
    assert repeats.times(0) == 1
