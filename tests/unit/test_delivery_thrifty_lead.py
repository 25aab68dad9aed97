"""How long before it is due progress is sent by who is thrifty."""

from __future__ import annotations

import pytest

from pointsman.delivery.thrifty_lead import ThriftyLead, earliest_progress
from pointsman.domain.clock import micros
from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import Target, Value
from pointsman.store.merge import merge
from tests.support.change_factory import change, course, topic


def waiting(target: Target, value: Value, since: float) -> Desired:
    return merge(None, change("ana", target, value, fresh_within=micros(30)), micros(since), "s")


def test_without_a_queue_it_is_three_seconds_and_what_an_answer_takes() -> None:
    lead = ThriftyLead(most=15)
    assert lead.seconds == 3
    lead.waited(0.25)
    assert lead.seconds == 3.25


def test_it_follows_the_longest_of_the_last_hundred_waits() -> None:
    lead = ThriftyLead(most=15)
    for _ in range(100):
        lead.waited(8)
        assert lead.seconds == 11
    for _ in range(99):
        lead.waited(0.25)
        assert lead.seconds == 11
    lead.waited(0.25)
    assert lead.seconds == 3.25


@pytest.mark.parametrize(("most", "seconds"), [(15, 15), (1, 3)])
def test_an_outage_makes_it_no_longer_than_is_allowed(most: float, seconds: float) -> None:
    lead = ThriftyLead(most)
    lead.waited(600)
    assert lead.seconds == seconds


def test_progress_could_go_a_lead_before_it_is_due_and_not_before_it_came() -> None:
    rows = [waiting(topic("a"), 10, since=100), waiting(topic("b"), 20, since=110)]
    # the first progress of a topic is due after five sixths of 30 s
    assert earliest_progress(rows, micros(3)) == micros(122)
    assert earliest_progress(rows, micros(60)) == micros(100)


def test_what_goes_with_something_urgent_does_not_count() -> None:
    rows = [waiting(topic("a"), 10, since=100), waiting(course("c"), "completed", since=100)]
    assert earliest_progress(rows, micros(3)) is None
    assert earliest_progress([], micros(3)) is None
