"""What several statements say together: uniting them, and what the whole is worth."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.evidence import Evidence, Span
from pointsman.domain.records import Change, Falls
from pointsman.domain.targets import CourseStatus, Target, Value
from pointsman.store.commit_plan import Plan
from pointsman.store.evidence import (
    MAX_ITEM_LENGTH,
    MAX_ITEMS,
    MAX_SPANS,
    NOTHING,
    Gathered,
    add,
    from_body,
    gathered,
    links,
    merge_evidence,
    share,
    to_body,
    valued,
)
from tests.support.change_factory import change, course, topic, wants

LENGTH = 100.0

#: few enough values that overlaps, small gaps and equal ends are common
seconds = st.integers(-2, 210).map(lambda half: half * 0.499)
spans = st.lists(st.tuples(seconds, seconds), max_size=6).map(tuple)
items = st.frozensets(st.sampled_from(["a", "b", "c", "d", "e"]))
pieces = st.one_of(
    st.builds(Evidence, key=st.just("k"), whole=st.just(4), items=items),
    st.builds(
        Evidence,
        key=st.just("k"),
        whole=st.sampled_from([LENGTH, LENGTH + 0.02]),
        spans=spans,
        threshold=st.sampled_from([0.9, 1.0]),
    ),
).map(gathered)


def slides(*names: str, whole: int = 4) -> Evidence:
    return Evidence("k", whole, frozenset(names))


def played(*stretches: Span, length: float = LENGTH, threshold: float = 1.0) -> Evidence:
    return Evidence("k", length, spans=stretches, threshold=threshold)


def worth(*evidence: Evidence) -> Value | None:
    """What a topic is worth when all of `evidence` has come; the last one asks."""
    known = functools.reduce(merge_evidence, map(gathered, evidence))
    moved = valued(change("ana", topic("t"), 0, evidence=evidence[-1]), lambda _key: known)
    return None if moved is None else moved.value


@given(pieces, pieces, pieces)
def test_the_order_of_uniting_decides_nothing(one: Gathered, two: Gathered, six: Gathered) -> None:
    assert merge_evidence(one, two) == merge_evidence(two, one)
    assert merge_evidence(merge_evidence(one, two), six) == merge_evidence(
        one, merge_evidence(two, six)
    )


@given(pieces)
def test_the_same_once_more_adds_nothing(one: Gathered) -> None:
    assert merge_evidence(one, one) == one
    assert merge_evidence(NOTHING, one) == one


@given(pieces, pieces, st.sampled_from([slides(), played()]))
def test_a_share_never_falls(one: Gathered, two: Gathered, asked: Evidence) -> None:
    assert 0 <= share(one, asked) <= share(merge_evidence(one, two), asked) <= 1


@given(pieces)
def test_what_is_kept_is_read_back_as_it_was(one: Gathered) -> None:
    assert from_body(to_body(one)) == one


@st.composite
def parts(draw: st.DrawFn, attempt: str) -> tuple[str, Evidence]:
    """Something for one of three topics, and what it is a part of."""
    name, unit = draw(st.sampled_from(["slides", "video", "units"])), draw(st.sampled_from("12"))
    video = Evidence(
        f"{name} played {attempt}",
        draw(st.sampled_from([LENGTH, LENGTH + 0.02])),
        spans=draw(spans),
        threshold=draw(st.sampled_from([0.9, 1.0])),
    )
    if name == "slides":
        return name, Evidence(f"slides {attempt}", 3, draw(st.frozensets(st.sampled_from("123"))))
    if name == "video":
        return name, video
    units = Evidence(f"units {attempt}", 2, frozenset({unit}), partial=False)
    both = Evidence(f"both {unit} {attempt}", 2, frozenset({"passed"}), partial=False, then=units)
    if draw(st.booleans()):
        return name, both
    completed = replace(both, items=frozenset({"completed"}))
    return name, replace(video, key=f"{name} played {unit} {attempt}", then=completed)


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[list[Change], list[Change]]:
    """Changes of one learner's topics in two orders; they say together what each says in part."""
    falls = draw(st.sampled_from([Falls.NEVER, Falls.NEW_ATTEMPT]))
    said: list[Change] = []
    for place in range(draw(st.integers(1, 8))):
        registration = draw(st.sampled_from(["r1", "r2"]))
        attempt = registration if falls is Falls.NEW_ATTEMPT else ""
        name, evidence = draw(parts(attempt))
        said.append(
            change(
                "ana",
                topic(name),
                0,
                at=draw(st.integers(0, 3)),
                statement_id=f"id-{place}",
                registration=registration,
                falls=falls,
                evidence=evidence,
            )
        )
    return said, draw(st.permutations(said))


def final(changes: list[Change]) -> dict[Target, Value]:
    plan = Plan({}, {}, lambda *_letter: False)
    for one in changes:
        plan.take(wants(one))
    return {target: desired.value for (_, target), desired in plan.desired.items()}


@given(shuffled())
def test_desired_state_is_the_same_in_whatever_order_evidence_comes(
    orders: tuple[list[Change], list[Change]],
) -> None:
    one, other = orders
    assert final(one) == final(other)


@pytest.mark.parametrize(
    ("stretches", "united"),
    [
        ([], ()),
        ([(10, 20)], ((10, 20),)),
        ([(10, 20), (15, 30)], ((10, 30),)),
        ([(15, 30), (10, 20)], ((10, 30),)),
        ([(10, 40), (15, 20)], ((10, 40),)),
        ([(10, 20), (20.4, 30)], ((10, 30),)),
        ([(10, 20), (20.5, 30)], ((10, 20), (20.5, 30))),
        # so near to an end that nobody missed anything
        ([(0.4, 20)], ((0, 20),)),
        ([(0.5, 20)], ((0.5, 20),)),
        ([(90, 99.6)], ((90, 100),)),
        ([(90, 99.4)], ((90, 99.4),)),
        # players count on beyond the end, and begin before the beginning
        ([(-1, 101)], ((0, 100),)),
        # nothing was played: a place, one that lies behind the end, one that ends before it begins
        ([(50, 50), (99.8, 99.8), (101, 102), (30, 20)], ()),
        ([(0.1234, 20.1236)], ((0, 20.124),)),
    ],
)
def test_spans_are_joined(stretches: list[Span], united: tuple[Span, ...]) -> None:
    assert gathered(played(*stretches)).spans == united


@pytest.mark.parametrize(
    ("evidence", "value"),
    [
        ([slides()], None),
        ([slides("1")], 25),
        ([slides("1"), slides("1", "2")], 50),
        ([slides("1", whole=3), slides("2", whole=3)], 66),
        ([slides("1", "2"), slides("3", "4")], 100),
        # more than there are
        ([slides("1", "2", "3", "4"), slides("5")], 100),
        # the rule says now that there are fewer
        ([slides("1", "2"), slides("3", whole=3)], 100),
        ([Evidence("k", 4, frozenset("123"), threshold=0.75)], 100),
        ([Evidence("k", 1_000, frozenset("1"))], 0),
        ([Evidence("k", 4, frozenset("123"), partial=False)], None),
        ([Evidence("k", 4, frozenset("1234"), partial=False)], 100),
        ([played()], None),
        ([played((0, 29))], 29),
        ([played((0, 50)), played((25, 75))], 75),
        ([played((0, 50)), played((50, 100))], 100),
        ([played((0, 99.4))], 99),
        ([played((0, 89), threshold=0.9)], 89),
        ([played((0, 90), threshold=0.9)], 100),
        # a part that is complete for one statement is so for the next, which doesn't say it
        ([played((0, 90), threshold=0.9), played((0, 10))], 100),
        # lengths as two browsers measure them
        ([played((0, 50), length=100.02), played((50, 100))], 100),
        ([played((0, 50)), played((50, 100.02), length=100.02)], 100),
        ([played(threshold=0.0)], None),
    ],
)
def test_a_share_is_progress_and_only_what_is_complete_is_100(
    evidence: list[Evidence], value: Value | None
) -> None:
    assert worth(*evidence) == value


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ("", "", None),
        ("1", "", 50),
        ("12", "", 99),
        ("12", "x", 99),
        ("12", "xy", 100),
        # what is gathered next says nothing before the first is complete
        ("1", "xy", 50),
    ],
)
def test_what_is_gathered_next_counts_once_the_first_is_complete(
    first: str, second: str, value: int | None
) -> None:
    known = {
        "first": gathered(Evidence("first", 2, frozenset(first))),
        "second": gathered(Evidence("second", 2, frozenset(second))),
    }
    asked = Evidence("first", 2, then=Evidence("second", 2, partial=False))
    moved = valued(change("ana", topic("t"), 0, evidence=asked), known.__getitem__)
    assert (None if moved is None else moved.value) == value
    completed = change("ana", course("c"), CourseStatus.COMPLETED, evidence=asked)
    assert (valued(completed, known.__getitem__) is not None) == (value == 100)


def test_a_course_moves_once_all_is_there() -> None:
    asked = Evidence("k", 2, frozenset("a"))
    completed = change("ana", course("c"), CourseStatus.COMPLETED, evidence=asked)
    assert valued(completed, lambda _key: gathered(asked)) is None
    known = merge_evidence(gathered(asked), gathered(Evidence("k", 2, frozenset("b"))))
    moved = valued(completed, lambda _key: known)
    assert moved is not None
    assert moved.value == "completed"


def test_a_change_without_evidence_stays_as_it_is() -> None:
    plain = change("ana", topic("t"), 40)
    assert list(links(plain)) == []
    assert valued(plain, lambda _key: NOTHING) == plain


def test_an_attempt_is_as_new_as_the_newest_that_was_gathered_for_it() -> None:
    halves = [slides("1", whole=2), slides("2", whole=2)]
    first, late = (
        change("ana", topic("t"), 0, at=at, falls=Falls.NEW_ATTEMPT, evidence=half)
        for at, half in zip((9, 5), halves, strict=True)
    )
    known = add(add(NOTHING, halves[0], first), halves[1], late)
    moved = valued(late, lambda _key: known)
    assert moved is not None
    assert (moved.value, moved.occurred_at) == (100, 9)


def test_too_many_items_are_bounded_the_same_way_in_every_order() -> None:
    halves = [
        gathered(Evidence("k", 1, frozenset(f"{place:05}" for place in places)))
        for places in (range(0, 2 * MAX_ITEMS, 2), range(1, 2 * MAX_ITEMS, 2))
    ]
    both = {merge_evidence(*order) for order in itertools.permutations(halves)}
    (united,) = both
    assert united.items == frozenset(f"{place:05}" for place in range(MAX_ITEMS))


def test_too_many_spans_are_joined_where_they_are_nearest() -> None:
    many = [(place * 2.0, place * 2 + 1.0) for place in range(1, MAX_SPANS + 1)]
    near = (many[-1][1] + 0.6, many[-1][1] + 1.0)
    united = gathered(played(*many, near, length=10_000)).spans
    assert len(united) == MAX_SPANS
    assert united[-1] == (many[-1][0], near[1])
    assert united[:-1] == tuple(many[:-1])


def test_long_items_are_kept_short_and_apart() -> None:
    long = "https://example.com/" + "x" * MAX_ITEM_LENGTH
    known = gathered(Evidence("k", 2, frozenset({f"{long}1", f"{long}2"})))
    assert len(known.items) == 2
    assert all(len(item) <= MAX_ITEM_LENGTH for item in known.items)


def test_what_nobody_said_is_not_kept() -> None:
    assert to_body(NOTHING) == "{}"
    assert math.isinf(from_body("{}").length)
