"""What a store keeps while the wall clock is set forward or back: no one waits for ever."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.store.base import Settlement, Store
from tests.support.change_factory import change, topic, wants

SECOND = 1_000_000
DAY = 86_400 * SECOND
#: well after the epoch, so that a day back is a time too
NOW = 1_000 * DAY
TTL, LONGEST = 60 * SECOND, 300 * SECOND
#: what clocks of replicas may differ by
SKEW = 5 * SECOND
JUMPS = [-DAY, -3_600 * SECOND, -TTL, 0, TTL, 3_600 * SECOND, DAY]


async def leased(store: Store, now: int) -> list[str]:
    leases = await store.lease(now=now, ttl=TTL, limit=9, longest_pause=LONGEST)
    return [lease.recipient.id for lease in leases]


async def waited(store: Store, now: int) -> int:
    """Microseconds from `now` until somebody is leased, as a dispatcher looks again."""
    for passed in range(0, LONGEST + 2 * SKEW, 5 * SECOND):
        if await leased(store, now + passed):
            return passed
    raise AssertionError("it waits for longer than anything does")


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_pause_is_never_longer_than_the_longest(store: Store, jump: int) -> None:
    await store.ingest([wants(change("ana", topic("t"), 50), at=NOW)])
    (lease,) = await store.lease(now=NOW, ttl=TTL, limit=9, longest_pause=LONGEST)
    retry = [Settlement(topic("t"), 1, "retry")]
    assert await store.settle(lease, retry, now=NOW, ready_at=NOW + LONGEST)

    assert await waited(store, NOW + jump) <= LONGEST + SKEW


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_lease_that_nobody_settles_ends(store: Store, jump: int) -> None:
    await store.ingest([wants(change("ana", topic("t"), 50), at=NOW)])
    assert await leased(store, NOW) == ["ana"]

    assert await waited(store, NOW + jump) <= LONGEST + SKEW


async def test_a_lease_is_held_for_all_its_time_while_clocks_differ_a_little(store: Store) -> None:
    await store.ingest([wants(change("ana", topic("t"), 50), at=NOW)])
    assert await leased(store, NOW) == ["ana"]

    for differs in (-2 * SECOND, -SECOND, 0, SECOND):
        assert await leased(store, NOW + differs) == []


async def test_what_arrived_before_a_clock_was_set_back_is_not_the_last(store: Store) -> None:
    await store.ingest([wants(change("before", topic("t"), 50), at=NOW)])
    await store.ingest([wants(change("after", topic("t"), 50), at=NOW - DAY)])
    now = NOW - DAY + SECOND

    first = await store.lease(now=now, ttl=TTL, limit=1, longest_pause=LONGEST)
    await store.ingest([wants(change("later", topic("t"), 50), at=now + SECOND)])
    second = await store.lease(now=now + 2 * SECOND, ttl=TTL, limit=1, longest_pause=LONGEST)

    assert [lease.recipient.id for lease in (*first, *second)] == ["after", "before"]


async def test_a_duty_that_was_taken_before_a_clock_was_set_back_is_not_lost(store: Store) -> None:
    """Another replica has it, and is gone; where there is one daemon it has all duties."""
    assert await store.acquire_duty("housekeeping", now=NOW, ttl=10 * SECOND)
    store._name = "another replica"  # type: ignore[attr-defined]

    assert await store.acquire_duty("housekeeping", now=NOW - DAY, ttl=10 * SECOND)


@given(
    jumps=st.lists(st.integers(min_value=-DAY, max_value=DAY), max_size=4),
    fails=st.lists(st.booleans(), max_size=4),
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_the_clock_does_all_is_delivered(
    jumps: list[int], fails: list[bool], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With some leases that nobody settles, and some that fail."""
    from pointsman.store.sqlite import SqliteStore  # noqa: PLC0415

    async def run() -> None:
        path = tmp_path_factory.mktemp("jumps") / "store.db"
        store = SqliteStore(path, threaded=False)
        await store.open()
        now = NOW
        await store.ingest([wants(change(f"l{n}", topic("t"), 50), at=now) for n in range(3)])
        for jump, fail in zip(jumps, fails, strict=False):
            now += jump
            for lease in await store.lease(now=now, ttl=TTL, limit=2, longest_pause=LONGEST):
                if fail:
                    retry = [Settlement(topic("t"), 1, "retry")]
                    await store.settle(lease, retry, now=now, ready_at=now + LONGEST)
        for passed in range(0, LONGEST + 2 * SKEW, 5 * SECOND):
            at = now + passed
            for lease in await store.lease(now=at, ttl=TTL, limit=9, longest_pause=LONGEST):
                done = [Settlement(topic("t"), 1, "delivered")]
                assert await store.settle(lease, done, now=at, ready_at=at)
        assert (await store.books()).delivered == 3
        await store.close()

    asyncio.run(run())
