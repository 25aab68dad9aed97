"""What goes into a request, in which order, and what is held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pointsman.delivery.batching import plan_batch, plan_reading
from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import ReadBackPlace, Recipient, Target, TargetKind, Value
from pointsman.platforms.base import Mutation
from pointsman.platforms.helium.documents import price
from pointsman.store.base import Settlement
from tests.support.change_factory import course, topic

ANA = Recipient.learner("ana@example.com")


def wanted(
    target: Target,
    value: Value,
    *,
    since: int = 0,
    parked: str = "",
    after: tuple[Target, ...] = (),
    failures: int = 0,
    recipient: Recipient = ANA,
) -> Desired:
    return Desired(
        recipient=recipient,
        target=target,
        value=value,
        version=1,
        occurred_at=7,
        statement_id="s",
        rule="r",
        since=since,
        changed_at=since,
        after=after,
        failures=failures,
        parked=parked,
    )


def archived(key: str) -> Target:
    return Target(TargetKind.COURSE_ARCHIVED, key)


STATES = st.sampled_from(
    [
        wanted(course("c"), "started", since=5),
        wanted(course("d"), "completed", since=1),
        wanted(Target(TargetKind.LEARNING_PATH_ACCESS, "p"), "started", since=9),
        wanted(archived("c"), "archived", since=0),
        wanted(archived("d"), "active", since=4),
        *(wanted(topic(f"t{n}"), n * 10, since=n) for n in range(5)),
    ]
)


@given(st.lists(STATES, unique_by=lambda one: one.target), st.integers(min_value=1, max_value=6))
def test_started_goes_before_topics_then_completed_then_archived(
    rows: list[Desired], points: int
) -> None:
    batch = plan_batch(rows, now=0, max_points=points, price=price)
    order = [
        ["completed", "archived"].index(str(row.value)) + 2
        if row.value in {"completed", "archived"}
        else int(row.target.kind is TargetKind.TOPIC_PROGRESS)
        for row in batch.rows
    ]
    assert order == sorted(order)
    assert batch.points == price(batch.mutations) <= points
    assert batch.rest == len(rows) - len(batch.rows)


def test_what_has_waited_longest_goes_first_among_equals() -> None:
    rows = [wanted(topic("young"), 1, since=9), wanted(topic("old"), 1, since=2)]
    batch = plan_batch(rows, now=0, max_points=1, price=price)
    assert [row.target.key for row in batch.rows] == ["old"]
    assert batch.rest == 1


def test_one_that_is_dearer_than_a_request_may_be_still_goes_alone() -> None:
    row = wanted(archived("c"), "archived", failures=1)
    assert plan_batch([row], now=0, max_points=1, price=price).points == 2


def test_a_completed_course_is_held_back_by_its_parked_topic_only() -> None:
    rows = [
        wanted(topic("t0"), 100, parked="refused: NOT_FOUND"),
        wanted(course("c"), "completed", after=(topic("t0"),)),
        wanted(course("d"), "completed", after=(topic("t1"),)),
    ]
    batch = plan_batch(rows, now=0, max_points=10, price=price)
    assert [row.target for row in batch.rows] == [course("d")]
    (held,) = batch.held
    assert held.target == course("c")
    assert held.reason == "waits for topic t0, which is parked: refused: NOT_FOUND"


def test_a_mutation_carries_its_date_and_whether_it_was_sent_before() -> None:
    rows = [wanted(course("c"), "completed", failures=0), wanted(course("d"), "completed")]
    tried = wanted(topic("t"), 5, failures=2)
    batch = plan_batch([*rows, tried], now=0, max_points=10, price=price)
    assert {mutation.occurred_at for mutation in batch.mutations} == {7}
    assert [mutation.again for mutation in batch.mutations] == [True, False, False]


def test_attendance_knows_its_meeting() -> None:
    row = wanted(
        Target(TargetKind.MEETING_ATTENDANCE, " ana@example.com"),
        "attended",
        recipient=Recipient.meeting("mtg-1"),
    )
    (mutation,) = plan_batch([row], now=0, max_points=10, price=price).mutations
    assert mutation.meeting_id == "mtg-1"


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(1, 30))
def test_a_reading_takes_as_many_places_as_one_request_pays_and_at_least_one(
    points: list[int], max_points: int
) -> None:
    cost = {ReadBackPlace.course(str(place)): price for place, price in enumerate(points)}

    def total(places: Sequence[ReadBackPlace]) -> int:
        return sum(cost[place] for place in places)

    places = list(cost)
    read = plan_reading(places, max_points=max_points, price=total)
    assert read == places[: len(read)]
    assert len(read) == 1 or total(read) <= max_points
    assert read == places or total(places[: len(read) + 1]) > max_points


def test_what_has_its_own_time_is_not_sent_before_it_and_nothing_beside_it_waits() -> None:
    failed = replace(wanted(topic("a"), 10), failures=1, retry_at=10)
    rows = [failed, wanted(topic("b"), 10)]
    batch = plan_batch(rows, now=9, max_points=9, price=price)
    assert [row.target for row in batch.rows] == [topic("b")]
    assert (batch.held, batch.rest) == ((), 0)
    assert len(plan_batch(rows, now=10, max_points=9, price=price).rows) == 2


def test_a_completed_course_waits_for_the_time_of_its_topic_and_is_not_parked() -> None:
    failed = replace(wanted(topic("a"), 10), retry_at=10)
    later = replace(wanted(topic("b"), 10), retry_at=12)
    done = replace(wanted(course("c"), "completed"), after=(topic("a"), topic("b")))
    batch = plan_batch([failed, later, done], now=9, max_points=9, price=price)
    assert batch.rows == ()
    assert batch.held == (Settlement(done.target, done.version, "untried", retry_at=12),)


def test_a_state_that_can_not_be_priced_is_set_aside_with_its_fault() -> None:
    fault = OverflowError("year 0 is out of range")

    def fails(mutations: Sequence[Mutation]) -> int:
        if any(mutation.target == topic("b") for mutation in mutations):
            raise fault
        return len(mutations)

    rows = [wanted(topic(name), 10) for name in "abc"]
    batch = plan_batch(rows, now=0, max_points=9, price=fails)
    assert [row.target for row in batch.rows] == [topic("a"), topic("c")]
    assert batch.broken == ((rows[1], fault),)
    assert batch.rest == 0
