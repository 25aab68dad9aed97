"""How many deliveries may be under way at once, against platforms of every latency and capacity."""

from __future__ import annotations

import asyncio
import heapq
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.delivery.concurrency import AdaptiveLimit, ConcurrencyLimit
from tests.support.virtual_time import run_virtually

#: requests a second that the quota allows
QUOTA = 41.25


def simulate(
    limit: AdaptiveLimit, seconds: float, latency: float, *, workers: int = 1_000, seed: int = 1
) -> list[float]:
    """The times at which answers came; the platform works on `workers` requests at once."""
    dice = random.Random(seed)
    answers: list[tuple[float, float]] = []
    free_at = [0.0] * workers
    times: list[float] = []
    now = next_slot = 0.0
    while now < seconds:
        if len(answers) >= int(limit.limit):
            limit.held_up(len(answers))
            now, sent = heapq.heappop(answers)
            limit.answered(now - sent)
            times.append(now)
            continue
        now = max(now, next_slot)
        while answers and answers[0][0] <= now:
            at, sent = heapq.heappop(answers)
            limit.answered(at - sent)
            times.append(at)
        next_slot = max(next_slot, now - 0.25) + 1 / QUOTA
        begins = max(now, heapq.heappop(free_at))
        ends = begins + latency * dice.uniform(0.8, 1.2)
        heapq.heappush(free_at, ends)
        heapq.heappush(answers, (ends, now))
    return times


@pytest.mark.parametrize("latency", [0.05, 0.15, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_whole_quota_is_used_however_long_the_platform_takes(latency: float, seed: int) -> None:
    times = simulate(AdaptiveLimit(256), 240, latency, seed=seed)
    late = [at for at in times if at > 120]
    assert len(late) >= 0.98 * QUOTA * 120


def test_a_platform_of_two_seconds_gets_all_that_the_quota_allows_within_half_a_minute() -> None:
    times = simulate(AdaptiveLimit(256), 60, 2.0)
    assert len([at for at in times if 30 < at <= 60]) >= 0.97 * QUOTA * 30


@pytest.mark.parametrize("workers", [8, 30])
def test_a_platform_that_works_on_few_requests_at_once_is_not_flooded(workers: int) -> None:
    limit = AdaptiveLimit(256)
    times = simulate(limit, 600, 2.0, workers=workers)
    assert limit.limit <= 3 * workers
    # and gets all that it can work on
    late = [at for at in times if at > 300]
    assert len(late) >= 0.95 * workers / 2.0 * 300


@settings(max_examples=50, deadline=None)
@given(
    ceiling=st.integers(1, 300),
    events=st.lists(
        st.one_of(st.floats(0.001, 30), st.just("failed"), st.integers(0, 300)), max_size=300
    ),
)
def test_the_ceiling_is_never_exceeded_and_one_may_always_go(
    ceiling: int, events: list[float | str | int]
) -> None:
    limit = AdaptiveLimit(ceiling)
    for event in events:
        if event == "failed":
            limit.failed()
        elif isinstance(event, int):
            limit.held_up(event)
        elif isinstance(event, float):
            limit.answered(event)
        assert min(4, ceiling) <= limit.limit <= ceiling


def test_requests_that_die_together_halve_it_once() -> None:
    limit = AdaptiveLimit(256)
    for _ in range(8):
        limit.failed()
    assert limit.limit == 8


def test_while_the_quota_holds_deliveries_up_no_more_of_them_are_begun() -> None:
    limit = AdaptiveLimit(256)
    for _ in range(100):
        limit.held_up(3)
        limit.answered(0.1)
    assert limit.limit == 16


def test_who_waits_for_room_goes_when_another_one_is_over() -> None:
    async def run() -> None:
        limit = ConcurrencyLimit(1)
        begun_in = await limit.begin()
        assert limit.free == 0
        limit.end(begun_in)
        await limit.begin()
        assert limit.free == 0

    run_virtually(run())


def test_who_waits_in_line_begins_in_order_as_others_end() -> None:
    async def run() -> None:
        limit = ConcurrencyLimit(2)
        begun: list[int] = []

        async def deliver(number: int) -> None:
            begun_in = await limit.begin()
            begun.append(number)
            await asyncio.sleep(1)
            limit.end(begun_in)

        deliveries = [asyncio.create_task(deliver(number)) for number in range(6)]
        await asyncio.sleep(0.5)
        assert (begun, limit.in_line) == ([0, 1], 4)
        deliveries[3].cancel()
        await asyncio.sleep(1)
        assert (begun, limit.in_line) == ([0, 1, 2, 4], 1)
        await asyncio.sleep(2)
        assert (begun, limit.in_line, limit.free) == ([0, 1, 2, 4, 5], 0, 2)

    run_virtually(run())


@pytest.mark.parametrize("cancelled_first", [False, True])
def test_who_is_cancelled_as_its_turn_comes_leaves_it_to_the_next(cancelled_first: bool) -> None:
    async def run() -> None:
        limit = ConcurrencyLimit(1)
        begun_in = await limit.begin()
        first = asyncio.create_task(limit.begin())
        second = asyncio.create_task(limit.begin())
        await asyncio.sleep(0)
        if cancelled_first:
            first.cancel()
        limit.end(begun_in)
        first.cancel()
        limit.end(await second)
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (limit.free, limit.in_line) == (1, 0)

    run_virtually(run())


@pytest.mark.parametrize(("latency", "in_line"), [(0.01, 16), (0.05, 8), (0.1, 4), (1.0, 0)])
def test_so_many_wait_in_line_as_end_in_a_moment(latency: float, in_line: int) -> None:
    async def run() -> None:
        limit = ConcurrencyLimit(16)
        limit.answered(latency, sent_at=0)
        assert limit.room == 16 + in_line
        await begin_all(limit)
        assert limit.room == in_line
        waiting = [asyncio.create_task(limit.begin()) for _ in range(limit.room)]
        await asyncio.sleep(0)
        assert limit.room == 0
        for one in waiting:
            one.cancel()

    run_virtually(run())


async def begin_all(limit: ConcurrencyLimit) -> list[int]:
    """As many as may be begun now."""
    return [await limit.begin() for _ in range(limit.free)]


def test_what_hangs_takes_no_room_from_what_is_begun_after_the_outage() -> None:
    async def run() -> None:
        limit = ConcurrencyLimit(256)
        hanging = await begin_all(limit)
        assert limit.free == 0
        limit.platform_changed(10, is_out=True)
        assert limit.free > 0
        # each try of the outage may hang too
        hanging += [await limit.begin() for _ in range(40)]
        limit.platform_changed(70, is_out=False)
        assert limit.free == limit.limit
        begun = await begin_all(limit)
        for begun_in in hanging:
            limit.end(begun_in)
        assert limit.free == 0
        for begun_in in begun:
            limit.end(begun_in)
        assert limit.free == limit.limit

    run_virtually(run())


def test_what_hangs_counts_for_the_ceiling() -> None:
    async def run() -> None:
        limit = ConcurrencyLimit(20)
        for now, is_out in enumerate([True, False] * 5):
            await begin_all(limit)
            limit.platform_changed(now, is_out=is_out)
        assert limit.free == 0

    run_virtually(run())


def test_who_waits_for_room_goes_when_the_outage_is_seen() -> None:
    async def run() -> None:
        limit = ConcurrencyLimit(256)
        await begin_all(limit)
        waiting = asyncio.create_task(limit.wait_for_room())
        await asyncio.sleep(0)
        assert not waiting.done()
        limit.platform_changed(10, is_out=True)
        await waiting

    run_virtually(run())


def test_what_was_sent_before_the_end_of_an_outage_says_nothing_of_the_limit_after_it() -> None:
    limit = ConcurrencyLimit(256)
    limit.platform_changed(10, is_out=True)
    limit.platform_changed(70, is_out=False)
    for _ in range(100):
        limit.failed(sent_at=69)
        limit.answered(30, sent_at=69)
    assert limit.limit == 16
    limit.failed(sent_at=71)
    assert limit.limit == 8
