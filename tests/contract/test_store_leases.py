"""What every store must hold about leases: one at a time, fenced, the most urgent first."""

from __future__ import annotations

import pytest

from pointsman.store.base import Settlement, Store
from tests.support.change_factory import change, topic, wants

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


async def test_completions_come_first_until_others_have_waited_ten_minutes(store: Store) -> None:
    await store.ingest([wants(change("early", topic("t"), 50), at=0)])
    await store.ingest([wants(change("done", topic("t"), 100), at=9 * MINUTE)])
    await store.ingest([wants(change("late", topic("t"), 100), at=11 * MINUTE)])
    leases = await store.lease(now=12 * MINUTE, ttl=1, limit=9)
    assert [lease.recipient.id for lease in leases] == ["done", "early", "late"]


async def test_what_arrives_during_a_lease_stays_to_be_delivered(store: Store) -> None:
    await store.ingest([wants(change("ana", topic("t"), 50))])
    (lease,) = await store.lease(now=1, ttl=5, limit=9)
    await store.ingest([wants(change("ana", topic("t"), 60))])
    assert await store.settle(lease, [Settlement(topic("t"), 1, "delivered")], now=2, ready_at=2)
    (again,) = await store.lease(now=2, ttl=5, limit=9)
    assert [one.value for one in again.desired] == [60]
