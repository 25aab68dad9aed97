"""Every store: what the audit looks at, what its findings do, and what is taken as known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pointsman.domain.park_codes import ParkCode
from pointsman.domain.targets import ReadBackPlace, Recipient, Target, Value
from pointsman.store.base import Audited, AuditFinding, KnownDelivered, Settlement, Store
from pointsman.store.turns import WaitingTurn
from tests.support.change_factory import change, course, topic, wants

ANA, BEN = "ana@example.com", "ben@example.com"
PLACE = ReadBackPlace.course("c1")


async def deliver(store: Store, at: int, *wanted: tuple[str, Target, Value]) -> None:
    """Want these, and deliver all that is dirty, at this time."""
    for learner, target, value in wanted:
        made = replace(change(learner, target, value, at=at), read_back=PLACE)
        await store.ingest([wants(made, at=at)])
    for lease in await store.lease(now=at, ttl=1_000, limit=99):
        settled = [Settlement(row.target, row.version, "delivered") for row in lease.desired]
        assert await store.settle(lease, settled, now=at, ready_at=at)


async def sampled(
    store: Store, *, limit: int = 9, settled_before: int = 10**9, again_before: int = 0
) -> list[tuple[str, Target]]:
    found = await store.delivered_sample(
        limit=limit, settled_before=settled_before, again_before=again_before
    )
    return [(learner, row.target) for learner, rows in found.items() for row in rows]


async def differs(store: Store, version: int = 1, now: int = 100) -> Audited:
    finding = AuditFinding(topic("t"), version, "differs", "drift: wanted 100, shown nothing")
    return (await store.audit(ANA, [finding], now=now))[topic("t")]


async def test_completions_come_first_and_the_newest_of_them(store: Store) -> None:
    await deliver(store, 1, (ANA, topic("t"), 40))
    await deliver(store, 2, (BEN, topic("t"), 100))
    await deliver(store, 3, ("cem@example.com", topic("t"), 100))
    await deliver(store, 4, ("dan@example.com", topic("t"), 7))
    order = []
    for _ in range(4):
        ((learner, target),) = await sampled(store, limit=1)
        order.append(learner)
        await store.audit(learner, [AuditFinding(target, 1, "agrees")], now=50)
    assert order == ["cem@example.com", BEN, "dan@example.com", ANA]
    assert await sampled(store) == []


async def test_what_was_just_delivered_or_can_not_be_read_is_left_alone(store: Store) -> None:
    await deliver(store, 10, (ANA, topic("t"), 100))
    await store.ingest([wants(change(BEN, topic("t"), 100))])
    await deliver(store, 10)
    assert await sampled(store, settled_before=10) == []
    assert await sampled(store, settled_before=11) == [(ANA, topic("t"))]


async def test_what_was_looked_at_comes_again_after_a_while(store: Store) -> None:
    await deliver(store, 1, (ANA, topic("t"), 100))
    await store.audit(ANA, [AuditFinding(topic("t"), 1, "agrees")], now=50)
    assert await sampled(store, again_before=50) == []
    assert await sampled(store, again_before=51) == [(ANA, topic("t"))]


async def test_a_disagreement_is_sent_once_more_and_the_second_one_parks_it(store: Store) -> None:
    await deliver(store, 1, (ANA, topic("t"), 100))
    assert await differs(store) is Audited.RESENT
    books = await store.books()
    assert (books.delivered, books.dirty, books.parked, books.balanced) == (0, 1, 0, True)
    await deliver(store, 200)
    assert await sampled(store) == [(ANA, topic("t"))]
    assert await differs(store) is Audited.DRIFT
    books = await store.books()
    assert (books.delivered, books.dirty, books.parked, books.balanced) == (0, 0, 1, True)
    assert await store.lease(now=300, ttl=1, limit=9) == []
    assert await store.unpark([Recipient.learner(ANA)], codes=[ParkCode.DRIFT]) == 1
    await deliver(store, 400)
    assert await differs(store) is Audited.DRIFT
    assert (await store.books()).balanced


async def test_after_an_agreement_a_disagreement_is_the_first_one_again(store: Store) -> None:
    await deliver(store, 1, (ANA, topic("t"), 100))
    assert await differs(store) is Audited.RESENT
    await deliver(store, 200)
    await store.audit(ANA, [AuditFinding(topic("t"), 1, "agrees")], now=300)
    assert await differs(store) is Audited.RESENT


async def test_a_new_value_starts_with_a_clean_record(store: Store) -> None:
    await deliver(store, 1, (ANA, topic("t"), 40))
    assert await differs(store) is Audited.RESENT
    await deliver(store, 200, (ANA, topic("t"), 100))
    assert await differs(store, version=2) is Audited.RESENT


async def test_what_moved_since_it_was_looked_at_is_left_alone(store: Store) -> None:
    await deliver(store, 1, (ANA, topic("t"), 40))
    await store.ingest([wants(change(ANA, topic("t"), 100))])
    assert await differs(store) is Audited.MOVED
    assert (await store.books()).dirty == 1


async def test_a_disagreement_found_during_a_lease_is_sent_after_it(store: Store) -> None:
    await deliver(store, 1, (ANA, topic("t"), 100))
    await store.ingest([wants(change(ANA, topic("other"), 5, at=300), at=300)])
    (lease,) = await store.lease(now=300, ttl=1_000, limit=9)
    assert await differs(store, now=301) is Audited.RESENT
    assert await store.lease(now=302, ttl=1_000, limit=9) == []
    (row,) = lease.desired
    settled = [Settlement(row.target, row.version, "delivered")]
    assert await store.settle(lease, settled, now=303, ready_at=303)
    (again,) = await store.lease(now=304, ttl=1_000, limit=9)
    assert [row.target for row in again.desired] == [topic("t")]


@pytest.mark.parametrize(
    ("wanted", "known", "value", "delivered"),
    [
        (None, 100, 100, True),
        (40, 100, 100, True),
        (100, 100, 100, True),
        (100, 40, 100, False),
    ],
)
async def test_what_the_platform_knows_counts_as_delivered_unless_more_is_wanted(
    store: Store, wanted: int | None, known: int, value: int, delivered: bool
) -> None:
    if wanted is not None:
        await store.ingest([wants(change(ANA, topic("t"), wanted))])
    taken = await store.mark_delivered(
        [KnownDelivered(Recipient.learner(ANA), topic("t"), known, PLACE)], now=9
    )
    assert taken == int(delivered)
    books = await store.books()
    assert (books.delivered, books.dirty) == ((1, 0) if delivered else (0, 1))
    assert books.balanced
    await store.ingest([wants(change(ANA, topic("t"), value))])
    assert (await store.books()).desired == 1
    leases = await store.lease(now=99, ttl=1, limit=9)
    assert [row.value for lease in leases for row in lease.desired] == (
        [] if delivered else [value]
    )


async def test_history_that_comes_after_an_import_changes_nothing(store: Store) -> None:
    known = [
        KnownDelivered(Recipient.learner(ANA), topic("t"), 100, PLACE),
        KnownDelivered(Recipient.learner(ANA), course("c"), "completed", PLACE),
    ]
    assert await store.mark_delivered(known, now=9) == 2
    assert await store.mark_delivered(known, now=10) == 0
    for value in (10, 60, 100):
        await store.ingest([wants(change(ANA, topic("t"), value, at=1))])
    await store.ingest([wants(change(ANA, course("c"), "started", at=1))])
    assert (await store.books()).dirty == 0


async def test_what_waits_and_can_be_read_is_told_by_learner(store: Store) -> None:
    readable = replace(change(ANA, topic("t"), 100), read_back=PLACE)
    await store.ingest([wants(readable), wants(change(BEN, topic("t"), 5))])
    found = await store.undelivered()
    assert {who: [row.target for row in rows] for who, rows in found.items()} == {ANA: [topic("t")]}


async def test_what_the_platform_says_is_due_is_the_deadline_of_the_next_change(
    store: Store,
) -> None:
    await deliver(store, 1, (ANA, topic("t"), 40))
    finding = AuditFinding(topic("t"), 1, "agrees", deadline=7_000_000)
    await store.audit(ANA, [finding], now=2)
    await store.audit(ANA, [AuditFinding(topic("t"), 1, "agrees")], now=3)
    await store.ingest([wants(change(ANA, topic("t"), 100, at=4), at=4)])
    chosen: list[int] = []

    def choose(waiting: Sequence[WaitingTurn]) -> Sequence[WaitingTurn]:
        chosen.extend(one.turn.deadline for one in waiting)
        return waiting

    (lease,) = await store.lease(now=5, ttl=1_000, limit=9, choose=choose)
    assert [row.deadline for row in lease.desired] == [7_000_000]
    assert set(chosen) == {7_000_000}
