"""How changes move desired state: the order in which they arrive decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.domain.desired_state import Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import Change, Falls
from pointsman.domain.targets import (
    Archived,
    Attendance,
    CourseStatus,
    PathAccess,
    ReadBackPlace,
    Recipient,
    Target,
    TargetKind,
    Value,
    rank,
)
from pointsman.store.merge import MAX_ATTEMPTS, merge
from tests.support.change_factory import change, course, topic

WORDS: dict[TargetKind, list[str]] = {
    TargetKind.COURSE_STATUS: [one.value for one in CourseStatus],
    TargetKind.LEARNING_PATH_ACCESS: [one.value for one in PathAccess],
    TargetKind.MEETING_ATTENDANCE: [one.value for one in Attendance],
    TargetKind.COURSE_ARCHIVED: [one.value for one in Archived],
    TargetKind.LEARNING_PATH_ARCHIVED: [one.value for one in Archived],
}
T = topic("t")


def values(kind: TargetKind) -> st.SearchStrategy[Value]:
    return st.integers(0, 100) if kind not in WORDS else st.sampled_from(WORDS[kind])


@st.composite
def arrivals(draw: st.DrawFn, falls: Falls) -> tuple[list[Change], list[Change]]:
    """Changes of one target in two orders; times collide now and then, statement ids never."""
    kind = draw(st.sampled_from(TargetKind))
    said = draw(
        st.lists(
            st.tuples(values(kind), st.integers(0, 4), st.sampled_from([None, "r1", "r2", "r3"])),
            min_size=1,
            max_size=8,
        )
    )
    changes = [
        change(
            "ana",
            Target(kind, "key"),
            value,
            at=at,
            statement_id=f"id-{place}",
            registration=registration,
            falls=falls,
        )
        for place, (value, at, registration) in enumerate(said)
    ]
    return changes, draw(st.permutations(changes))


def merged(changes: Sequence[Change]) -> Desired:
    state: Desired | None = None
    for arrived_at, one in enumerate(changes):
        state = merge(state, one, arrived_at)
    assert state is not None
    return state


@settings(max_examples=150)
@pytest.mark.parametrize("falls", Falls)
@given(st.data())
def test_the_order_of_arrival_does_not_matter(falls: Falls, data: st.DataObject) -> None:
    one, other = data.draw(arrivals(falls))
    assert merged(one).value == merged(other).value


@settings(max_examples=100)
@given(arrivals(Falls.NEVER))
def test_what_never_falls_is_the_furthest_that_was_said(orders: tuple[list[Change], ...]) -> None:
    changes, _ = orders
    assert merged(changes).value == max(
        (one.value for one in changes), key=partial(rank, changes[0].target)
    )


@settings(max_examples=100)
@given(arrivals(Falls.ALWAYS))
def test_what_always_falls_is_what_was_said_last(orders: tuple[list[Change], ...]) -> None:
    changes, _ = orders
    newest = max(changes, key=lambda one: (one.occurred_at, one.statement_id))
    state = merged(changes)
    assert (state.value, state.statement_id) == (newest.value, newest.statement_id)


@settings(max_examples=100)
@given(arrivals(Falls.NEW_ATTEMPT))
def test_what_falls_with_an_attempt_is_the_best_of_the_newest_one(
    orders: tuple[list[Change], ...],
) -> None:
    changes, _ = orders
    newest = max((one.occurred_at, one.registration or "") for one in changes)[1]
    of_it = [one.value for one in changes if (one.registration or "") == newest]
    assert merged(changes).value == max(of_it, key=partial(rank, changes[0].target))


@settings(max_examples=100)
@pytest.mark.parametrize("falls", Falls)
@given(st.data())
def test_versions_grow_by_one_when_the_value_moves_and_not_otherwise(
    falls: Falls, data: st.DataObject
) -> None:
    changes, _ = data.draw(arrivals(falls))
    state = merge(None, changes[0], 0)
    assert state.version == 1
    for one in changes[1:]:
        after = merge(state, one, 1)
        assert after.version == state.version + (after.value != state.value)
        state = after


@settings(max_examples=100)
@pytest.mark.parametrize("falls", Falls)
@given(st.data())
def test_a_change_that_is_known_already_gives_back_the_very_record(
    falls: Falls, data: st.DataObject
) -> None:
    changes, again = data.draw(arrivals(falls))
    state = merged(changes)
    for one in again:
        assert merge(state, one, 99) is state


def test_the_first_change_is_the_whole_of_desired_state() -> None:
    first = replace(
        change("ana", course("yard"), "started", at=5, statement_id="id-1", after=(T,)),
        read_back=ReadBackPlace.course("yard"),
    )
    assert merge(None, first, 7) == Desired(
        recipient=Recipient.learner("ana"),
        target=course("yard"),
        value="started",
        version=1,
        occurred_at=5,
        statement_id="id-1",
        rule="a rule",
        since=7,
        changed_at=7,
        after=(T,),
        read_back=ReadBackPlace.course("yard"),
    )


def test_a_move_takes_over_rule_place_and_what_must_stand_first() -> None:
    state = merge(None, change("ana", course("yard"), "started"), 1)
    completed = replace(
        change("ana", course("yard"), "completed", at=5, statement_id="id-2", after=(T,)),
        rule="another rule",
        read_back=ReadBackPlace.course("c-9"),
    )
    moved = merge(state, completed, 2)
    assert (moved.rule, moved.after, moved.read_back) == (
        "another rule",
        (T,),
        ReadBackPlace.course("c-9"),
    )
    assert (moved.occurred_at, moved.statement_id, moved.changed_at) == (5, "id-2", 2)


def test_a_move_keeps_how_far_the_platform_was_told_and_why_it_is_parked() -> None:
    state = replace(
        merge(None, change("ana", T, 40), 1),
        delivered_version=1,
        delivered_value=40,
        failures=2,
        parked="refused",
        park_code=ParkCode.REFUSED_BY_PLATFORM,
    )
    moved = merge(state, change("ana", T, 50), 2)
    assert (moved.delivered_version, moved.delivered_value) == (1, 40)
    assert (moved.failures, moved.parked) == (2, "refused")
    assert moved.park_code is ParkCode.REFUSED_BY_PLATFORM


def test_waiting_counts_from_the_first_change_that_is_not_delivered() -> None:
    state = merge(None, change("ana", T, 40), 10)
    state = merge(state, change("ana", T, 50), 20)
    assert (state.since, state.changed_at) == (10, 20)
    delivered = replace(state, delivered_version=state.version)
    state = merge(delivered, change("ana", T, 60), 30)
    assert (state.since, state.changed_at) == (30, 30)


def test_the_same_value_said_later_moves_time_and_not_the_version() -> None:
    state = merge(None, change("ana", T, 40, at=1, falls=Falls.ALWAYS), 1)
    later = change("ana", T, 40, at=9, statement_id="id-9", falls=Falls.ALWAYS)
    known = merge(state, later, 2)
    assert (known.version, known.occurred_at, known.statement_id) == (1, 9, "id-9")
    # so that what happened in between comes too late
    assert merge(known, change("ana", T, 20, at=5, falls=Falls.ALWAYS), 3) is known


def test_at_the_same_time_the_higher_statement_id_wins() -> None:
    low = change("ana", T, 80, at=1, statement_id="a", falls=Falls.ALWAYS)
    high = change("ana", T, 20, at=1, statement_id="b", falls=Falls.ALWAYS)
    assert merged([low, high]).value == merged([high, low]).value == 20


def test_an_old_attempt_that_goes_on_does_not_win_over_a_newer_one() -> None:
    def attempt(registration: str, value: int, at: int) -> Change:
        return change("ana", T, value, at=at, registration=registration, falls=Falls.NEW_ATTEMPT)

    state = merged([attempt("one", 90, 1), attempt("two", 10, 5), attempt("one", 95, 3)])
    assert state.value == 10
    assert merge(state, attempt("one", 96, 6), 9).value == 96


def test_only_so_many_attempts_are_remembered_and_the_oldest_go_first() -> None:
    changes = [
        change("ana", T, n, at=n, registration=f"r{n}", falls=Falls.NEW_ATTEMPT)
        for n in range(MAX_ATTEMPTS + 3)
    ]
    state = merged(changes)
    assert [one.registration for one in state.attempts] == [
        f"r{n}" for n in reversed(range(3, MAX_ATTEMPTS + 3))
    ]
    assert merge(state, changes[0], 99) is state
