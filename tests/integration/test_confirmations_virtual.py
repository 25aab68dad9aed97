"""Confirmations in virtual time: the real store, delivery and feed reader, and the emulator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from pointsman.domain.platform_events import FactSource, PlatformFact
from pointsman.domain.records import Submission
from pointsman.domain.targets import CourseStatus, ReadBackPlace, Target, TargetKind, Value
from pointsman.emulator.faults import read_fault
from pointsman.outgoing.client import HttpReply
from pointsman.store.base import Audited
from pointsman.store.completion_tally import Expectations, tally
from pointsman.store.confirmation import Confirmation
from pointsman.store.confirmation_records import EventOutcome, FeedPlace, Span
from pointsman.store.confirmation_store import FIRST
from tests.support.change_factory import change, topic, wants
from tests.support.confirming import ConfirmingDelivery, courses
from tests.support.thoroughness import thorough
from tests.support.virtual_time import run_virtually

ANA = "l0@example.com"
PLACE = ReadBackPlace.course("c0")
_EXPECTED = Expectations(unconfirmed_after=3_600_000_000, certificate_after=10**12)


def course(number: int) -> Target:
    return Target(TargetKind.COURSE_STATUS, f"id:c{number}")


def completion(sim: ConfirmingDelivery, learner: int, number: int) -> Submission:
    return wanted(sim, f"l{learner}@example.com", course(number), "completed", number)


def wanted(
    sim: ConfirmingDelivery, who: str, target: Target, value: Value, number: int = 0
) -> Submission:
    made = change(who, target, value, at=sim.now)
    return wants(replace(made, read_back=ReadBackPlace.course(f"c{number}")), at=sim.now)


async def confirmed_in_time(sim: ConfirmingDelivery) -> tuple[int, int]:
    """(completions, those of them that were confirmed within 5 minutes of their arrival)."""
    states = await sim.store.completions(after=FIRST, limit=10**6)
    places = tally(states, _EXPECTED, sim.now).values()
    return sum(one.completions for one in places), sum(one.in_time for one in places)


@pytest.mark.parametrize(
    ("webhooks", "feed", "lost"),
    [(True, None, 0.0), (False, {}, 0.0), (True, {}, 0.2)],
    ids=["webhooks", "feed", "a fifth of the webhooks lost, and the feed"],
)
def test_every_completion_is_confirmed_within_five_minutes_for_no_point(
    tmp_path: Path, webhooks: bool, feed: dict[str, Any] | None, lost: float
) -> None:
    size = thorough(Size(2_000, 28, 120), otherwise=Size(40, 5, 8))
    run_virtually(complete(tmp_path, size, webhooks=webhooks, feed=feed, lost=lost))


@dataclass(frozen=True, slots=True)
class Size:
    """The full one, Size(10_000, 28, 600), is run by hand."""

    learners: int
    per_second: int
    seconds: int


async def complete(
    folder: Path, size: Size, *, webhooks: bool, feed: dict[str, Any] | None, lost: float
) -> ConfirmingDelivery:
    """Complete courses at this rate, and see that each completion is confirmed in time."""
    goods = courses(size.learners, 1 + size.per_second * size.seconds // size.learners)
    async with ConfirmingDelivery(folder, goods, webhooks=webhooks, feed=feed) as sim:
        if lost:
            fault = read_fault({"kind": "lose_webhook", "chance": lost}, "a fault")
            sim.emulator.faults.add(fault)
        sent = 0
        for _ in range(size.seconds):
            numbers = range(sent, sent + size.per_second)
            pairs = [divmod(number, size.learners) for number in numbers]
            await sim.ingest(*(completion(sim, learner, number) for number, learner in pairs))
            sent += size.per_second
            await sim.clock.sleep(1)
        await sim.clock.sleep(240)
        assert await confirmed_in_time(sim) == (sent, sent)
        # one a delivery, and no other
        assert sim.emulator.state()["totals"]["points"] == sent
        by = {one.event.source for one in sim.outcomes(EventOutcome.NEWS)}
        if feed is None:
            assert by == {FactSource.WEBHOOK}
        else:
            assert by == ({FactSource.WEBHOOK, FactSource.FEED} if webhooks else {FactSource.FEED})
        assert sim.letters == []
        assert sim.emulator.rest.rejected_429 == 0
    return sim


@pytest.mark.parametrize(
    ("webhooks", "shown_only"),
    [(True, frozenset()), (False, frozenset()), (False, frozenset({"a rule"}))],
)
def test_an_administrators_reset_is_told_within_a_minute_and_never_overwritten(
    tmp_path: Path, webhooks: bool, shown_only: frozenset[str]
) -> None:
    async def main() -> None:
        async with ConfirmingDelivery(
            tmp_path, courses(1, 1), webhooks=webhooks, feed={}, audits=True, shown_only=shown_only
        ) as sim:
            await sim.ingest(wanted(sim, ANA, topic("t0"), 100), completion(sim, 0, 0))
            await sim.clock.sleep(20)
            sim.emulator.administer(lambda admin, now: admin.reset(ANA, "c0", now=now))
            sent = len(sim.emulator.history)
            reset_at = sim.clock.now()
            await sim.clock.sleep(60)
            told = next(
                at for at, one in sim.taken if one.event.fact is PlatformFact.PROGRESS_RESET
            )
            assert told - reset_at < 60
            await sim.clock.sleep(200)
            assert len(sim.emulator.history) == sent
            assert Audited.RESENT not in {record.result for record in sim.audited}
            (state,) = await sim.store.completions(after=FIRST, limit=9)
            places = tally([state], _EXPECTED, sim.now)
            assert places[PLACE].states == {Confirmation.CONTRADICTED: 1}
            # what the learner does after that counts
            if not shown_only:
                await sim.ingest(wanted(sim, ANA, topic("t0"), 30))
                await sim.clock.sleep(5)
                assert sim.topics(ANA) == {"t0": 30}

    run_virtually(main())


@pytest.mark.parametrize("feed", [None, {}])
def test_what_the_platform_forgot_is_sent_once_more_and_then_parked(
    tmp_path: Path, feed: dict[str, Any] | None
) -> None:
    async def main() -> None:
        async with ConfirmingDelivery(tmp_path, courses(1, 1), feed=feed, audits=True) as sim:
            await sim.ingest(wanted(sim, ANA, topic("t0"), 100))
            await sim.clock.sleep(20)
            for _ in range(400):
                sim.emulator.administer(lambda admin, _now: admin.forget(ANA, "c0"))
                await sim.clock.sleep(1)
            results = [record.result for record in sim.audited]
            assert results == [Audited.SUSPECTED, Audited.RESENT, Audited.DRIFT]
            assert sum(one.arguments.get("topicId") == "t0" for one in sim.emulator.history) == 2

    run_virtually(main())


def test_what_no_webhook_and_no_feed_told_is_confirmed_by_the_audit(tmp_path: Path) -> None:
    async def main() -> None:
        async with ConfirmingDelivery(tmp_path, courses(1, 1), webhooks=False, audits=True) as sim:
            await sim.ingest(completion(sim, 0, 0))
            await sim.clock.sleep(120)
            (one,) = sim.outcomes(EventOutcome.NEWS)
            assert (one.event.source, one.event.fact) == (FactSource.AUDIT, PlatformFact.COMPLETED)
            assert await confirmed_in_time(sim) == (1, 1)
            cost = (await sim.store.feeds())["audit"]
            assert (cost.requests, cost.points) == (1, HELIUM_COURSE_POINTS)

    run_virtually(main())


#: of one course that is read back
HELIUM_COURSE_POINTS = 20


def test_a_feed_goes_on_where_it_ended_and_misses_nothing_of_an_outage(tmp_path: Path) -> None:
    async def main() -> None:
        feed = {"page_size": 5, "requests_per_minute": 600}
        async with ConfirmingDelivery(tmp_path, courses(40, 1), webhooks=False, feed=feed) as sim:
            away = [
                HttpReply(429, CIMultiDict({"Retry-After": "40"}), b""),
                HttpReply(503, CIMultiDict(), b"<html>"),
                HttpReply(200, CIMultiDict(), b"no JSON"),
                HttpReply(401, CIMultiDict(), b""),
                HttpReply(200, CIMultiDict(), b"{}"),
            ]
            sim.rest.replies = away
            await sim.ingest(*(completion(sim, learner, 0) for learner in range(40)))
            await sim.clock.sleep(30)
            assert len(sim.rest.asked) == 1  # it waits as it was told
            await sim.clock.sleep(200)
            assert await confirmed_in_time(sim) == (40, 40)
            asked = sim.rest.asked[len(sim.rest.asked) - 1]
            place = (await sim.store.feeds())["academy"]
            assert place.current is None
            assert place.read_until == int(asked["endDate"]) * 1_000 + place.read_until % 1_000
            assert [one.outcome for _, one in sim.taken].count(EventOutcome.NEWS) == 40

    run_virtually(main())


def test_a_span_that_is_asked_for_is_read_beside_what_is_new(tmp_path: Path) -> None:
    async def main() -> None:
        feed = {"first_hours": 0, "page_size": 5}
        async with ConfirmingDelivery(tmp_path, courses(12, 1), webhooks=False, feed=feed) as sim:
            sim.rest.replies = [HttpReply(503, CIMultiDict({"Retry-After": "600"}), b"")]
            began = sim.now
            await sim.ingest(*(completion(sim, learner, 0) for learner in range(12)))
            await sim.clock.sleep(700)
            assert await confirmed_in_time(sim) == (12, 0)
            assert sim.taken == []
            await sim.store.save_feed(
                "academy 1-2", FeedPlace(current=Span(began - 1_000_000, began + 60_000_000))
            )
            await sim.clock.sleep(60)
            assert len(sim.outcomes(EventOutcome.NEWS)) == 12
            assert list(await sim.store.feeds()) == ["academy"]

    run_virtually(main())


def test_its_own_limit_is_kept_whatever_there_is_to_read(tmp_path: Path) -> None:
    async def main() -> None:
        feed = {"page_size": 2, "requests_per_minute": 30}
        async with ConfirmingDelivery(tmp_path, courses(60, 1), webhooks=False, feed=feed) as sim:
            await sim.ingest(*(completion(sim, learner, 0) for learner in range(60)))
            await sim.clock.sleep(120)
            assert 20 < len(sim.rest.asked) <= 61

    run_virtually(main())


def test_a_daemon_that_was_down_learns_all_from_the_repeated_webhooks(tmp_path: Path) -> None:
    async def main() -> None:
        async with ConfirmingDelivery(tmp_path, courses(10, 1)) as sim:
            sim.down = True
            await sim.ingest(*(completion(sim, learner, 0) for learner in range(10)))
            await sim.clock.sleep(30)
            assert sim.taken == []
            sim.down = False
            await sim.clock.sleep(60)
            assert len(sim.outcomes(EventOutcome.NEWS)) == 10

    run_virtually(main())


def test_an_administrators_status_and_revoked_access_are_told(tmp_path: Path) -> None:
    def act(admin: Any, now: datetime) -> None:
        admin.set_status(ANA, "c0", CourseStatus.NOT_COMPLETED.value, now=now)

    async def main() -> None:
        async with ConfirmingDelivery(tmp_path, courses(2, 1), audits=True) as sim:
            await sim.ingest(completion(sim, 0, 0), completion(sim, 1, 0))
            await sim.clock.sleep(20)
            sent = len(sim.emulator.history)
            sim.emulator.administer(act)
            sim.emulator.administer(
                lambda admin, now: admin.revoke("l1@example.com", "c0", now=now)
            )
            await sim.clock.sleep(200)
            assert len(sim.emulator.history) == sent
            facts = {one.event.fact: one.outcome for _, one in sim.taken}
            assert facts[PlatformFact.STATUS_CHANGED] is EventOutcome.TAKEN_OVER
            assert facts[PlatformFact.ACCESS_REVOKED] is EventOutcome.CONTRADICTED

    run_virtually(main())
