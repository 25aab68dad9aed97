"""What every store must hold about parked state that an operator drops."""

from __future__ import annotations

from pointsman.domain.park_codes import ParkCode
from pointsman.store.base import Settlement, Store
from tests.support.change_factory import change, topic, wants
from tests.support.store_steps import MINUTE, lease_one, leased_values, settle, take

T, OTHER = topic("t"), topic("other")
REFUSED, WAITS = ParkCode.REFUSED_BY_PLATFORM, ParkCode.WAITS_FOR


async def test_what_is_dropped_is_wanted_no_longer_and_counted(store: Store) -> None:
    await take(store, wants(change("ana", T, 40), change("ana", OTHER, 10)))
    (lease,) = await store.lease(now=MINUTE, ttl=MINUTE, limit=9)
    both = [
        Settlement(T, 1, "parked", "no such topic", REFUSED),
        Settlement(OTHER, 1, "parked", "the topic is not delivered", WAITS),
    ]
    assert await store.settle(lease, both, now=MINUTE, ready_at=MINUTE)
    states = await store.parked(limit=9)
    refused = [state for state in states if state.target == T]
    assert await store.drop_parked(refused) == 1
    assert await store.drop_parked(refused) == 0
    books = await store.books()
    assert (books.desired, books.dropped, books.parked, books.dirty) == (2, 1, 0, 1)
    assert books.balanced
    # what waited for it is sent, and nothing else
    assert await leased_values(store) == [10]
    await take(store, wants(change("ana", T, 20)))
    books = await store.books()
    assert (books.desired, books.dropped, books.balanced) == (3, 1, True)


async def test_what_is_dropped_falls_back_to_what_was_delivered(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "delivered")
    await take(store, wants(change("ana", T, 50)))
    await settle(store, "parked", "no such topic")
    assert await store.drop_parked(await store.parked(limit=9)) == 1
    assert await store.next_ready_at() is None
    books = await store.books()
    assert (books.delivered, books.dropped, books.balanced) == (1, 1, True)
    await take(store, wants(change("ana", T, 45)))
    (state,) = (await lease_one(store)).desired
    assert (state.value, state.delivered_value, state.parked) == (45, 40, "")


async def test_what_moved_or_was_freed_meanwhile_is_not_dropped(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "parked", "no such topic")
    before = await store.parked(limit=9)
    await take(store, wants(change("ana", T, 50)))
    assert await store.drop_parked(before) == 0
    after = await store.parked(limit=9)
    await store.unpark()
    assert await store.drop_parked(after) == 0
    assert await store.drop_parked([]) == 0
    assert await leased_values(store) == [50]
    assert (await store.books()).balanced
