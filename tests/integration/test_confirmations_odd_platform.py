"""A platform whose webhooks and feed are odd, in virtual time: in any order, repeated, refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.records import Change, Falls
from pointsman.domain.targets import ReadBackPlace, Target, TargetKind
from pointsman.emulator.administrator import Administrator
from pointsman.emulator.rest import RestOptions
from pointsman.store.confirmation_records import EventOutcome
from tests.support.change_factory import change, each
from tests.support.confirming import ConfirmingDelivery, courses
from tests.support.thoroughness import thorough
from tests.support.virtual_time import run_virtually

Script = Callable[[ConfirmingDelivery], Awaitable[None]]
COURSE = Target(TargetKind.COURSE_STATUS, "id:c0")


def completion(sim: ConfirmingDelivery, learner: int) -> Change:
    """The learner has completed the course, just now."""
    wanted = change(f"l{learner}@example.com", COURSE, "completed", at=sim.now)
    return replace(wanted, read_back=ReadBackPlace.course("c0"))


async def complete(sim: ConfirmingDelivery, *learners: int) -> None:
    await sim.ingest(*each([completion(sim, learner) for learner in learners], at=sim.now))


def play(
    folder: Path, script: Script, *faults: dict[str, Any], learners: int = 12, **options: Any
) -> ConfirmingDelivery:
    """Run the script beside delivery, webhooks and feed."""

    async def main() -> ConfirmingDelivery:
        async with ConfirmingDelivery(
            folder, courses(learners, 1), faults=faults, **options
        ) as sim:
            await script(sim)
            return sim

    return run_virtually(main())


def news(sim: ConfirmingDelivery) -> int:
    return len(sim.outcomes(EventOutcome.NEWS))


ACTIONS: list[Callable[[Administrator, Any], object]] = [
    lambda admin, now: admin.set_status("u0", "c0", "not-completed", now=now),
    lambda admin, now: admin.revoke("u0", "c0", now=now),
    lambda admin, now: admin.reset("u0", "c0", now=now),
]


@pytest.mark.parametrize("act", ACTIONS, ids=["status", "revoke", "reset"])
@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "reversed"])
def test_in_whatever_order_events_come_the_newest_counts(
    tmp_path: Path, act: Callable[[Administrator, Any], object], reverse: bool
) -> None:
    """A completion's event that comes after that of the change which undid it says nothing new."""

    async def script(sim: ConfirmingDelivery) -> None:
        await complete(sim, 0)
        await sim.settle()
        await sim.clock.sleep(5)
        sim.emulator.administer(act)
        await sim.clock.sleep(120)
        assert sim.emulator.state()["totals"]["mutations"] == {"UpdateCourseStatus": 1}
        [place] = await sim.store.facts_of("l0@example.com")
        by_time = sorted(place.facts, key=lambda fact: fact.at)
        assert [fact.fact for fact in by_time][-1] != "completed"

    delay = {"kind": "delay_webhook", "seconds": 30, "operation": "course.completed"}
    play(tmp_path, script, *([delay] if reverse else []))


def test_what_we_change_ourselves_is_no_change_on_the_platform(tmp_path: Path) -> None:
    """A new attempt sets a completed course back, and the platform tells of that too."""

    async def script(sim: ConfirmingDelivery) -> None:
        async def move(value: str, at: int) -> None:
            moved = replace(completion(sim, 0), value=value, occurred_at=at, falls=Falls.ALWAYS)
            await sim.ingest(*each([moved], at=sim.now))
            await sim.settle()
            await sim.clock.sleep(60)

        await move("completed", sim.now)
        began = sim.now
        await move("not-completed", began)
        # it happened offline, before the platform was told of the new attempt
        await move("completed", began + 1)
        shown = sim.emulator.state()["learners"]["l0@example.com"]["courses"]["slug-0"]
        assert shown["status"] == "completed"
        outcomes = [taken.outcome for _, taken in sim.taken]
        assert set(outcomes) <= {EventOutcome.NEWS, EventOutcome.REPEATED}
        assert (await sim.store.books()).dirty == 0

    play(tmp_path, script)


def test_cursors_that_expire_and_pages_that_grow_lose_nothing(tmp_path: Path) -> None:
    async def script(sim: ConfirmingDelivery) -> None:
        for first in range(0, 60, 20):
            await complete(sim, *range(first, first + 20))
            await sim.clock.sleep(10)
        await sim.clock.sleep(600)
        assert news(sim) == 60
        assert sim.rest.statuses[400] > 0

    play(
        tmp_path,
        script,
        learners=60,
        webhooks=False,
        feed={"requests_per_minute": 30},
        # at this pace no cursor lasts until it is used, so a span has to fit on one page
        rest=RestOptions(per_page=25, cursor_ttl=1.9),
    )


@pytest.mark.parametrize("status", thorough([401, 403, 429, 500], otherwise=[401, 500]))
def test_a_feed_that_refuses_us_stops_no_delivery_and_is_read_on_later(
    tmp_path: Path, status: int
) -> None:
    async def script(sim: ConfirmingDelivery) -> None:
        await complete(sim, *range(6))
        await sim.settle()
        assert not sim.dispatcher.platform_trouble
        assert (await sim.store.books()).delivered == 6
        await sim.clock.sleep(600)
        assert sim.taken == []
        sim.emulator.faults.clear()
        await sim.clock.sleep(600)
        assert news(sim) == 6
        assert sim.emulator.state()["totals"]["mutations"] == {"UpdateCourseStatus": 6}

    play(
        tmp_path,
        script,
        {"kind": "fail_rest", "status": status},
        webhooks=False,
        feed={},
    )


def test_repeated_forged_and_late_webhooks_change_nothing(tmp_path: Path) -> None:
    async def script(sim: ConfirmingDelivery) -> None:
        await complete(sim, *range(12))
        await sim.settle()
        await sim.clock.sleep(300)
        assert news(sim) == 12
        assert sim.statuses[401] > 0
        assert (await sim.store.books()).delivered == 12

    sim = play(
        tmp_path,
        script,
        {"kind": "repeat_webhook", "repeats": 3},
        {"kind": "missign_webhook", "every": 3},
        {"kind": "delay_webhook", "every": 2, "seconds": 60},
    )
    outcomes = [taken.outcome for _, taken in sim.taken]
    assert outcomes.count(EventOutcome.REPEATED) == 36


def test_a_feed_of_an_empty_platform_is_read_and_brings_nothing(tmp_path: Path) -> None:
    async def script(sim: ConfirmingDelivery) -> None:
        await sim.clock.sleep(300)
        assert sim.taken == []
        places = await sim.store.feeds()
        assert abs(places["academy"].read_until - sim.now) <= 30e6

    play(tmp_path, script, feed={})


def set_status(learner: str, status: str, admin: Administrator, now: datetime) -> None:
    admin.set_status(learner, "c0", status, now=now)


def test_events_of_people_and_courses_that_we_do_not_know_cost_no_row(tmp_path: Path) -> None:
    async def script(sim: ConfirmingDelivery) -> None:
        await complete(sim, 0)
        await sim.settle()
        await sim.clock.sleep(60)
        before = (await sim.store.stats()).rows
        for number in range(1, 12):
            for status in ("completed", "not-completed") * 3:
                sim.emulator.administer(partial(set_status, f"u{number}", status))
                await asyncio.sleep(0.01)
        await sim.clock.sleep(60)
        assert (await sim.store.stats()).rows == before
        assert sim.letters == []
        assert len(sim.outcomes(EventOutcome.UNKNOWN)) >= 2 * 66

    # each is told twice: by webhook and by feed
    play(tmp_path, script, feed={"overlap_seconds": 0})


def test_an_event_of_the_feed_that_makes_no_sense_is_one_dead_letter_however_often_it_is_read(
    tmp_path: Path,
) -> None:
    async def script(sim: ConfirmingDelivery) -> None:
        await complete(sim, 0, 1)
        await sim.settle()
        await sim.clock.sleep(100)
        assert sim.rest.statuses[200] > 4
        assert len(sim.letters) == 2
        assert "names no course at nowhere" in sim.letters[0]

    feed = {"paths": {"course": ["nowhere"]}, "overlap_seconds": 60}
    play(tmp_path, script, webhooks=False, feed=feed)
