"""Every fault at random for an hour of virtual time, over every kind of target."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from pointsman.domain.park_codes import CURED_BY_TOKEN
from pointsman.emulator.faults import Faults, read_fault
from tests.support.change_factory import wants
from tests.support.random_traffic import (
    FAULTS,
    Strike,
    Traffic,
    differences,
    executed,
    traffic_catalogue,
    unexplained_repeats,
)
from tests.support.thoroughness import thorough
from tests.support.virtual_delivery import VirtualDelivery
from tests.support.virtual_time import run_virtually

HOUR = 3600
#: seconds in which whoever has lost a token twice in a row gets the next one
TOKENS_EVERY = 60


async def _bring_new_tokens(sim: VirtualDelivery) -> None:
    while True:
        await sim.clock.sleep(TOKENS_EVERY)
        if await sim.store.unpark(codes=CURED_BY_TOKEN):
            sim.dispatcher.wake()


@pytest.mark.parametrize("seed", thorough([1, 2, 3], otherwise=[1]))
def test_the_platform_ends_as_it_must_and_nothing_is_repeated_without_a_fault(
    tmp_path: Path, seed: int
) -> None:
    async def main() -> None:
        dice = random.Random(seed)
        traffic = Traffic(40, dice)
        async with VirtualDelivery(
            tmp_path,
            traffic_catalogue(40),
            requests=100,
            share=0.8,
            progress_interval=5,
            max_failures=1_000,
            faults=Faults([read_fault(one, "a fault") for one in FAULTS], seed=seed),
        ) as sim:
            sim.tokens.kept = True
            new_tokens = asyncio.create_task(_bring_new_tokens(sim))
            ends = sim.clock.monotonic() + HOUR
            while sim.clock.monotonic() < ends:
                await sim.ingest(wants(traffic.next(sim.now), at=sim.now))
                await sim.clock.sleep(dice.expovariate(1.0))
            struck = dict(sim.emulator.faults.struck)
            sim.emulator.faults.clear()
            await sim.clock.sleep(2 * TOKENS_EVERY)
            new_tokens.cancel()
            await sim.settle()
            state = sim.emulator.state(history=True)
            ran = list(executed(state["history"]))
            strikes = [Strike(number, kind) for number, kind in state["strikes"]]
            assert differences(state["learners"], traffic.expected) == []
            assert unexplained_repeats(ran, strikes, traffic) == []
            assert sim.rejected == 0  # none but those that were injected
            assert struck.keys() == {one["kind"] for one in FAULTS}
            assert {one.key[1] for one in ran} == {what for _, what, _ in traffic.expected}
            books = await sim.store.books()
            assert books.balanced
            assert (books.dirty, books.parked) == (0, 0)

    run_virtually(main())
