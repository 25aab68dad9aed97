"""A story says what the platform's own word makes of a state, and what can be done about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pointsman.domain.park_codes import ParkCode
from pointsman.domain.platform_events import FactSource, PlatformEvent, PlatformFact
from pointsman.domain.targets import ReadBackPlace, Target, Value
from pointsman.store.base import AuditFinding, Settlement, Store
from pointsman.story import Cause, Question, Standing
from tests.support.change_factory import change, course, topic, wants
from tests.support.plain_stories import plain_teller

ANA = "ana@example.com"
PLACE = ReadBackPlace.course("c1")
SECOND = 1_000_000
HOUR = 3_600 * SECOND
T, C = topic("t"), course("c")
SHOWS = {"a rule"}


class AtTime:
    """A clock that is where it is put."""

    def __init__(self) -> None:
        self.micros = 0

    def now(self) -> float:
        return self.micros / SECOND

    def monotonic(self) -> float:
        return self.now()

    async def sleep(self, seconds: float) -> None:
        self.micros += round(seconds * SECOND)


async def want(
    store: Store, target: Target, value: Value, at: int, *, arrives: int | None = None
) -> None:
    wanted = replace(change(ANA, target, value, at=at), read_back=PLACE)
    await store.ingest([wants(wanted, at=at if arrives is None else arrives)])


async def deliver(store: Store, at: int) -> None:
    for lease in await store.lease(now=at, ttl=SECOND, limit=9):
        settled = [Settlement(row.target, row.version, "delivered") for row in lease.desired]
        assert await store.settle(lease, settled, now=at, ready_at=at)


async def completed(store: Store) -> None:
    """A topic and its course, both delivered at second 11."""
    await want(store, T, 100, 10 * SECOND)
    await want(store, C, "completed", 10 * SECOND)
    await deliver(store, 11 * SECOND)


async def happens(
    store: Store, fact: PlatformFact, at: int, *, value: str = "", shows: bool = False
) -> None:
    event = PlatformEvent((ANA,), PLACE, fact, at, FactSource.WEBHOOK, value)
    await store.confirm([event], now=at + SECOND, shown_only=SHOWS if shows else ())


async def end(store: Store, now: int, **asked: str) -> Standing:
    clock = AtTime()
    clock.micros = now
    return (await plain_teller(store, clock).tell(Question(ANA, **asked))).end


async def test_a_completion_that_the_platform_reported_says_by_whom_and_when(store: Store) -> None:
    await completed(store)
    await happens(store, PlatformFact.COMPLETED, 12 * SECOND)
    told = await end(store, 2 * HOUR, course="c1")
    of_course = await end(store, 2 * HOUR, course="c")
    assert told.cause is of_course.cause is Cause.DELIVERED
    assert "confirmed by webhook at 1970-01-01T00:00:13Z" in of_course.sentence


async def test_a_completion_that_nobody_confirmed_says_so_once_it_is_late(store: Store) -> None:
    await completed(store)
    assert (await end(store, HOUR // 2)).cause is Cause.DELIVERED
    late = await end(store, 2 * HOUR)
    assert (late.cause, late.is_delivered) == (Cause.UNCONFIRMED, True)
    assert "the audit reads it" in late.cure[0]


async def test_a_reset_that_is_only_shown_contradicts_what_was_delivered_before_it(
    store: Store,
) -> None:
    await completed(store)
    await happens(store, PlatformFact.PROGRESS_RESET, 60 * SECOND, shows=True)
    for asked in ({"topic": "t"}, {"course": "c"}):
        told = await end(store, HOUR, **asked)
        assert told.cause is Cause.CONTRADICTED
        assert "the progress was reset on the platform on purpose" in told.sentence
        assert "platform_wins" in told.cure[1]


async def test_what_an_operator_sends_after_a_reset_is_contradicted_no_longer(
    store: Store,
) -> None:
    await want(store, T, 100, 10 * SECOND)
    await want(store, C, "completed", 10 * SECOND)
    await happens(store, PlatformFact.PROGRESS_RESET, 60 * SECOND, shows=True)
    parked = await end(store, 70 * SECOND, topic="t")
    assert parked.cause.value == ParkCode.PLATFORM_CHANGED.value
    assert parked.cure == (f"pointsman parked retry --learner {ANA}",)
    await store.unpark()
    await deliver(store, 80 * SECOND)
    for asked in ({"topic": "t"}, {"course": "c"}):
        told = await end(store, 90 * SECOND, **asked)
        assert told.cause is Cause.DELIVERED, told
        assert "on purpose" not in told.sentence
    assert (await end(store, 2 * HOUR, course="c")).cause is Cause.UNCONFIRMED
    await happens(store, PlatformFact.COMPLETED, 81 * SECOND)
    assert "confirmed by webhook" in (await end(store, 2 * HOUR, course="c")).sentence


async def test_a_reset_that_was_taken_over_waits_for_later_work(store: Store) -> None:
    await completed(store)
    await happens(store, PlatformFact.PROGRESS_RESET, 60 * SECOND)
    told = await end(store, HOUR, topic="t")
    assert (told.cause, told.wanted, told.cure) == (Cause.CONTRADICTED, 0, ())
    await want(store, T, 20, 100 * SECOND)
    await deliver(store, 101 * SECOND)
    told = await end(store, HOUR, topic="t")
    assert (told.cause, told.wanted) == (Cause.DELIVERED, 20)


@pytest.mark.parametrize(
    ("fact", "value"), [(PlatformFact.ACCESS_REVOKED, ""), (PlatformFact.STATUS_CHANGED, "on-hold")]
)
async def test_what_no_setting_takes_over_names_none(
    store: Store, fact: PlatformFact, value: str
) -> None:
    await completed(store)
    await happens(store, fact, 60 * SECOND, value=value)
    told = await end(store, HOUR, course="c")
    assert told.cause is Cause.CONTRADICTED
    assert told.cure == ("undo it on the platform if it was a mistake",)


@pytest.mark.parametrize("shows", [False, True])
async def test_a_changed_status_of_the_course_leaves_its_topics_as_they_are(
    store: Store, shows: bool
) -> None:
    await completed(store)
    changed = PlatformFact.STATUS_CHANGED
    await happens(store, changed, 60 * SECOND, value="started", shows=shows)
    assert (await end(store, HOUR, topic="t")).cause is Cause.DELIVERED
    assert (await end(store, HOUR, course="c")).cause is Cause.CONTRADICTED
    # unless it was seen that they are not
    await store.audit(ANA, [AuditFinding(T, 1, "differs", "drift: it shows 0")], now=61 * SECOND)
    assert (await end(store, HOUR, topic="t")).cause is Cause.CONTRADICTED


async def test_what_the_audit_suspects_is_not_told_as_done(store: Store) -> None:
    await completed(store)
    finding = AuditFinding(T, 1, "differs", "drift: it shows 0")
    await store.audit(ANA, [finding], now=60 * SECOND, suspected_before=0)
    told = await end(store, 61 * SECOND, topic="t")
    assert told.cause is Cause.SUSPECTED
    assert "the platform showed something else at 1970-01-01T00:01:00Z" in told.sentence
    await store.audit(ANA, [replace(finding, result="agrees")], now=62 * SECOND, suspected_before=0)
    assert (await end(store, 63 * SECOND, topic="t")).cause is Cause.DELIVERED


async def test_a_duplicate_hides_no_contradiction(store: Store) -> None:
    await completed(store)
    await happens(store, PlatformFact.PROGRESS_RESET, 60 * SECOND, shows=True)
    await want(store, T, 30, 9 * SECOND, arrives=70 * SECOND)
    told = await end(store, HOUR, topic="t")
    assert told.cause is Cause.LOWER
    assert "on the platform on purpose" in told.sentence
    assert "undo it on the platform if it was a mistake" in told.cure
    assert told.next == "it is not sent again; later work of the learner is"


async def test_what_waits_for_a_parked_topic_shows_the_way_to_it(store: Store) -> None:
    await want(store, T, 100, 10 * SECOND)
    done = replace(change(ANA, C, "completed", at=10 * SECOND, after=(T,)), read_back=PLACE)
    await store.ingest([wants(done, at=10 * SECOND)])
    (lease,) = await store.lease(now=11 * SECOND, ttl=SECOND, limit=9)
    codes = {T: ParkCode.REFUSED_BY_PLATFORM, C: ParkCode.WAITS_FOR}
    settled = [
        Settlement(row.target, row.version, "parked", "its reason", codes[row.target])
        for row in lease.desired
    ]
    assert await store.settle(lease, settled, now=12 * SECOND, ready_at=12 * SECOND)
    told = await end(store, HOUR, course="c")
    assert told.cause is Cause.WAITS_FOR
    assert told.cure == (f"pointsman explain --learner {ANA} --topic t",)
