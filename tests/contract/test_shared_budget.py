"""Replicas with one ledger: together they never overdraw, and leave hardly anything over."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits
from pointsman.delivery.budget.shared import SharedBudget
from pointsman.domain.clock import Clock
from pointsman.domain.errors import StoreUnavailable
from pointsman.platforms.base import PlatformAnswer, RateReading, RequestOutcome
from pointsman.store.base import Window
from tests.contract.test_budget import (
    LIMITS,
    POINTS,
    REQUESTS,
    MemoryLedger,
    Platform,
    spend,
    time,
)
from tests.support.quota import quota_limits
from tests.support.thoroughness import thorough
from tests.support.virtual_time import VirtualClock, run_virtually

T = TypeVar("T")


class OwnClock(VirtualClock):
    """A replica's clocks agree with nobody's."""

    def __init__(self, off: float) -> None:
        self._off = off

    def now(self) -> float:
        return super().now() + self._off

    def monotonic(self) -> float:
        return super().monotonic() + self._off


async def replica(ledger: MemoryLedger, clock: Clock, limits: QuotaLimits = LIMITS) -> SharedBudget:
    budget = SharedBudget(limits, clock, ledger)
    await budget.open()
    return budget


async def crowd(budget: SharedBudget, platform: Platform, until: float, seed: int) -> None:
    """Senders that always have something; `until` is on everybody's clock."""
    dice = random.Random(seed)
    await asyncio.gather(
        *(persevere(budget, platform, until, random.Random(dice.random())) for _ in range(8))
    )


async def persevere(
    budget: SharedBudget, platform: Platform, until: float, sizes: random.Random
) -> None:
    off = budget._clock.monotonic() - time()
    while time() < until:
        try:
            return await spend(budget, platform, until + off, sizes)
        except StoreUnavailable:
            await asyncio.sleep(1)
    return None


@pytest.mark.parametrize(("replicas", "share"), [(8, 1.0), (8, 0.4), (3, 0.4)])
def test_replicas_use_97_percent_of_the_requests_while_there_is_work(
    replicas: int, share: float
) -> None:
    platform = Platform()
    limits = quota_limits(POINTS, REQUESTS, share, 0.2)

    async def run() -> None:
        ledger = MemoryLedger()
        budgets = [
            await replica(ledger, OwnClock(30.0 * number), limits) for number in range(replicas)
        ]
        await asyncio.gather(*(crowd(one, platform, 300, n) for n, one in enumerate(budgets)))

    run_virtually(run())
    assert not platform.overdrawn, platform.most
    assert platform.total >= 0.97 * REQUESTS * share * 5


@settings(max_examples=thorough(30, otherwise=8), deadline=None)
@given(
    seed=st.integers(0, 999),
    latency=st.floats(0.001, 1),
    since=st.floats(0, 60),
    lives=st.lists(st.tuples(st.floats(0, 120), st.floats(0.1, 100)), min_size=1, max_size=6),
    away=st.lists(st.floats(0, 150), max_size=4),
)
def test_replicas_that_come_and_go_and_a_ledger_that_fails_overdraw_nothing(
    seed: int,
    latency: float,
    since: float,
    lives: list[tuple[float, float]],
    away: list[float],
) -> None:
    platform = Platform(latency, -since, 1, 1)
    ledger = MemoryLedger()

    async def live(number: int, born: float, lasts: float) -> None:
        await asyncio.sleep(born)
        try:
            budget = await replica(ledger, OwnClock(17.0 * number))
        except StoreUnavailable:
            return
        sending = asyncio.create_task(crowd(budget, platform, 200, seed + number))
        await asyncio.sleep(lasts)
        sending.cancel()  # as suddenly as a kill: slots that it had are lost
        await asyncio.gather(sending, return_exceptions=True)

    async def run() -> None:
        for moment in away:
            asyncio.get_running_loop().call_at(moment, setattr, ledger, "failures", 3)
        await asyncio.gather(*(live(n, *one) for n, one in enumerate(lives)))

    run_virtually(run())
    assert not platform.overdrawn, platform.most


class SetLedger(MemoryLedger):
    """A ledger whose clock somebody sets: `off` is in seconds."""

    def __init__(self) -> None:
        super().__init__()
        # a time of today's, so that a day before it is a time too
        self.off = 1_767_571_200.0

    async def shared_window(self, decide: Callable[[str, int], tuple[str, Window, T]]) -> T:
        return await super().shared_window(
            lambda text, now: decide(text, now + round(self.off * 1_000_000))
        )


DAY = 86_400.0


@given(
    seed=st.integers(0, 1_000),
    since=st.floats(0, 60),
    jumps=st.lists(
        st.tuples(st.floats(1, 250), st.sampled_from([-DAY, -61, -5, -1, 1, 5, 61, DAY])),
        max_size=3,
    ),
)
@settings(deadline=None, max_examples=thorough(30, otherwise=5))
def test_a_database_whose_clock_is_set_overdraws_nothing_and_holds_nobody_up(
    seed: int, since: float, jumps: list[tuple[float, float]]
) -> None:
    platform = Platform(0.03, -since, 1, 1)
    # its counts say nothing here: the books alone must hold
    ledger = SetLedger()

    def set_clock(by: float) -> None:
        ledger.off += by

    async def run() -> None:
        for moment, by in jumps:
            asyncio.get_running_loop().call_at(moment, set_clock, by)
        replicas = [await replica(ledger, OwnClock(17.0 * number)) for number in range(2)]
        await asyncio.gather(
            *(crowd(one, platform, 300, seed + n) for n, one in enumerate(replicas))
        )

    run_virtually(run())
    assert not platform.overdrawn, platform.most
    # each time it is set a window is waited for at most, and as much again is lost in waiting
    windows = 300 / platform.window - 2 * len(jumps)
    assert platform.total >= 0.8 * REQUESTS * max(0.0, windows)


class StoppedClock(VirtualClock):
    """Of a process that gets SIGSTOP: its sleeps end when it goes on."""

    def __init__(self) -> None:
        self.goes_on_at = 0.0

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        await super().sleep(self.goes_on_at - self.monotonic())


@pytest.mark.parametrize("stopped_for", [0.5, 5.0, 300.0])
def test_a_replica_that_was_frozen_sends_nothing_of_what_it_had_before(stopped_for: float) -> None:
    sent: list[float] = []

    async def run() -> None:
        ledger = MemoryLedger()
        clock = StoppedClock()
        budget = await replica(ledger, clock)

        async def one() -> None:
            if await budget.reserve(1, give_up_at=math.inf) is not None:
                sent.append(time())

        waiting = [asyncio.create_task(one()) for _ in range(20)]
        await asyncio.sleep(1.0)
        clock.goes_on_at = time() + stopped_for
        others = await replica(ledger, VirtualClock())
        platform = Platform()
        await asyncio.gather(crowd(others, platform, 1.0 + stopped_for + 10, 1), *waiting)
        platform.total += len(sent)
        after = [at for at in sent if at > 1.0]
        assert all(at >= clock.goes_on_at for at in after)
        # they were dealt anew: no two closer than the pace
        every = 60 / LIMITS.requests
        assert all(b - a >= every - 1e-6 for a, b in pairwise(after))

    run_virtually(run())


def test_a_429_to_one_replica_holds_all_of_them_back() -> None:
    async def run() -> None:
        ledger = MemoryLedger()
        first, second = await replica(ledger, OwnClock(0)), await replica(ledger, OwnClock(5))
        got = await first.reserve(1, give_up_at=math.inf)
        assert got is not None
        rate = RateReading(None, None, 7.0)
        first.settle(got, PlatformAnswer(RequestOutcome.THROTTLED, (), rate))
        await asyncio.sleep(0.1)
        assert await second.reserve(1, give_up_at=math.inf) is not None
        assert time() >= 7

    run_virtually(run())


def test_what_the_platform_said_last_is_known_to_all_once_a_replica_is_closed() -> None:
    async def run() -> None:
        ledger = MemoryLedger()
        first, second = await replica(ledger, OwnClock(0)), await replica(ledger, OwnClock(5))
        reservation = await first.reserve(1, give_up_at=math.inf)
        assert reservation is not None
        rate = RateReading(None, None, 7.0)
        first.settle(reservation, PlatformAnswer(RequestOutcome.THROTTLED, (), rate))
        await first.close()
        assert await second.reserve(1, give_up_at=math.inf) is not None
        assert time() >= 7

    run_virtually(run())


def test_a_dear_request_is_not_starved_by_the_cheap_ones_of_others() -> None:
    async def run() -> float:
        ledger = MemoryLedger()
        limits = QuotaLimits(points=2_000, requests=297, guard=0.2, window=60.0)
        cheap = await replica(ledger, OwnClock(0), limits)
        dear = await replica(ledger, OwnClock(0), limits)

        async def flood() -> None:
            while True:
                got = await cheap.reserve(20, give_up_at=math.inf)
                assert got is not None
                cheap.settle(got, PlatformAnswer(RequestOutcome.ANSWERED, ()))

        flooding = [asyncio.create_task(flood()) for _ in range(8)]
        await asyncio.sleep(60)
        started = time()
        assert await dear.reserve(1_000, give_up_at=math.inf) is not None
        for one in flooding:
            one.cancel()
        await asyncio.gather(*flooding, return_exceptions=True)
        return time() - started

    assert run_virtually(run()) < 62


def test_a_replica_that_was_not_throttled_itself_says_too_that_nothing_is_left() -> None:
    async def run() -> None:
        ledger = MemoryLedger()
        throttled, other = (
            await replica(ledger, VirtualClock()),
            await replica(ledger, VirtualClock()),
        )
        reservation = await throttled.reserve(1, give_up_at=math.inf)
        assert reservation is not None
        rate = RateReading(retry_after=30)
        throttled.settle(reservation, PlatformAnswer(RequestOutcome.THROTTLED, (), rate))
        await asyncio.sleep(1)  # until the ledger knows
        assert await other.reserve(1, give_up_at=time() + 5) is None
        assert other.left() == QuotaLeft(0, 0)

    run_virtually(run())


def test_a_platform_that_never_says_when_it_resets_is_not_taken_for_one_long_window() -> None:
    """Each answer tells what is left, and none until when."""

    async def run() -> None:
        budget = await replica(MemoryLedger(), VirtualClock())
        for second in range(70):
            reservation = await budget.reserve(1, give_up_at=math.inf)
            assert reservation is not None
            # another client takes most of each window
            left = 5_000 - 80 * (second % 60)
            budget.settle(
                reservation, PlatformAnswer(RequestOutcome.ANSWERED, (), RateReading(left))
            )
            await asyncio.sleep(1)
        assert budget.left().points > 3_000

    run_virtually(run())
