"""What every store must hold about leases: one at a time, fenced, the most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any

import pytest

from pointsman.domain.records import FRESH_WITHIN
from pointsman.store.base import Settlement, Store
from pointsman.store.turns import WaitingTurn
from tests.support.change_factory import change, course, item, submission, topic, wants

MINUTE = 60_000_000


@pytest.fixture
def store(delivery_store: Store) -> Store:
    """The simulation's too."""
    return delivery_store


async def test_a_learner_is_leased_to_one_until_the_lease_runs_out(store: Store) -> None:
    await store.ingest([wants(change("ana", topic("t"), 50))])
    (first,) = await store.lease(now=10, ttl=5, limit=9)
    assert await store.lease(now=14, ttl=5, limit=9) == []
    (second,) = await store.lease(now=15, ttl=5, limit=9)
    assert second.token != first.token
    delivered = [Settlement(topic("t"), 1, "delivered")]
    assert not await store.settle(first, delivered, now=16, ready_at=0)
    assert (await store.books()).delivered == 0
    assert await store.settle(second, delivered, now=16, ready_at=0)
    assert (await store.books()).delivered == 1


async def test_completions_and_statuses_come_before_progress_and_then_what_is_due(
    store: Store,
) -> None:
    await store.ingest([wants(change("early", topic("t"), 50), at=0)])
    await store.ingest([wants(change("done", topic("t"), 100), at=9 * MINUTE)])
    await store.ingest([wants(change("begun", course("c"), "started"), at=10 * MINUTE)])
    await store.ingest([wants(change("fresher", topic("t"), 50, fresh_within=9 * MINUTE), at=1)])
    await store.ingest([wants(change("later", topic("t"), 50, fresh_within=9 * MINUTE), at=2)])
    leases = await store.lease(now=12 * MINUTE, ttl=1, limit=9)
    names = [lease.recipient.id for lease in leases]
    assert names == ["done", "begun", "early", "fresher", "later"]


async def seen(store: Store, *, limit: int = 9, now: int = MINUTE, due_within: int = MINUTE) -> Any:
    """What `choose` is shown: (recipient, urgent, due, source, rule, deadline), sorted."""
    turns: list[WaitingTurn] = []

    def choose(waiting: Sequence[WaitingTurn]) -> Sequence[WaitingTurn]:
        turns.extend(waiting)
        return ()

    await store.lease(now=now, ttl=1, limit=limit, choose=choose, due_within=due_within)
    return sorted((one.recipient.id, *astuple(one.turn)) for one in turns)


async def test_whoever_chooses_sees_the_first_of_each_queue(store: Store) -> None:
    for number, (source, rule, value) in enumerate(
        [("a", "r", 100), ("a", "r", 100), ("b", "r", 100), ("b", "other", 100), ("b", "r", 50)]
    ):
        moved = replace(change(f"l{number}", topic("t"), value), rule=rule)
        await store.ingest([submission(item(moved), source=source, at=number)])
    assert await seen(store, limit=1) == [
        ("l0", True, 0, "a", "r", 0),
        ("l2", True, 2, "b", "r", 0),
        ("l3", True, 3, "b", "other", 0),
        ("l4", False, 4 + FRESH_WITHIN * 5 // 6, "b", "r", 0),
    ]


async def test_whoever_chooses_sees_the_first_deadlines_wherever_they_stand(store: Store) -> None:
    for number in range(3):
        await store.ingest([wants(change(f"l{number}", topic("t"), 100), at=number)])
    await store.ingest([wants(change("due", topic("t"), 100, deadline=9 * MINUTE), at=7)])
    await store.ingest([wants(change("past", topic("t"), 100, deadline=9), at=8)])
    assert [row[0] for row in await seen(store, limit=1)] == ["due", "l0"]
    assert ("due", True, 7, "test", "a rule", 9 * MINUTE) in await seen(store, limit=1)


async def test_progress_is_due_before_its_deadline_and_never_before_it_arrived(
    store: Store,
) -> None:
    near, far = 3 * MINUTE, 90 * MINUTE
    await store.ingest([wants(change("near", topic("t"), 50, deadline=near), at=2 * MINUTE)])
    await store.ingest([wants(change("far", topic("t"), 50, deadline=far), at=2 * MINUTE)])
    rows = {row[0]: row[2] for row in await seen(store, now=2 * MINUTE)}
    assert rows == {"near": 2 * MINUTE, "far": 2 * MINUTE + FRESH_WITHIN * 5 // 6}


async def test_progress_can_be_left_until_it_is_nearly_due_and_a_completion_can_not(
    store: Store,
) -> None:
    await store.ingest([wants(change("ana", topic("t"), 50, fresh_within=6 * MINUTE), at=0)])
    assert await store.next_ready_at(due_within=1) == 5 * MINUTE - 1
    assert await seen(store, now=5 * MINUTE - 2, due_within=1) == []
    assert [row[0] for row in await seen(store, now=5 * MINUTE - 1, due_within=1)] == ["ana"]
    await store.ingest([wants(change("bea", topic("t"), 100), at=0)])
    assert await store.next_ready_at(due_within=1) == 0
    assert [row[0] for row in await seen(store, now=1, due_within=1)] == ["bea"]


async def test_settling_says_anew_why_the_learner_waits(store: Store) -> None:
    await store.ingest(
        [
            wants(
                change("ana", topic("t"), 100, deadline=5 * MINUTE),
                change("ana", topic("u"), 30, fresh_within=MINUTE),
                at=3,
            )
        ]
    )
    (lease,) = await store.lease(now=4, ttl=MINUTE, limit=9)
    done = [Settlement(topic("t"), 1, "delivered")]
    assert await store.settle(lease, done, now=5, ready_at=5)
    assert await seen(store, now=5) == [
        ("ana", False, 3 + MINUTE * 5 // 6, "test", "a rule", 0),
    ]
    (lease,) = await store.lease(now=5, ttl=MINUTE, limit=9)
    assert await store.settle(lease, [Settlement(topic("u"), 1, "delivered")], now=6, ready_at=6)
    assert await store.next_ready_at() is None
    await store.ingest([wants(change("ana", topic("u"), 60, fresh_within=MINUTE), at=7)])
    assert await seen(store, now=8) == [("ana", False, 7 + MINUTE, "test", "a rule", 0)]


async def test_what_arrives_during_a_lease_stays_to_be_delivered(store: Store) -> None:
    await store.ingest([wants(change("ana", topic("t"), 50))])
    (lease,) = await store.lease(now=1, ttl=5, limit=9)
    await store.ingest([wants(change("ana", topic("t"), 60))])
    assert await store.settle(lease, [Settlement(topic("t"), 1, "delivered")], now=2, ready_at=2)
    (again,) = await store.lease(now=2, ttl=5, limit=9)
    assert [one.value for one in again.desired] == [60]
