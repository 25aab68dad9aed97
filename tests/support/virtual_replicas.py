"""Several replicas in virtual time: a dispatcher each, one store, one shared budget.

The database is one in memory. What it costs to ask it is a time that passes.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pointsman.delivery.budget.base import Budget, QuotaLimits
from pointsman.delivery.budget.local import LocalBudget
from pointsman.delivery.budget.shared import SharedBudget
from pointsman.delivery.dispatcher import Dispatcher
from pointsman.delivery.sender import Sender
from pointsman.simulation.model_platform import ModelPlatform, ModelTokens
from pointsman.simulation.recorder import Recorder
from pointsman.simulation.run import Scenario
from pointsman.simulation.simulated_store import SimulatedStore, Track
from pointsman.simulation.virtual_time import VirtualClock, run_virtually
from pointsman.simulation.workload import tracks
from pointsman.store.base import Lease, Window

T = TypeVar("T")


class Database(SimulatedStore):
    """A store with a row for the budget; each transaction of either takes `seconds`."""

    def __init__(self, learners: Iterable[Track], seconds: float) -> None:
        super().__init__(learners)
        self._seconds = seconds
        self._row = asyncio.Lock()
        self.state = ""
        #: transactions of the budget
        self.asked = 0

    async def lease(self, **asked: Any) -> list[Lease]:
        await asyncio.sleep(self._seconds)
        return await super().lease(**asked)

    async def settle(self, *args: Any, **named: Any) -> bool:
        await asyncio.sleep(self._seconds)
        return await super().settle(*args, **named)

    async def shared_window(self, decide: Callable[[str, int], tuple[str, Window, T]]) -> T:
        async with self._row:
            self.asked += 1
            await asyncio.sleep(self._seconds / 2)
            now = round(asyncio.get_running_loop().time() * 1e6)
            self.state, _, result = decide(self.state, now)
            await asyncio.sleep(self._seconds / 2)
            return result


def run_replicas(
    scenario: Scenario, replicas: int, *, seconds: float = 0.004
) -> tuple[Recorder, ModelPlatform, Database]:
    """Run it with so many replicas, or with 0 the one process that has its budget for itself."""
    learners = [track for one in (scenario.workload, *scenario.others) for track in tracks(one)]
    store = Database(learners, seconds if replicas else 0.0)
    store.until = scenario.duration
    recorder, platform = run_virtually(_run(scenario, replicas, store))
    return recorder, platform, store


async def _run(
    scenario: Scenario, replicas: int, store: Database
) -> tuple[Recorder, ModelPlatform]:
    clock = VirtualClock()
    limits = scenario.limits
    platform = ModelPlatform(
        clock,
        scenario.weather,
        requests_per_minute=limits.requests_per_minute,
        points_per_minute=limits.points_per_minute,
        seed=scenario.workload.seed,
    )
    recorder = Recorder(clock, waiting=lambda: store.ready)
    quota = QuotaLimits.of(limits, window=platform.quota_window)
    running = []
    for number in range(max(1, replicas)):
        budget: Budget = (
            SharedBudget(quota, clock, store) if replicas else LocalBudget(quota, clock, store)
        )
        await budget.open()
        sender = Sender(
            platform,
            ModelTokens(),
            budget,
            clock,
            scenario.delivery,
            points_per_request=limits.points_per_request,
            jitter=random.Random(number),
        )
        dispatcher = Dispatcher(
            store,
            sender,
            budget,
            clock,
            scenario.delivery,
            recorder.record,
            request_timeout=scenario.request_timeout,
            jitter=random.Random(number + 1),
        )
        running.append(asyncio.create_task(dispatcher.run()))
    await clock.sleep(scenario.duration)
    for task in running:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*running, return_exceptions=True)
    return recorder, platform
