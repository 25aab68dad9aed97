"""Every store: what the platform says by itself, and what that does to desired state."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pointsman.domain.evidence import Evidence
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.platform_events import FactSource, PlatformEvent, PlatformFact
from pointsman.domain.targets import ReadBackPlace, Target, Value
from pointsman.store.base import Audited, AuditFinding, Settlement, Store
from pointsman.store.confirmation_records import EventOutcome, FeedPage, FeedPlace, Span
from pointsman.store.confirmation_store import FIRST, cursor_of
from pointsman.store.history_records import MoveResult
from tests.support.change_factory import change, course, topic, wants

ANA, BEN = "ana@example.com", "ben@example.com"
PLACE = ReadBackPlace.course("c1")


def event(
    fact: PlatformFact,
    at: int,
    *names: str,
    place: ReadBackPlace = PLACE,
    source: FactSource = FactSource.WEBHOOK,
    value: str = "",
) -> PlatformEvent:
    return PlatformEvent(names or (ANA,), place, fact, at, source, value)


async def want(store: Store, target: Target, value: Value, at: int, who: str = ANA) -> None:
    await store.ingest([wants(replace(change(who, target, value, at=at), read_back=PLACE), at=at)])


async def deliver(store: Store, at: int) -> None:
    for lease in await store.lease(now=at, ttl=1_000, limit=99):
        settled = [Settlement(row.target, row.version, "delivered") for row in lease.desired]
        assert await store.settle(lease, settled, now=at, ready_at=at)


async def completed(store: Store, at: int = 10) -> None:
    await want(store, topic("t"), 100, at)
    await want(store, course("c"), "completed", at)
    await deliver(store, at + 1)


async def take(
    store: Store, now: int, *events: PlatformEvent, **more: object
) -> list[EventOutcome]:
    taken = await store.confirm(events, now=now, **more)  # type: ignore[arg-type]
    return [one.outcome for one in taken]


async def differs(store: Store, target: Target, now: int, version: int = 1) -> Audited:
    finding = AuditFinding(target, version, "differs", "drift: wanted 100, shown nothing")
    audited = await store.audit(ANA, [finding], now=now)
    return audited[target]


async def values(store: Store, who: str = ANA) -> dict[Target, Value]:
    history = await store.learner_history(who, limit=9)
    return {state.desired.target: state.desired.value for state in history.states}


async def test_a_completion_is_told_once_and_by_whom_first(store: Store) -> None:
    await completed(store)
    (taken,) = await store.confirm([event(PlatformFact.COMPLETED, 20, BEN, ANA)], now=25)
    assert (taken.outcome, taken.learner) == (EventOutcome.NEWS, ANA)
    assert taken.seconds == pytest.approx(15e-6)
    again = event(PlatformFact.COMPLETED, 20, source=FactSource.FEED)
    later = replace(again, at=30)
    assert await take(store, 40, again, later) == [EventOutcome.REPEATED, EventOutcome.REPEATED]
    ((place, facts),) = [(one.place, one.facts) for one in await store.facts_of(ANA)]
    assert place == PLACE
    assert [(fact.fact, fact.at, fact.source, fact.seen_at) for fact in facts] == [
        (PlatformFact.COMPLETED, 30, FactSource.WEBHOOK, 25)
    ]


async def test_of_strangers_nothing_is_kept(store: Store) -> None:
    await completed(store)
    elsewhere = event(PlatformFact.COMPLETED, 5, place=ReadBackPlace.course("other"))
    before = (await store.stats()).rows
    strangers = [event(PlatformFact.COMPLETED, 5, f"stranger-{n}@x.example") for n in range(9)]
    outcomes = await take(store, 9, elsewhere, *strangers)
    assert outcomes == [EventOutcome.UNKNOWN] * 10
    assert (await store.stats()).rows == before


async def test_after_a_reset_later_work_counts_from_there(store: Store) -> None:
    await completed(store)
    assert await take(store, 50, event(PlatformFact.PROGRESS_RESET, 40)) == [
        EventOutcome.TAKEN_OVER
    ]
    assert await values(store) == {topic("t"): 0, course("c"): "not-completed"}
    assert (await store.books()).delivered == 2
    # what was done before it, offline perhaps
    await want(store, topic("t"), 80, 39)
    await want(store, course("c"), "completed", 40)
    assert (await store.books()).dirty == 0
    await want(store, topic("t"), 20, 41)
    await want(store, course("c"), "started", 41)
    assert await values(store) == {topic("t"): 20, course("c"): "started"}
    await want(store, topic("t"), 10, 42)
    assert (await values(store))[topic("t")] == 20
    results = [move.result for move in (await store.learner_history(ANA, limit=99)).moves]
    assert results.count(MoveResult.BEFORE_RESET) == 2
    assert (await store.books()).balanced


async def test_a_reset_voids_what_waits_to_be_sent_and_what_was_gathered(store: Store) -> None:
    def slide(name: str, at: int) -> object:
        key = f"slides topic_progress {topic('t').key}"
        evidence = Evidence(key, 4, frozenset({name}))
        return replace(change(ANA, topic("t"), 100, at=at, evidence=evidence), read_back=PLACE)

    for number in range(3):
        await store.ingest([wants(slide(f"s{number}", number + 1))])  # type: ignore[arg-type]
    assert (await values(store))[topic("t")] == 75
    await take(store, 50, event(PlatformFact.PROGRESS_RESET, 40))
    assert (await store.books()).dirty == 0
    await store.ingest([wants(slide("s3", 41))])  # type: ignore[arg-type]
    assert (await values(store))[topic("t")] == 25


async def test_work_after_the_reset_stays_whenever_the_reset_is_told(store: Store) -> None:
    await want(store, topic("t"), 30, 60)
    await deliver(store, 61)
    assert await take(store, 70, event(PlatformFact.PROGRESS_RESET, 40)) == [
        EventOutcome.CONTRADICTED
    ]
    assert (await values(store))[topic("t")] == 30


async def test_a_changed_status_is_taken_over_where_it_is_known(store: Store) -> None:
    await completed(store)
    now = 20_000_000
    unknown = event(PlatformFact.STATUS_CHANGED, now, value="on-hold")
    assert await take(store, now, unknown) == [EventOutcome.CONTRADICTED]
    known = event(PlatformFact.STATUS_CHANGED, now + 1, value="started")
    assert await take(store, now + 2, known) == [EventOutcome.TAKEN_OVER]
    assert await values(store) == {topic("t"): 100, course("c"): "started"}


async def test_the_echo_of_what_was_delivered_changes_nothing(store: Store) -> None:
    await want(store, course("c"), "started", 10)
    (lease,) = await store.lease(now=11, ttl=1_000, limit=9)
    echo = event(PlatformFact.STATUS_CHANGED, 12, value="started")
    assert await take(store, 13, echo) == [EventOutcome.REPEATED]
    (row,) = lease.desired
    settled = [Settlement(row.target, row.version, "delivered")]
    assert await store.settle(lease, settled, now=14, ready_at=14)
    await want(store, course("c"), "completed", 15)
    await deliver(store, 20)
    soon = event(PlatformFact.STATUS_CHANGED, 4_000_000, value="started")
    further = event(PlatformFact.STATUS_CHANGED, 9_000_000, value="completed")
    assert await take(store, 9_000_001, soon, further) == [EventOutcome.REPEATED] * 2
    assert await values(store) == {course("c"): "completed"}


async def test_a_reset_topic_is_that_topic_alone(store: Store) -> None:
    await completed(store)
    await want(store, topic("u"), 100, 10)
    await deliver(store, 11)
    for reset in ("t", "u"):
        await take(store, 50, replace(event(PlatformFact.TOPIC_RESET, 40), topic=reset))
    assert await values(store) == {topic("t"): 0, topic("u"): 0, course("c"): "completed"}
    assert await differs(store, course("c"), 60) is Audited.RESENT


async def test_a_reset_that_is_told_after_it_was_written_over_wins_in_the_end(store: Store) -> None:
    """Done at 10 s, reset there at 20 s, delivered at 60 s, and told at 90 s."""
    second = 1_000_000
    await want(store, topic("t"), 100, 10 * second)
    await deliver(store, 60 * second)
    reset = event(PlatformFact.PROGRESS_RESET, 20 * second)
    assert await take(store, 90 * second, reset) == [EventOutcome.TAKEN_OVER]
    assert await values(store) == {topic("t"): 0}
    # the platform shows the 100 that went over the reset: so the 0 is sent
    assert await differs(store, topic("t"), 200 * second, version=2) is Audited.RESENT
    (lease,) = await store.lease(now=201 * second, ttl=1_000, limit=9)
    assert [row.value for row in lease.desired] == [0]
    assert (await store.books()).balanced


async def test_what_an_operator_sends_after_a_reset_is_looked_after_again(store: Store) -> None:
    second = 1_000_000
    await want(store, topic("t"), 100, 10 * second)
    await take(
        store, 30 * second, event(PlatformFact.PROGRESS_RESET, 20 * second), shown_only={"a rule"}
    )
    assert await store.unpark() == 1
    await deliver(store, 60 * second)
    assert await differs(store, topic("t"), 200 * second) is Audited.RESENT


async def test_a_rule_that_only_shows_sends_nothing_over_a_reset(store: Store) -> None:
    await completed(store)
    await want(store, topic("u"), 60, 30)
    shown = await take(store, 50, event(PlatformFact.PROGRESS_RESET, 40), shown_only={"a rule"})
    assert shown == [EventOutcome.CONTRADICTED]
    assert (await values(store))[topic("t")] == 100
    (parked,) = await store.parked(codes=[ParkCode.PLATFORM_CHANGED], limit=9)
    assert parked.target == topic("u")
    assert "the progress was reset" in parked.parked
    assert await differs(store, topic("t"), 60) is Audited.CONTRADICTED
    books = await store.books()
    assert (books.dirty, books.parked, books.delivered, books.balanced) == (0, 1, 2, True)
    (agreement,) = await store.agreement()
    assert agreement.contradicted == 1


async def test_revoked_access_is_shown_and_not_fought(store: Store) -> None:
    await completed(store)
    assert await take(store, 50, event(PlatformFact.ACCESS_REVOKED, 40)) == [
        EventOutcome.CONTRADICTED
    ]
    assert await differs(store, topic("t"), 60) is Audited.CONTRADICTED
    # completed on the platform after that: a disagreement is drift again
    await take(store, 70, event(PlatformFact.COMPLETED, 65))
    assert await differs(store, topic("t"), 80) is Audited.RESENT


async def test_what_differs_is_suspected_first_where_the_platform_may_say_why(
    store: Store,
) -> None:
    await completed(store)
    finding = AuditFinding(topic("t"), 1, "differs", "drift: wanted 100")

    async def audit(now: int, suspected_before: int) -> Audited:
        found = await store.audit(ANA, [finding], now=now, suspected_before=suspected_before)
        return found[topic("t")]

    async def sampled(suspected_before: int) -> set[str]:
        found = await store.delivered_sample(
            limit=9, settled_before=0, again_before=0, suspected_before=suspected_before
        )
        return set(found)

    assert await audit(100, 0) is Audited.SUSPECTED
    assert await audit(150, 100) is Audited.SUSPECTED
    assert (await store.books()).dirty == 0
    assert await sampled(100) == set()
    found = await store.delivered_sample(
        limit=9, settled_before=99, again_before=0, suspected_before=101
    )
    assert topic("t") in {row.target for row in found[ANA]}
    assert await audit(200, 101) is Audited.RESENT


async def test_the_place_in_a_feed_is_stored_with_what_its_page_brought(store: Store) -> None:
    await completed(store)
    place = FeedPlace(read_until=5, current=Span(5, 20, "next"), requests=3, events=7)
    brought = event(PlatformFact.CERTIFICATE, 20, source=FactSource.FEED)
    assert await take(store, 30, brought, page=FeedPage("academy", place)) == [EventOutcome.NEWS]
    assert await store.feeds() == {"academy": place}
    await store.save_feed("academy", FeedPlace(read_until=20))
    await store.save_feed("other", place)
    await store.drop_feed("other")
    assert await store.feeds() == {"academy": FeedPlace(read_until=20)}


async def test_completions_come_page_by_page_with_all_that_is_known(store: Store) -> None:
    for who in (ANA, BEN):
        await want(store, course("c"), "completed", 10, who)
    await deliver(store, 15)
    await want(store, course("c"), "started", 10, "cem@example.com")
    await take(store, 30, event(PlatformFact.COMPLETED, 20))
    found = []
    after = FIRST
    while page := await store.completions(after=after, limit=1):
        found += page
        after = cursor_of(page[-1])
    assert [state.learner for state in found] == [ANA, BEN]
    assert [len(state.facts) for state in found] == [1, 0]
    assert (found[0].place, found[0].finished_at, found[0].delivered_at) == (PLACE, 10, 15)


async def test_names_and_words_with_nul_are_no_trouble(store: Store) -> None:
    await completed(store)
    minute = 60_000_000
    odd = event(PlatformFact.STATUS_CHANGED, minute, "a\0na@example.com", value="st\0arted")
    assert await take(store, minute, odd) == [EventOutcome.UNKNOWN]
    known = event(PlatformFact.STATUS_CHANGED, minute, "a\0", ANA, value="st\0arted")
    assert await take(store, minute, known) == [EventOutcome.CONTRADICTED]
    topic_of_nobody = PlatformEvent(
        (ANA,), PLACE, PlatformFact.TOPIC_RESET, minute, FactSource.WEBHOOK, topic="t\0"
    )
    assert await take(store, minute, topic_of_nobody) == [EventOutcome.CONTRADICTED]


async def test_of_two_who_take_the_same_event_at_once_one_has_news(store: Store) -> None:
    await completed(store)
    same = event(PlatformFact.COMPLETED, 20)
    outcomes = await asyncio.gather(*(take(store, 30, same) for _ in range(4)))
    assert sorted(outcome for (outcome,) in outcomes) == ["news", *["repeated"] * 3]


@pytest.mark.parametrize("is_delivered", [False, True], ids=["before the answer", "after it"])
async def test_a_status_that_we_set_ourselves_is_no_change_of_somebody_else(
    store: Store, is_delivered: bool
) -> None:
    await want(store, course("c"), "started", 10)
    if is_delivered:
        await deliver(store, 11)
    ours = event(PlatformFact.STATUS_CHANGED, 12, value="started")
    assert await take(store, 13, ours) == [EventOutcome.REPEATED]
    # it happened before the platform told of it, and arrives later
    await want(store, course("c"), "completed", 11)
    assert await values(store) == {course("c"): "completed"}
    assert await take(store, 14, replace(ours, at=13)) == [EventOutcome.REPEATED]


async def test_a_change_that_a_newer_completion_has_undone_already_is_nothing(
    store: Store,
) -> None:
    await completed(store)
    minute = 60_000_000
    again = event(PlatformFact.COMPLETED, 2 * minute)
    assert await take(store, 3 * minute, again) == [EventOutcome.NEWS]
    late = event(PlatformFact.STATUS_CHANGED, minute, value="not-completed")
    assert await take(store, 3 * minute, late) == [EventOutcome.REPEATED]
    assert (await values(store))[course("c")] == "completed"
