"""Every fault at random for an hour of virtual time, over every kind of target."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from pointsman.emulator.faults import Faults, read_fault
from pointsman.platforms.base import TOKEN_TROUBLE
from tests.support.changes import wants
from tests.support.virtual import run_virtually
from tests.support.weather import FAULTS, Strike, Traffic, executed, goods, misfits, unexplained
from tests.support.yard import Yard

HOUR = 3600
#: seconds in which whoever has lost a token twice in a row gets the next one
TOKENS_EVERY = 60


async def _bring_new_tokens(yard: Yard) -> None:
    while True:
        await yard.clock.sleep(TOKENS_EVERY)
        if await yard.store.unpark(reason_prefix=TOKEN_TROUBLE):
            yard.dispatcher.wake()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_platform_ends_as_it_must_and_nothing_is_repeated_without_a_fault(
    tmp_path: Path, seed: int
) -> None:
    async def main() -> None:
        dice = random.Random(seed)
        traffic = Traffic(40, dice)
        async with Yard(
            tmp_path, goods(40), requests=100, share=0.8, progress_interval=5, max_failures=1_000
        ) as yard:
            yard.tokens.kept = True
            yard.emulator.faults = Faults([read_fault(one, "a fault") for one in FAULTS], seed=seed)
            new_tokens = asyncio.create_task(_bring_new_tokens(yard))
            ends = yard.clock.monotonic() + HOUR
            while yard.clock.monotonic() < ends:
                await yard.ingest(wants(traffic.next(yard.now), at=yard.now))
                await yard.clock.sleep(dice.expovariate(1.0))
            struck = dict(yard.emulator.faults.struck)
            yard.emulator.faults.clear()
            await yard.clock.sleep(2 * TOKENS_EVERY)
            new_tokens.cancel()
            await yard.settle()
            state = yard.emulator.state(history=True)
            ran = list(executed(state["history"]))
            strikes = [Strike(number, kind) for number, kind in state["strikes"]]
            assert misfits(state["learners"], traffic.expected) == []
            assert unexplained(ran, strikes, traffic) == []
            assert yard.rejected == 0  # none but those that were injected
            assert struck.keys() == {one["kind"] for one in FAULTS}
            assert {one.key[1] for one in ran} == {what for _, what, _ in traffic.expected}
            books = await yard.store.books()
            assert books.balanced
            assert (books.dirty, books.parked) == (0, 0)

    run_virtually(main())
