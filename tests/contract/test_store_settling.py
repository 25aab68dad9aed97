"""What every store must hold about sending: settled one by one, paced, parked and freed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import InputOutcome, Receipt
from pointsman.domain.targets import Recipient, TargetKind
from pointsman.store.base import Settlement, Store
from tests.support.change_factory import change, course, each, topic, wants
from tests.support.store_steps import MINUTE, Result, lease_one, leased_values, settle, take

T, OTHER = topic("t"), topic("other")
ANA, CLEO = Recipient.learner("ana"), Recipient.learner("cleo")
REFUSED, WAITS = ParkCode.REFUSED_BY_PLATFORM, ParkCode.WAITS_FOR


@pytest.fixture
def store(delivery_store: Store) -> Store:
    """The simulation's too."""
    return delivery_store


async def test_what_is_delivered_is_no_longer_to_be_sent(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "delivered")
    assert await store.next_ready_at() is None
    assert await leased_values(store) == []
    assert (await store.books()).delivered == 1
    await take(store, wants(change("ana", T, 50), at=9))
    (state,) = (await lease_one(store)).desired
    assert (state.delivered_version, state.delivered_value, state.since) == (1, 40, 9)


async def test_what_is_to_be_sent_again_counts_its_failures_until_it_is_delivered(
    store: Store,
) -> None:
    await take(store, wants(change("ana", T, 40)))
    for failures in range(3):
        lease = await settle(store, "retry")
        assert lease.desired[0].failures == failures
    await settle(store, "delivered")
    await take(store, wants(change("ana", T, 50)))
    assert (await lease_one(store)).desired[0].failures == 0


async def test_what_was_not_tried_stays_dirty_and_is_no_failure(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "untried")
    (state,) = (await lease_one(store)).desired
    assert (state.value, state.failures, state.parked) == (40, 0, "")


async def test_what_is_parked_is_not_sent_and_says_why(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "parked", "no such topic")
    assert await store.next_ready_at() is None
    assert await leased_values(store) == []
    books, backlog = await store.books(), await store.backlog()
    assert (books.parked, books.dirty) == (1, 0)
    assert backlog.parked[TargetKind.TOPIC_PROGRESS] == 1
    assert backlog.oldest_dirty is None


async def test_what_is_parked_stays_so_when_its_value_moves(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "parked", "no such topic")
    assert await take(store, wants(change("ana", T, 50))) == Receipt({InputOutcome.APPLIED: 1})
    assert await leased_values(store) == []
    await take(store, wants(change("ana", OTHER, 10)))
    (lease,) = await store.lease(now=MINUTE, ttl=1, limit=9)
    assert {one.target: one.parked for one in lease.desired} == {T: "no such topic", OTHER: ""}


async def test_each_mutation_of_a_lease_is_settled_by_itself(store: Store) -> None:
    targets = [topic(name) for name in ("done", "again", "later", "never", "silent")]
    await take(store, wants(*(change("ana", target, 40) for target in targets)))
    lease = await lease_one(store)
    results: list[Result] = ["delivered", "retry", "untried", "parked"]
    settled = [
        Settlement(target, 1, result, "why", REFUSED if result == "parked" else None)
        for target, result in zip(targets, results, strict=False)
    ]
    assert await store.settle(lease, settled, now=MINUTE, ready_at=MINUTE)
    left = {one.target.key: one for one in (await lease_one(store)).desired}
    assert set(left) == {"again", "later", "never", "silent"}
    assert [left[name].failures for name in ("again", "later", "silent")] == [1, 0, 0]
    assert [one.parked for one in left.values() if one.parked] == ["why"]
    assert (await store.books()).balanced


async def test_turns_that_are_settled_at_the_same_time_are_settled_each_by_itself(
    store: Store,
) -> None:
    for learner in ("ana", "bea", "cleo", "dan"):
        await take(store, wants(change(learner, T, 90), change(learner, OTHER, 40)))
    leases = await store.lease(now=MINUTE, ttl=MINUTE, limit=9)
    ana, bea, cleo, dan = sorted(leases, key=lambda lease: lease.recipient.id)
    await take(store, wants(change("bea", T, 95, at=9)))
    both = [Settlement(T, 1, "delivered"), Settlement(OTHER, 1, "delivered")]
    again = [Settlement(T, 1, "retry", retry_at=9 * MINUTE), Settlement(OTHER, 1, "untried")]
    never = [Settlement(T, 1, "parked", "why", REFUSED), Settlement(OTHER, 1, "delivered")]
    now = MINUTE + 1
    first, second, *rest = await asyncio.gather(
        store.settle(ana, both, now=now, ready_at=now),
        store.settle(ana, both, now=now, ready_at=now),
        store.settle(bea, both, now=now, ready_at=2 * MINUTE),
        store.settle(cleo, again, now=now, ready_at=3 * MINUTE),
        store.settle(replace(dan, token=dan.token + 1), both, now=now, ready_at=now),
        store.settle(dan, never, now=now, ready_at=now),
    )
    assert {first, second} == {False, True}
    assert rest == [True, True, False, True]
    books = await store.books()
    assert (books.delivered, books.dirty, books.parked, books.balanced) == (4, 3, 1, True)
    (parked,) = await store.parked(limit=9)
    assert (parked.recipient.id, parked.target, parked.parked) == ("dan", T, "why")
    left = {
        (lease.recipient.id, minute): {one.target: one.value for one in lease.desired}
        for minute in (2, 3)
        for lease in await store.lease(now=minute * MINUTE, ttl=9 * MINUTE, limit=9)
    }
    assert left == {("bea", 2): {T: 95}, ("cleo", 3): {T: 90, OTHER: 40}}


async def test_a_version_that_was_overtaken_is_delivered_and_the_newer_one_is_not(
    store: Store,
) -> None:
    await take(store, wants(change("ana", T, 40), at=1))
    lease = await lease_one(store, now=2)
    await take(store, wants(change("ana", T, 50), at=3))
    assert await store.settle(lease, [Settlement(T, 1, "delivered")], now=4, ready_at=4)
    (state,) = (await lease_one(store, now=4)).desired
    assert (state.value, state.version, state.delivered_version) == (50, 2, 1)
    assert (state.delivered_value, state.since) == (40, 3)


async def test_waiting_counts_from_the_first_change_that_arrived_during_a_lease(
    store: Store,
) -> None:
    await take(store, wants(change("ana", T, 40), at=1))
    lease = await lease_one(store, now=2)
    await take(store, wants(change("ana", T, 50), at=3))
    await take(store, wants(change("ana", T, 60), at=9))
    assert await store.settle(lease, [Settlement(T, 1, "delivered")], now=10, ready_at=10)
    (state,) = (await lease_one(store, now=10)).desired
    assert state.since == 3


async def test_nothing_to_send_is_ready_at_no_time_and_new_state_at_once(store: Store) -> None:
    assert await store.next_ready_at() is None
    await take(store, wants(change("ana", T, 40)))
    assert await store.next_ready_at() == 0
    await store.lease(now=1, ttl=9, limit=9)
    assert await store.next_ready_at() == 10


async def test_progress_waits_for_its_learners_pace_and_a_completion_does_not(
    store: Store,
) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "delivered", now=MINUTE, ready_at=2 * MINUTE)
    await take(store, wants(change("ana", T, 50)))
    assert await store.next_ready_at() == 2 * MINUTE
    assert await leased_values(store, now=2 * MINUTE - 1) == []
    await take(store, wants(change("ana", T, 100)))
    assert await store.next_ready_at() == 0
    assert await leased_values(store, now=MINUTE) == [100]


async def test_a_completion_that_arrived_during_the_lease_does_not_wait_for_the_pace(
    store: Store,
) -> None:
    await take(store, wants(change("ana", T, 40)))
    lease = await lease_one(store)
    await take(store, wants(change("ana", T, 100)))
    delivered = [Settlement(T, 1, "delivered")]
    assert await store.settle(lease, delivered, now=MINUTE, ready_at=9 * MINUTE)
    assert await leased_values(store) == [100]


async def test_a_backoff_of_the_learner_holds_even_for_completions(store: Store) -> None:
    await take(store, wants(change("ana", T, 100)))
    await settle(store, "retry", ready_at=2 * MINUTE, own=False)
    assert await leased_values(store, now=2 * MINUTE - 1) == []
    await take(store, wants(change("ana", OTHER, 100)))
    assert await store.next_ready_at() == 2 * MINUTE
    assert sorted(await leased_values(store, now=2 * MINUTE)) == [100, 100]


async def test_one_state_that_failed_by_itself_holds_up_nothing_beside_it(store: Store) -> None:
    await take(store, wants(change("ana", T, 100)))
    await settle(store, "retry", ready_at=9 * MINUTE)
    await take(store, wants(change("ana", OTHER, 100)))
    lease = await lease_one(store, now=2 * MINUTE)
    assert {one.target: one.retry_at for one in lease.desired} == {T: 9 * MINUTE, OTHER: 0}
    done = [Settlement(OTHER, 1, "delivered")]
    assert await store.settle(lease, done, now=2 * MINUTE, ready_at=2 * MINUTE)
    assert await store.next_ready_at() == 9 * MINUTE
    assert await leased_values(store, now=9 * MINUTE) == [100]


async def test_each_state_has_its_own_time_to_be_sent_again(store: Store) -> None:
    await take(store, wants(change("ana", T, 100), change("ana", OTHER, 100)))
    lease = await lease_one(store)
    settled = [
        Settlement(T, 1, "retry", retry_at=5 * MINUTE),
        Settlement(OTHER, 1, "retry", retry_at=3 * MINUTE),
    ]
    assert await store.settle(lease, settled, now=MINUTE, ready_at=MINUTE)
    assert await store.next_ready_at() == 3 * MINUTE
    lease = await lease_one(store, now=3 * MINUTE)
    done = [Settlement(OTHER, 1, "delivered")]
    assert await store.settle(lease, done, now=3 * MINUTE, ready_at=3 * MINUTE)
    assert await store.next_ready_at() == 5 * MINUTE


async def test_a_completion_that_was_not_tried_goes_at_once_and_what_failed_does_not(
    store: Store,
) -> None:
    await take(store, wants(change("ana", T, 100), change("ana", OTHER, 100)))
    lease = await lease_one(store)
    settled = [Settlement(T, 1, "retry", retry_at=5 * MINUTE), Settlement(OTHER, 1, "untried")]
    assert await store.settle(lease, settled, now=MINUTE, ready_at=9 * MINUTE)
    assert await store.next_ready_at() == 0
    times = {one.target: one.retry_at for one in (await lease_one(store)).desired}
    assert times == {T: 5 * MINUTE, OTHER: 0}


async def test_what_is_not_a_states_own_failure_is_not_counted(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "retry", ready_at=MINUTE, own=False)
    await settle(store, "retry", ready_at=MINUTE, own=True)
    await settle(store, "retry", ready_at=MINUTE, own=False)
    (state,) = (await lease_one(store)).desired
    assert (state.failures, state.retry_at) == (1, MINUTE)


async def test_what_waits_to_be_sent_again_can_be_told_to_wait_no_longer(store: Store) -> None:
    for learner in ("ana", "bea", "cleo"):
        await take(store, wants(change(learner, T, 100)))
    for lease in await store.lease(now=MINUTE, ttl=MINUTE, limit=9):
        later = Settlement(T, 1, "untried", retry_at=9 * MINUTE)
        if lease.recipient == CLEO:
            later = Settlement(T, 1, "parked", "no such topic", REFUSED)
        assert await store.settle(lease, [later], now=MINUTE, ready_at=MINUTE)
    assert await store.next_ready_at() == 9 * MINUTE
    await store.retry_now([ANA, CLEO, Recipient.learner("nobody")])
    lease = await lease_one(store)
    assert (lease.recipient, lease.desired[0].retry_at, lease.desired[0].failures) == (ANA, 0, 0)
    assert (await store.books()).balanced


async def test_what_is_delivered_or_freed_has_no_time_to_be_sent_again(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "retry", ready_at=MINUTE)
    await settle(store, "delivered")
    await take(store, wants(change("ana", T, 50)))
    lease = await settle(store, "retry", ready_at=2 * MINUTE)
    assert lease.desired[0].retry_at == 0
    await settle(store, "parked", "no such topic", now=2 * MINUTE)
    assert await store.unpark() == 1
    assert (await lease_one(store)).desired[0].retry_at == 0


async def test_one_learner_who_waits_holds_up_nobody_else(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "retry", ready_at=9 * MINUTE)
    await take(store, wants(change("bea", T, 50)))
    assert (await lease_one(store)).recipient.id == "bea"


async def test_a_lease_takes_as_many_as_it_was_asked_for(store: Store) -> None:
    await store.ingest(each([change(f"l{n}", T, 40) for n in range(5)]))
    assert len(await store.lease(now=1, ttl=MINUTE, limit=2)) == 2
    assert len(await store.lease(now=1, ttl=MINUTE, limit=9)) == 3


async def test_what_is_freed_is_sent_again_at_once_without_its_failures(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "retry", ready_at=0)
    await settle(store, "parked", "no such topic", ready_at=9 * MINUTE)
    assert await store.unpark() == 1
    assert await store.next_ready_at() == 0
    (state,) = (await lease_one(store)).desired
    assert (state.parked, state.failures) == ("", 0)
    assert (await store.books()).balanced


async def test_only_these_learners_or_these_reasons_are_freed(store: Store) -> None:
    for learner, reason in (("ana", "token: none"), ("bea", "token: none"), ("cleo", "refused")):
        await take(store, wants(change(learner, T, 40)))
        await settle(store, "parked", reason)
    assert await store.unpark([Recipient.learner("nobody")]) == 0
    assert await store.unpark([]) == 0
    assert await store.unpark([ANA, CLEO], reason_prefix="token: ") == 1
    assert (await lease_one(store)).recipient.id == "ana"
    assert await store.unpark(reason_prefix="token: ") == 1
    assert await store.unpark([CLEO]) == 1
    assert await store.unpark() == 0
    books = await store.books()
    assert (books.parked, books.balanced) == (0, True)


async def test_what_is_parked_is_listed_and_freed_by_its_code(store: Store) -> None:
    for learner, code in (("ana", ParkCode.NO_TOKEN), ("bea", ParkCode.DRIFT), ("cleo", REFUSED)):
        await take(store, wants(change(learner, T, 40)))
        await settle(store, "parked", "why", code=code)
    codes = [ParkCode.NO_TOKEN, ParkCode.DRIFT]
    parked = await store.parked(codes=codes, limit=9)
    assert [(one.recipient.id, one.park_code, one.parked) for one in parked] == [
        ("ana", ParkCode.NO_TOKEN, "why"),
        ("bea", ParkCode.DRIFT, "why"),
    ]
    assert [one.park_code for one in await store.parked([CLEO], limit=9)] == [REFUSED]
    assert await store.unpark([ANA, CLEO], codes=codes) == 1
    (state,) = (await lease_one(store)).desired
    assert (state.recipient, state.parked, state.park_code) == (ANA, "", None)
    assert await store.unpark(codes=codes) == 1
    assert [one.recipient for one in await store.parked(limit=9)] == [CLEO]


async def test_a_meeting_and_a_learner_of_the_same_name_are_told_apart(store: Store) -> None:
    recipients = [Recipient.learner("m"), Recipient.meeting("m"), Recipient.learner("meeting:m")]
    for recipient in recipients:
        await take(store, wants(change(recipient, T, 40)))
    leases = await store.lease(now=MINUTE, ttl=MINUTE, limit=9)
    assert {lease.recipient for lease in leases} == set(recipients)
    for lease in leases:
        assert [one.recipient for one in lease.desired] == [lease.recipient]
        done = [Settlement(T, 1, "delivered")]
        assert await store.settle(lease, done, now=MINUTE, ready_at=MINUTE)
    assert (await store.books()).delivered == len(recipients)


@pytest.mark.parametrize("prefix", ["%", "_oken", "Token", "token: none at all"])
async def test_a_reason_is_compared_letter_by_letter(store: Store, prefix: str) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "parked", "token: none")
    assert await store.unpark(reason_prefix=prefix) == 0


async def test_what_is_freed_under_a_lease_waits_for_its_end(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "parked", "no such topic")
    await take(store, wants(change("ana", OTHER, 10)))
    lease = await lease_one(store, now=MINUTE, ttl=MINUTE)
    assert await store.unpark() == 1
    assert await leased_values(store, now=MINUTE + 1) == []
    assert await store.settle(
        lease, [Settlement(OTHER, 1, "delivered")], now=MINUTE + 1, ready_at=MINUTE + 2
    )
    assert await leased_values(store, now=MINUTE + 2) == [40]


async def test_what_waits_for_another_target_is_freed_when_that_one_is_delivered(
    store: Store,
) -> None:
    await take(store, wants(change("ana", course("c"), "completed"), change("ana", T, 100)))
    lease = await lease_one(store)
    settled = [
        Settlement(T, 1, "retry"),
        Settlement(course("c"), 1, "parked", "waits for topic t", WAITS),
    ]
    assert await store.settle(lease, settled, now=MINUTE, ready_at=MINUTE)
    books = await store.books()
    assert (books.dirty, books.parked) == (1, 1)
    lease = await lease_one(store)
    assert await store.settle(lease, [Settlement(T, 1, "delivered")], now=MINUTE, ready_at=MINUTE)
    assert await leased_values(store) == ["completed"]


async def test_what_waits_for_a_parked_target_is_freed_with_it_and_not_counted(
    store: Store,
) -> None:
    await take(store, wants(change("ana", course("c"), "completed"), change("ana", T, 100)))
    lease = await lease_one(store)
    settled = [
        Settlement(T, 1, "parked", "no such topic", REFUSED),
        Settlement(course("c"), 1, "parked", "waits for topic t", WAITS),
    ]
    assert await store.settle(lease, settled, now=MINUTE, ready_at=MINUTE)
    assert await store.unpark(reason_prefix="no such") == 1
    assert sorted(map(str, await leased_values(store))) == ["100", "completed"]


async def test_the_backlog_says_how_much_waits_of_each_kind_and_since_when(store: Store) -> None:
    empty = await store.backlog()
    assert not any(empty.dirty.values())
    assert empty.oldest_dirty is None
    await take(store, wants(change("ana", T, 40), at=5))
    await take(store, wants(change("bea", T, 40), change("bea", course("c"), "started"), at=9))
    backlog = await store.backlog()
    assert backlog.dirty[TargetKind.TOPIC_PROGRESS] == 2
    assert backlog.dirty[TargetKind.COURSE_STATUS] == 1
    assert set(backlog.dirty) == set(backlog.parked) == set(TargetKind)
    assert backlog.oldest_dirty == 5
