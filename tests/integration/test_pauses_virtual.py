"""Paused delivery in virtual time: nothing of it is sent, nothing is lost, and it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointsman import operations
from pointsman.domain.operator_actions import ActionKind, OperatorAction
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.pauses import Pause
from pointsman.domain.target_kinds import TargetKind
from pointsman.store.base import Lease, Settlement
from tests.support.change_factory import change, course, each, topic, wants
from tests.support.virtual_delivery import VirtualDelivery, catalogue
from tests.support.virtual_time import run_virtually

ANA = "l0@example.com"
RESUMED = OperatorAction(1, ActionKind.RESUME, "ben", "host")
TOPICS = TargetKind.TOPIC_PROGRESS


def test_paused_delivery_sends_nothing_until_it_is_resumed(tmp_path: Path) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(3, 1)) as sim:
            await sim.store.pause(Pause(None, sim.now, "it is moved"))
            await sim.clock.sleep(2)
            await sim.ingest(
                *each([change(f"l{n}@example.com", topic("t0"), 40) for n in range(3)])
            )
            await sim.clock.sleep(600)
            assert sim.requests == 0
            books = await sim.store.books()
            assert (books.dirty, books.parked, books.balanced) == (3, 0, True)
            assert await operations.resume(sim.store, RESUMED, None)
            await sim.clock.sleep(3)
            assert sim.topics("l2@example.com") == {"t0": 40}
            assert (await sim.store.books()).delivered == 3

    run_virtually(main())


@pytest.mark.parametrize("what", [TOPICS, None], ids=["its kind", "all"])
def test_a_paused_kind_is_parked_and_counted_and_the_rest_goes(
    tmp_path: Path, what: TargetKind | None
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 2)) as sim:
            await sim.store.pause(Pause(TOPICS, sim.now, "as asked"))
            await sim.clock.sleep(2)
            await sim.ingest(
                wants(
                    change(ANA, topic("t0"), 100),
                    change(ANA, course("c"), "started"),
                    change(ANA, course("c2"), "completed", after=(topic("t0"),)),
                )
            )
            await sim.clock.sleep(60)
            assert sim.topics(ANA) == {}
            assert sim.requests > 0  # the started course
            parked = {row.target: row for row in await sim.store.parked(limit=9)}
            assert parked[topic("t0")].park_code is ParkCode.PAUSED
            assert parked[topic("t0")].parked == "delivery of topic_progress is paused: as asked"
            assert parked[course("c2")].park_code is ParkCode.WAITS_FOR
            (ended,) = await operations.resume(sim.store, RESUMED, what)
            assert ended.kind is TOPICS
            await sim.clock.sleep(10)
            assert sim.topics(ANA) == {"t0": 100}
            assert (await sim.store.books()).balanced
            (action,) = await sim.store.operator_actions(limit=9)
            assert action.outcome == "topic_progress"

    run_virtually(main())


def test_what_a_stopped_command_left_parked_is_freed_by_the_loop(tmp_path: Path) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 1)) as sim:
            await sim.store.pause(Pause(TOPICS, sim.now))
            await sim.clock.sleep(2)
            await sim.ingest(wants(change(ANA, topic("t0"), 40)))
            await sim.clock.sleep(20)
            assert await sim.store.parked(limit=1)
            # the command ended before it freed what was parked
            await sim.store.resume(TOPICS)
            await sim.clock.sleep(20)
            assert sim.topics(ANA) == {"t0": 40}

    run_virtually(main())


def test_what_is_resumed_while_it_is_being_parked_does_not_stay_parked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 1)) as sim:
            settle = sim.store.settle

            async def resumed_first(
                lease: Lease, settlements: list[Settlement], **times: int
            ) -> bool:
                await operations.resume(sim.store, RESUMED, TOPICS)
                return await settle(lease, settlements, **times)  # type: ignore[arg-type]  # passed on

            monkeypatch.setattr(sim.store, "settle", resumed_first)
            await sim.store.pause(Pause(TOPICS, sim.now))
            await sim.clock.sleep(2)
            await sim.ingest(wants(change(ANA, topic("t0"), 40)))
            await sim.settle(60)
            assert sim.topics(ANA) == {"t0": 40}

    run_virtually(main())
