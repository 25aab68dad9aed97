"""Whose turn is next: the urgent, then progress by when it is due, fairly, and nobody starves."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.delivery.fair_share import FairShare
from pointsman.delivery.turn_policy import OVERDUE, OVERDUE_EVERY, TurnPolicy
from pointsman.domain.targets import Recipient
from pointsman.store.turns import DEADLINE_MARGIN, Turn, WaitingTurn, united

SECOND = 1_000_000
NOW = 10_000 * SECOND


def waiting(
    name: str,
    *,
    urgent: bool = True,
    since: float = 0,
    source: str = "s",
    rule: str = "r",
    deadline: float = 0,
) -> WaitingTurn:
    """`since` seconds ago it became due; `deadline` in so many seconds."""
    due = NOW - round(since * SECOND)
    at = NOW + round(deadline * SECOND) if deadline else 0
    return WaitingTurn(Recipient.learner(name), Turn(urgent, due, source, rule, at))


def chosen(policy: TurnPolicy, turns: list[WaitingTurn], limit: int = 99) -> list[str]:
    return [one.recipient.id for one in policy.choose(turns, limit=limit, now=NOW)]


def policy(**weights: float) -> TurnPolicy:
    return TurnPolicy(weights, {})


def test_the_urgent_go_first_each_class_in_its_order() -> None:
    turns = [
        waiting("p-late", urgent=False, since=5),
        waiting("p-early", urgent=False, since=500),
        waiting("u-late", since=1),
        waiting("u-early", since=2),
    ]
    assert chosen(policy(), turns) == ["u-early", "u-late", "p-early", "p-late"]


def test_no_more_are_chosen_than_may_be() -> None:
    turns = [waiting(str(number), since=number) for number in range(9)]
    assert chosen(policy(), turns, 2) == ["8", "7"]


def test_what_is_long_overdue_gets_every_eighth_turn() -> None:
    fair = policy()
    overdue = waiting("old", urgent=False, since=OVERDUE / SECOND + 1)
    urgent = [waiting(f"u{number}", since=number) for number in range(9)]
    rounds = [chosen(fair, [overdue, *urgent], 1)[0] for _ in range(80)]
    assert rounds.count("old") == 80 // OVERDUE_EVERY


def test_progress_that_is_a_little_overdue_waits_for_the_urgent() -> None:
    fair = policy()
    little = waiting("p", urgent=False, since=OVERDUE / SECOND - 1)
    assert {chosen(fair, [little, waiting("u")], 1)[0] for _ in range(40)} == {"u"}


def test_a_source_with_little_to_send_never_waits_behind_one_with_much() -> None:
    fair = policy()
    crowd = [waiting(f"a{number}", since=100 - number, source="a") for number in range(50)]
    for _ in range(20):
        chosen(fair, crowd, 2)
    assert chosen(fair, [*crowd, waiting("b", source="b")], 2)[0] == "b"


@pytest.mark.parametrize(("weight", "part"), [(1, 30), (2, 40), (5, 50)])
def test_sources_that_want_more_than_there_is_get_their_weight(weight: int, part: int) -> None:
    fair = policy(a=weight)
    turns = [waiting(f"{source}{number}", source=source) for source in "ab" for number in range(60)]
    got = Counter(name[0] for name in chosen(fair, turns, 60))
    assert got["a"] == pytest.approx(part, abs=1)


def test_the_rules_of_a_source_share_what_the_source_gets() -> None:
    turns = [
        waiting(f"{source}{rule}{number}", source=source, rule=rule)
        for source, rule in ("ax", "ay", "bx")
        for number in range(60)
    ]
    got = Counter(name[:2] for name in chosen(policy(), turns, 60))
    assert got == {"ax": 15, "ay": 15, "bx": 30}


def test_what_would_come_late_goes_first_and_what_is_late_has_lost_that() -> None:
    turns = [
        waiting("oldest", since=300),
        waiting("in time", since=1, deadline=300 + DEADLINE_MARGIN / SECOND + 1),
        waiting("would be late", since=1, deadline=299),
        waiting("sooner", since=1, deadline=40),
        waiting("is late", since=2, deadline=-1),
    ]
    assert chosen(policy(), turns) == ["sooner", "would be late", "oldest", "is late", "in time"]


def test_progress_with_a_deadline_does_not_go_before_completions() -> None:
    turns = [waiting("p", urgent=False, since=1, deadline=10), waiting("u")]
    assert chosen(policy(), turns) == ["u", "p"]


names = st.sampled_from("abcd")
turns_of_all = st.lists(
    st.builds(
        lambda number, urgent, since, source, rule, deadline: waiting(
            f"l{number}", urgent=urgent, since=since, source=source, rule=rule, deadline=deadline
        ),
        st.integers(0, 10_000),
        st.booleans(),
        st.integers(-100, 2_000),
        names,
        names,
        st.sampled_from([0, -5, 5, 500]),
    ),
    max_size=30,
    unique_by=lambda one: one.recipient,
)


@given(turns=turns_of_all, limit=st.integers(1, 40))
def test_nobody_is_chosen_twice_and_no_turn_is_left_idle(
    turns: list[WaitingTurn], limit: int
) -> None:
    got = chosen(policy(), turns, limit)
    assert len(got) == len(set(got)) == min(limit, len(turns))


@given(st.lists(st.sets(names, min_size=1), max_size=200))
def test_whoever_always_wants_a_turn_gets_its_part_of_them(wanting: list[set[str]]) -> None:
    share = FairShare({})
    got = Counter(share.next(sorted({*others, "a"})) for others in wanting)
    assert got["a"] >= len(wanting) // 4


turns = st.builds(
    Turn, st.booleans(), st.integers(0, 3), st.text(max_size=1), st.just("r"), st.integers(0, 3)
)


@given(several=st.lists(turns, min_size=1, max_size=5))
def test_united_turns_are_the_first_of_them_with_the_earliest_deadline(several: list[Turn]) -> None:
    deadline = min((turn.deadline for turn in several if turn.deadline), default=0)
    assert united(several) == replace(min(several, key=lambda t: t.order), deadline=deadline)
