"""The audit in virtual time: the real store, scheduler and emulator."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from pointsman.delivery.audit import Auditor, AuditRecord
from pointsman.delivery.settings import AuditSettings
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import Change
from pointsman.domain.targets import ReadBackPlace, Target, Value
from pointsman.platforms.helium.readback import HeliumReader
from pointsman.store.base import Audited
from tests.support.change_factory import change, course, topic, wants
from tests.support.store_queries import list_parked
from tests.support.virtual_delivery import VirtualDelivery, catalogue
from tests.support.virtual_time import run_virtually

WHO = "l0@example.com"
PLACE = ReadBackPlace.course("course-c")


def readable(target: Target, value: Value, who: str = WHO) -> Change:
    return replace(change(who, target, value), read_back=PLACE)


@asynccontextmanager
async def audited(
    sim: VirtualDelivery, *, requests_per_minute: int = 60
) -> AsyncIterator[list[AuditRecord]]:
    """An audit that runs beside the sim's delivery."""
    records: list[AuditRecord] = []
    auditor = Auditor(
        sim.store,
        HeliumReader(sim.transport, sim.clock),
        sim.tokens,
        sim.budget,
        sim.dispatcher.breaker,
        sim.clock,
        AuditSettings(
            requests_per_minute=requests_per_minute, settle_seconds=30, again_after_hours=1
        ),
        records.append,
        sim.dispatcher.wake,
        points_per_request=1_000,
        requests_per_window=99,
    )
    task = asyncio.create_task(auditor.run())
    try:
        yield records
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def lose(sim: VirtualDelivery, name: str) -> None:
    """The platform forgets a topic, as only a platform can."""
    learner = sim.emulator.catalogue.learner_by_email[WHO]
    sim.emulator._state.of(learner).topics[name] = 0


def sent(sim: VirtualDelivery, name: str) -> int:
    return sum(one.arguments.get("topicId") == name for one in sim.emulator.history)


def test_what_stands_there_agrees_and_is_not_looked_at_again_soon(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            VirtualDelivery(tmp_path, catalogue(1, 2), requests=100) as sim,
            audited(sim) as records,
        ):
            await sim.ingest(
                wants(readable(topic("t0"), 100)),
                wants(readable(topic("t1"), 40)),
                wants(readable(course("c"), "started")),
            )
            await sim.clock.sleep(600)
            assert sorted(record.result for record in records) == [
                Audited.AGREES,
                Audited.AGREES,
                Audited.UNREADABLE,
            ]
            assert {record.place for record in records} == {PLACE}
            assert sim.requests == 2  # one that delivered, one that read back
            await sim.clock.sleep(3600)
            assert sim.requests == 3

    run_virtually(main())


def test_what_the_platform_lost_is_sent_once_more_and_then_agrees(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            VirtualDelivery(tmp_path, catalogue(1, 2), requests=100) as sim,
            audited(sim) as records,
        ):
            await sim.ingest(wants(readable(topic("t0"), 100)))
            await sim.clock.sleep(5)
            lose(sim, "t0")
            await sim.clock.sleep(300)
            assert [record.result for record in records] == [Audited.RESENT, Audited.AGREES]
            assert sent(sim, "t0") == 2
            assert (await sim.store.books()).delivered == 1

    run_virtually(main())


def test_what_does_not_stay_is_parked_with_both_values_after_two_sends(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            VirtualDelivery(tmp_path, catalogue(1, 2), requests=100) as sim,
            audited(sim) as records,
        ):
            await sim.ingest(wants(readable(topic("t0"), 100)))
            for _ in range(600):
                await sim.clock.sleep(1)
                lose(sim, "t0")
            assert [record.result for record in records] == [Audited.RESENT, Audited.DRIFT]
            assert sent(sim, "t0") == 2
            (parked,) = list_parked(tmp_path / "sim.db", [ParkCode.DRIFT])
            assert "wanted 100, the platform shows not complete at course:course-c" in parked.parked
            assert f"pointsman parked retry --learner {WHO}" in parked.parked
            assert (await sim.store.books()).balanced

    run_virtually(main())


def test_nothing_is_read_while_there_is_something_to_deliver(tmp_path: Path) -> None:
    async def main() -> None:
        goods = catalogue(400, 1)
        async with (
            VirtualDelivery(tmp_path, goods, requests=100) as sim,
            audited(sim, requests_per_minute=600) as records,
        ):
            await sim.ingest(
                *(wants(readable(topic("t0"), 100, f"l{n}@example.com")) for n in range(400))
            )
            while await sim.store.next_ready_at() is not None:
                assert records == []
                await sim.clock.sleep(0.1)
            await sim.clock.sleep(1_800)
            assert {record.result for record in records} == {Audited.AGREES}
            assert len(records) == 400
            assert sim.rejected == 0

    run_virtually(main())


def test_a_learner_without_a_token_and_a_course_that_is_not_there_are_unreadable(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with (
            VirtualDelivery(tmp_path, catalogue(2, 2), requests=100) as sim,
            audited(sim) as records,
        ):
            elsewhere = replace(
                change(WHO, topic("t1"), 100), read_back=ReadBackPlace.course("none")
            )
            await sim.ingest(
                wants(readable(topic("t0"), 100)),
                wants(elsewhere),
                wants(readable(topic("t0"), 100, "l1@example.com")),
            )
            await sim.clock.sleep(5)
            sim.tokens.without.add("l1@example.com")
            await sim.clock.sleep(300)
            assert sorted((record.place, record.result) for record in records) == [
                (PLACE, Audited.AGREES),
                (PLACE, Audited.UNREADABLE),
                (ReadBackPlace.course("none"), Audited.UNREADABLE),
            ]
            assert (await sim.store.books()).delivered == 3

    run_virtually(main())
