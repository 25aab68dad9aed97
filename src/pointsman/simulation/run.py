"""Runs the real dispatcher, sender and budget for an hour of virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pointsman.delivery.budget.base import QuotaLimits
from pointsman.delivery.budget.local import LocalBudget
from pointsman.delivery.dispatcher import Dispatcher
from pointsman.delivery.sender import Sender
from pointsman.delivery.settings import DeliverySettings
from pointsman.domain.park_codes import CURED_BY_TOKEN
from pointsman.domain.records import Submission
from pointsman.platforms.settings import PlatformLimits
from pointsman.simulation.model_platform import ModelPlatform, ModelTokens, Weather
from pointsman.simulation.recorder import Recorder
from pointsman.simulation.simulated_store import SimulatedStore
from pointsman.simulation.trace_store import TraceStore
from pointsman.simulation.virtual_time import VirtualClock, run_virtually
from pointsman.simulation.workload import WorkloadNumbers, tracks

#: the backlog is looked at so often in a run
_LOOKS = 240


@dataclass(frozen=True, slots=True)
class Scenario:
    """One simulation: what learners do, what the platform allows, and how we are set."""

    workload: WorkloadNumbers = field(default_factory=WorkloadNumbers)
    #: learners of other sources and rules beside them
    others: tuple[WorkloadNumbers, ...] = ()
    weather: Weather = field(default_factory=Weather)
    limits: PlatformLimits = field(default_factory=lambda: PlatformLimits(share=1.0))
    delivery: DeliverySettings = field(default_factory=DeliverySettings)
    #: seconds
    duration: float = 3_600.0
    #: how long one request may take, seconds
    request_timeout: float = 30.0
    #: how long a learner's authToken is used; the next one frees what waits for it
    token_seconds: float = float("inf")
    #: after the learners' end it goes on until all is delivered, so many seconds at most
    drain: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    scenario: Scenario
    recorder: Recorder
    platform: ModelPlatform
    store: SimulatedStore | TraceStore
    learners: int
    #: seconds in which there was input
    duration: float
    #: inputs, each of which would be a request
    naive_requests: int


def simulate(scenario: Scenario, *, remembers: bool = False) -> Outcome:
    """Run it to its end; the same for the same scenario. `remembers` is for comparing states."""
    fresh_within = scenario.delivery.fresh_within_seconds
    numbers = [
        replace(one, fresh_within=fresh_within) for one in (scenario.workload, *scenario.others)
    ]
    learners = [track for one in numbers for track in tracks(one)]
    store = SimulatedStore(learners)
    store.until = scenario.duration
    recorder, platform = run_virtually(_simulate(scenario, store, remembers=remembers))
    heartbeats = sum(one.learners / sum(one.heartbeat) * 2 for one in numbers)
    naive = heartbeats * scenario.duration + sum(track.completions for track in learners)
    return Outcome(
        scenario, recorder, platform, store, len(learners), scenario.duration, round(naive)
    )


def simulate_trace(scenario: Scenario, submissions: Sequence[Submission]) -> Outcome:
    """Play recorded input again; of the scenario, the platform and the settings are used."""
    store = TraceStore(submissions)
    played = replace(scenario, duration=store.duration, drain=max(scenario.drain, 3_600.0))
    recorder, platform = run_virtually(_simulate(played, store, remembers=False))
    inputs = sum(bool(item.decision.changes) for one in submissions for item in one.items)
    return Outcome(played, recorder, platform, store, store.learners, store.duration, inputs)


async def _simulate(
    scenario: Scenario, store: SimulatedStore | TraceStore, *, remembers: bool
) -> tuple[Recorder, ModelPlatform]:
    clock = VirtualClock()
    limits = scenario.limits
    platform = ModelPlatform(
        clock,
        scenario.weather,
        requests_per_minute=limits.requests_per_minute,
        points_per_minute=limits.points_per_minute,
        seed=scenario.workload.seed,
        remembers=remembers,
    )
    budget = LocalBudget(QuotaLimits.of(limits, window=platform.quota_window), clock, store)
    recorder = Recorder(clock, waiting=lambda: store.ready)
    sender = Sender(
        platform,
        ModelTokens(),
        budget,
        clock,
        scenario.delivery,
        points_per_request=limits.points_per_request,
        jitter=random.Random(scenario.workload.seed),  # noqa: S311 - spreads retries
    )
    dispatcher = Dispatcher(
        store,
        sender,
        budget,
        clock,
        scenario.delivery,
        recorder.record,
        request_timeout=scenario.request_timeout,
        jitter=random.Random(scenario.workload.seed + 1),  # noqa: S311 - spreads retries
    )
    tasks = [asyncio.create_task(dispatcher.run())]
    if scenario.token_seconds < float("inf"):
        tasks.append(asyncio.create_task(_renew_tokens(clock, store, dispatcher, scenario)))
    try:
        await _watch(clock, store, recorder, scenario)
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await dispatcher.drain(scenario.request_timeout)
    return recorder, platform


async def _renew_tokens(
    clock: VirtualClock,
    store: SimulatedStore | TraceStore,
    dispatcher: Dispatcher,
    scenario: Scenario,
) -> None:
    """Everybody gets a new token at the same time."""
    while True:
        await clock.sleep(scenario.token_seconds)
        await store.unpark(codes=CURED_BY_TOKEN)
        dispatcher.wake()


async def _watch(
    clock: VirtualClock,
    store: SimulatedStore | TraceStore,
    recorder: Recorder,
    scenario: Scenario,
) -> None:
    """Let the time pass, and note the backlog on the way."""
    step = scenario.duration / _LOOKS
    for look in range(_LOOKS):
        await clock.sleep((look + 1) * step - clock.monotonic())
        recorder.backlog.append((clock.monotonic(), store.waiting))
    give_up_at = scenario.duration + scenario.drain
    while clock.monotonic() < give_up_at and await store.next_ready_at() is not None:
        await clock.sleep(0.1)
