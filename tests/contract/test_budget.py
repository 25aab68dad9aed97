"""What every budget must hold: never overdrawn, corrected downward, obedient, and not forgetful.

In virtual time, against a platform that counts in fixed windows from its first request on.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.delivery.budget.base import Budget, QuotaLeft, QuotaLimits, Reservation
from pointsman.delivery.budget.local import LocalBudget
from pointsman.delivery.budget.shared import SharedBudget
from pointsman.domain.clock import Clock
from pointsman.domain.errors import StoreUnavailable
from pointsman.platforms.base import PlatformAnswer, RateReading, RequestOutcome
from pointsman.store.base import Window
from tests.support.quota import quota_limits
from tests.support.thoroughness import thorough
from tests.support.virtual_time import VirtualClock, run_virtually

POINTS, REQUESTS = 6_000, 300
LIMITS = quota_limits(POINTS, REQUESTS, 1.0, 0.2)

T = TypeVar("T")
Make = Callable[[QuotaLimits, Clock, "MemoryLedger"], Budget]
MAKERS: dict[str, Make] = {"local": LocalBudget, "shared": SharedBudget}


@pytest.fixture(params=MAKERS, scope="module")
def make(request: pytest.FixtureRequest) -> Make:
    return MAKERS[request.param]


@dataclass(frozen=True)
class Team:
    """So many who spend one quota together: one process, or replicas."""

    make: Make
    size: int

    async def open(self, ledger: MemoryLedger, limits: QuotaLimits | None = None) -> list[Budget]:
        return [await opened(self.make, ledger, limits or LIMITS) for _ in range(self.size)]


TEAMS = {
    "one process": Team(LocalBudget, 1),
    "1 replica": Team(SharedBudget, 1),
    "2 replicas": Team(SharedBudget, 2),
    "3 replicas": Team(SharedBudget, 3),
}


@pytest.fixture(params=TEAMS, scope="module")
def team(request: pytest.FixtureRequest) -> Team:
    return TEAMS[request.param]


class MemoryLedger:
    """A ledger that remembers, and that fails as often as it is told to."""

    def __init__(self) -> None:
        self.saved: Window | None = None
        self.state = ""
        self.failures = 0
        self._turn = asyncio.Lock()

    async def window(self) -> Window | None:
        return self.saved

    async def save_window(self, window: Window) -> None:
        fails = await self._work()
        if not fails or self.is_kept_all_the_same:
            self.saved = window
        if fails:
            raise StoreUnavailable

    async def shared_window(self, decide: Callable[[str, int], tuple[str, Window, T]]) -> T:
        async with self._turn:
            fails = await self._work()
            state, _, result = decide(self.state, round(time() * 1e6))
            if not fails or self.is_kept_all_the_same:
                self.state = state
            if fails:
                raise StoreUnavailable
            return result

    async def _work(self) -> bool:
        """Whether it fails this time."""
        await asyncio.sleep(0.002)
        self.failures -= 1
        return self.failures >= 0

    @property
    def is_kept_all_the_same(self) -> bool:
        """Of a transaction that fails nobody knows whether it was committed."""
        return self.failures % 2 == 1


class ShiftedClock(VirtualClock):
    """A wall clock that somebody sets."""

    def __init__(self) -> None:
        self.off = 0.0

    def now(self) -> float:
        return super().now() + self.off


@dataclass(slots=True)
class Platform:
    """Counts what it receives; `most` is the most of requests and points in any window."""

    latency: float = 0.03
    opened_at: float = -math.inf
    requests: int = 0
    points: int = 0
    total: int = 0
    #: seconds of its fixed window
    window: float = 60.0
    most: tuple[int, int] = (0, 0)
    times: list[float] = field(default_factory=list)

    async def request(self, points: int) -> PlatformAnswer:
        """What was sent arrives, even if whoever sent it is no more."""
        loop = asyncio.get_running_loop()
        arrival: asyncio.Future[RateReading] = loop.create_future()
        loop.call_later(self.latency, self._arrive, points, arrival)
        rate = await arrival
        await asyncio.sleep(self.latency)
        return PlatformAnswer(RequestOutcome.ANSWERED, (), rate)

    def _arrive(self, points: int, arrival: asyncio.Future[RateReading]) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self.opened_at + self.window:
            self.opened_at, self.requests, self.points = now, 0, 0
        self.requests += 1
        self.points += points
        self.total += 1
        self.times.append(now)
        self.most = max(self.most[0], self.requests), max(self.most[1], self.points)
        if not arrival.done():
            resets_in = self.opened_at + self.window - now
            arrival.set_result(RateReading(max(0, POINTS - self.points), resets_in))

    @property
    def overdrawn(self) -> bool:
        return self.most[0] > REQUESTS or self.most[1] > POINTS


def answer(
    points_left: int | None = None,
    resets_in: float | None = None,
    *,
    throttled: bool = False,
    retry_after: float | None = None,
) -> PlatformAnswer:
    kind = RequestOutcome.THROTTLED if throttled else RequestOutcome.ANSWERED
    return PlatformAnswer(kind, (), RateReading(points_left, resets_in, retry_after))


def time() -> float:
    return asyncio.get_running_loop().time()


async def opened(
    make: Make, ledger: MemoryLedger | None = None, limits: QuotaLimits = LIMITS
) -> Budget:
    budget = make(limits, VirtualClock(), ledger or MemoryLedger())
    await budget.open()
    return budget


async def reserved(budget: Budget, points: int = 1) -> Reservation:
    """A reservation, however long it takes."""
    reservation = await budget.reserve(points, give_up_at=math.inf)
    assert reservation is not None
    return reservation


async def spend(budget: Budget, platform: Platform, until: float, sizes: random.Random) -> None:
    """One of many who always have something to send."""
    while True:
        points = sizes.randint(1, 20)
        reservation = await budget.reserve(points, give_up_at=until)
        if reservation is None:
            return
        budget.settle(reservation, await platform.request(points))


async def crowd(
    budgets: Budget | list[Budget], platform: Platform, until: float, seed: int = 0
) -> None:
    team = budgets if isinstance(budgets, list) else [budgets]
    await asyncio.gather(
        *(
            spend(team[one % len(team)], platform, until, random.Random(seed + one))
            for one in range(16)
        )
    )


async def stop(running: asyncio.Task[None], budgets: list[Budget], *, killed: bool) -> None:
    """All of them at once."""
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    for budget in budgets:
        if killed and isinstance(budget, SharedBudget):
            for task in budget._tasks:
                task.cancel()
        elif not killed:
            await budget.close()


@settings(max_examples=thorough(30, otherwise=5), deadline=None)
@given(st.integers(0, 999), st.floats(0.001, 2), st.floats(0, 60), st.booleans())
def test_it_is_never_overdrawn_whenever_the_platforms_window_began(
    team: Team, seed: int, latency: float, since: float, ours: bool
) -> None:
    platform = Platform(latency, -math.inf if ours else -since, 1, 1)

    async def run() -> None:
        await crowd(await team.open(MemoryLedger()), platform, 150, seed)

    run_virtually(run())
    assert not platform.overdrawn, platform.most


def test_under_steady_load_hardly_anything_is_left_over_and_nothing_pauses(team: Team) -> None:
    platform = Platform()

    async def run() -> None:
        await crowd(await team.open(MemoryLedger()), platform, 360)

    run_virtually(run())
    assert not platform.overdrawn
    assert platform.total >= 0.97 * REQUESTS * 6
    assert max(b - a for a, b in pairwise(platform.times)) < 1


@pytest.mark.parametrize("window", [10.0, 300.0])
@pytest.mark.parametrize("since", [0.0, 7.0])
def test_a_window_of_any_length_is_kept_to(make: Make, window: float, since: float) -> None:
    platform = Platform(opened_at=-since, requests=1, points=1, window=window)
    limits = quota_limits(POINTS, REQUESTS, 1.0, 0.2, window=window)

    async def run() -> None:
        await crowd(await opened(make, limits=limits), platform, 5 * window)

    run_virtually(run())
    assert not platform.overdrawn, platform.most
    assert platform.total >= 0.94 * REQUESTS * 5


async def closed(make: Make, ledger: MemoryLedger) -> None:
    """A budget that closes as soon as it was throttled."""
    budget = await opened(make, ledger)
    budget.settle(await reserved(budget), answer(throttled=True, retry_after=50))
    await budget.close()


def test_a_budget_that_is_closed_leaves_nothing_running(make: Make) -> None:
    async def run() -> None:
        await closed(make, MemoryLedger())
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtually(run())


@settings(max_examples=thorough(30, otherwise=5), deadline=None)
@given(st.integers(0, 999), st.lists(st.floats(0.05, 100), min_size=1, max_size=6))
def test_kills_in_the_window_keep_the_books(team: Team, seed: int, at: list[float]) -> None:
    platform = Platform()

    async def run() -> None:
        ledger = MemoryLedger()
        for end in sorted(at):
            budgets = await team.open(ledger)
            running = asyncio.create_task(crowd(budgets, platform, 200, seed))
            await asyncio.sleep(max(0, end - time()))
            await stop(running, budgets, killed=True)
        await crowd(await team.open(ledger), platform, 200, seed)

    run_virtually(run())
    assert not platform.overdrawn, platform.most


@pytest.mark.parametrize("killed", [False, True], ids=["SIGTERM", "SIGKILL"])
def test_after_a_restart_at_any_second_of_a_window_the_quota_is_used_at_once(
    team: Team, killed: bool
) -> None:
    """Restarts at other seconds of the platform's windows, ours and another's, in full flow."""
    every = 60.0 / REQUESTS
    for second in thorough(range(60), otherwise=(1, 30, 58)):
        platform = Platform(opened_at=-31.7 if second % 4 == 2 else -math.inf)
        restarts = [60.0 + second, 121.9 + second]

        async def run(platform: Platform = platform, restarts: list[float] = restarts) -> None:
            ledger = MemoryLedger()
            for end in restarts:
                budgets = await team.open(ledger)
                running = asyncio.create_task(crowd(budgets, platform, 500))
                await asyncio.sleep(end - time())
                await stop(running, budgets, killed=killed)
                await asyncio.sleep(0.3)
            await crowd(await team.open(ledger), platform, restarts[-1] + 20)

        run_virtually(run())
        assert not platform.overdrawn, (second, platform.most)
        times = platform.times
        assert max(b - a for a, b in pairwise(times)) < 3, second
        for restart in restarts:
            soon = [at for at in times if restart < at <= restart + 5.3]
            assert len(soon) * every >= 0.9 * 5, (second, restart)


@settings(max_examples=thorough(30, otherwise=6), deadline=None)
@given(st.integers(0, 999), st.lists(st.floats(0, 100), max_size=6))
def test_a_ledger_that_fails_gives_no_right_to_send_and_overdraws_nothing(
    make: Make, seed: int, at: list[float]
) -> None:
    platform = Platform()

    async def persevere(budget: Budget, one: int) -> None:
        while True:
            try:
                return await spend(budget, platform, 150, random.Random(seed + one))
            except StoreUnavailable:
                await asyncio.sleep(1)

    async def run() -> None:
        ledger = MemoryLedger()
        budget = await opened(make, ledger)
        for moment in at:
            asyncio.get_running_loop().call_at(moment, setattr, ledger, "failures", 2)
        await asyncio.gather(*(persevere(budget, one) for one in range(8)))

    run_virtually(run())
    assert not platform.overdrawn, platform.most


def test_after_a_restart_no_more_is_left_than_before(make: Make) -> None:
    async def run() -> tuple[int, int]:
        ledger = MemoryLedger()
        first = await opened(make, ledger)
        for _ in range(40):
            first.settle(await reserved(first, 50), answer())
        before, after = first.left(), (await opened(make, ledger)).left()
        return before.points - after.points, before.requests - after.requests

    points, requests = run_virtually(run())
    assert 0 <= points <= LIMITS.points // 10
    assert 0 <= requests <= LIMITS.requests // 10


def test_books_of_a_window_that_is_over_are_closed(make: Make) -> None:
    async def run() -> None:
        ledger = MemoryLedger()
        before = await opened(make, ledger)
        before.settle(await reserved(before, LIMITS.points), answer())
        await asyncio.sleep(65)
        left = (await opened(make, ledger)).left()
        assert (left.points, left.requests) == (LIMITS.points, LIMITS.requests)

    run_virtually(run())


def test_a_wall_clock_that_is_set_back_holds_nobody_up_for_longer_than_a_window(
    make: Make,
) -> None:
    async def run() -> None:
        ledger = MemoryLedger()
        before = await opened(make, ledger)
        before.settle(await reserved(before, LIMITS.points), answer())
        clock = ShiftedClock()
        clock.off = -3600.0
        budget = make(LIMITS, clock, ledger)
        await budget.open()
        assert await budget.reserve(1, give_up_at=time() + 70) is not None

    run_virtually(run())


def test_requests_are_spread_evenly_however_many_want_to_send(make: Make) -> None:
    async def run() -> list[float]:
        budget, times = await opened(make), []

        async def one() -> None:
            await reserved(budget)
            times.append(time())

        await asyncio.gather(*(one() for _ in range(50)))
        return times

    times = run_virtually(run())
    assert times == sorted(times)
    evenly = 49 * 59.8 / LIMITS.requests
    assert evenly - 1 < times[-1] - times[0] < evenly + 1
    assert max(later - earlier for earlier, later in pairwise(times)) < 1


def test_a_wait_that_would_end_too_late_is_given_up_at_once_and_costs_nothing(make: Make) -> None:
    async def run() -> None:
        budget = await opened(make)
        budget.settle(await reserved(budget, LIMITS.points - 5), answer())
        left, now = budget.left(), time()
        assert await budget.reserve(6, give_up_at=now + 30) is None
        assert budget.left() == left
        assert time() <= now + 0.01  # the ledger's answer

    run_virtually(run())


def test_a_wait_that_ends_in_time_is_not_given_up(make: Make) -> None:
    async def run() -> None:
        budget = await opened(make)
        budget.settle(await reserved(budget, LIMITS.points), answer())
        assert await budget.reserve(6, give_up_at=61) is not None
        assert 60 <= time() <= 61

    run_virtually(run())


def test_nobody_gets_the_right_to_send_after_its_time_is_over(make: Make) -> None:
    async def run() -> None:
        budget = await opened(make)
        budget.settle(await reserved(budget, LIMITS.points), answer())
        patient = asyncio.create_task(budget.wait_for_quota())
        await asyncio.sleep(0)
        assert await budget.reserve(1, give_up_at=time() + 5) is None
        await patient

    run_virtually(run())


def test_whoever_waits_behind_another_one_gives_up_in_time(make: Make) -> None:
    async def run() -> None:
        budget = await opened(make)
        budget.settle(await reserved(budget, LIMITS.points), answer())
        patient = asyncio.create_task(budget.wait_for_quota())
        await asyncio.sleep(0)
        assert await budget.reserve(1, give_up_at=time() + 5) is None
        assert time() < 6
        await patient

    run_virtually(run())


def test_whoever_is_cancelled_while_it_waits_holds_nobody_up(make: Make) -> None:
    async def run() -> None:
        budget = await opened(make)
        await reserved(budget, 1_000)
        waiting = asyncio.create_task(reserved(budget, LIMITS.points))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        left = budget.left().points
        assert await budget.reserve(1, give_up_at=50) is not None
        assert budget.left().points == left - 1

    run_virtually(run())


def test_waiting_for_quota_waits_for_one_request_of_one_point_and_spends_nothing(
    make: Make,
) -> None:
    async def run() -> None:
        budget = await opened(make)
        await budget.wait_for_quota()
        assert time() <= 0.01  # the ledger's answer
        budget.settle(await reserved(budget, LIMITS.points), answer())
        await budget.wait_for_quota()
        assert 60 <= time() <= 61
        assert budget.left().points == LIMITS.points

    run_virtually(run())


def test_the_platforms_count_corrects_the_books_downward_and_never_upward(make: Make) -> None:
    async def run() -> None:
        budget = await opened(make)
        budget.settle(await reserved(budget, 10), answer(points_left=1_000))
        assert budget.left().points == 1_000
        budget.settle(await reserved(budget, 10), answer(points_left=5_000))
        assert budget.left().points == 990

    run_virtually(run())


def test_what_is_under_way_may_be_missing_from_the_platforms_count(make: Make) -> None:
    async def run() -> None:
        budget = await opened(make)
        slow = await reserved(budget, 300)
        budget.settle(await reserved(budget, 10), answer(points_left=1_000))
        assert budget.left().points == 700
        budget.settle(slow, answer())
        assert budget.left().points == 700

    run_virtually(run())


def test_a_platform_that_has_nothing_left_is_left_alone_until_it_resets(make: Make) -> None:
    async def run() -> None:
        budget = await opened(make)
        budget.settle(await reserved(budget), answer(points_left=0, resets_in=20))
        await reserved(budget)
        # the platform may have rounded twenty seconds down to a whole one
        assert 20 <= time() <= 22

    run_virtually(run())


@pytest.mark.parametrize(("retry_after", "earliest", "latest"), [(7, 7, 8), (None, 60, 61)])
def test_being_throttled_is_obeyed(
    make: Make, retry_after: float | None, earliest: float, latest: float
) -> None:
    async def run() -> None:
        budget = await opened(make)
        first = await reserved(budget)
        waiting = asyncio.create_task(reserved(budget))
        budget.settle(first, answer(throttled=True, retry_after=retry_after))
        await waiting
        assert earliest <= time() <= latest

    run_virtually(run())


def test_nothing_is_said_to_be_left_while_the_platform_wants_to_be_left_alone(make: Make) -> None:
    """Another client ate the quota: our own books alone would show plenty."""

    async def run() -> None:
        budget = await opened(make)
        budget.settle(await reserved(budget), answer(throttled=True, retry_after=7))
        assert budget.left() == QuotaLeft(0, 0)
        await reserved(budget)
        assert budget.left().requests > 0

    run_virtually(run())


def test_about_so_many_requests_may_be_sent_within_a_time_and_always_one(make: Make) -> None:
    async def run() -> None:
        budget = await opened(make)
        assert budget.requests_within(0.01) == 1
        assert 0.9 * REQUESTS / 6 <= budget.requests_within(10) <= REQUESTS / 6

    run_virtually(run())


def test_limits_that_change_while_it_runs_hold_from_then_on_with_what_was_spent_before(
    make: Make,
) -> None:
    async def run() -> None:
        budget = await opened(make)
        await crowd(budget, Platform(), 60)
        budget.reconfigure(quota_limits(POINTS // 3, REQUESTS // 3, 1.0, 0.2))
        lowered = Platform()
        # what was spent fills the window for as long as the platform may count it
        await crowd(budget, lowered, 125)
        await crowd(budget, lowered, 725)
        assert lowered.most[0] <= REQUESTS // 3
        assert lowered.most[1] <= POINTS // 3
        assert lowered.total >= 0.9 * REQUESTS // 3 * 10
        budget.reconfigure(LIMITS)
        raised = Platform()
        await crowd(budget, raised, 725 + 600)
        assert not raised.overdrawn
        assert raised.total >= 0.9 * REQUESTS * 10

    run_virtually(run())
