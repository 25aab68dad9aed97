"""When a request without an answer is given up, and when it is waited for."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.delivery.requests_under_way import RequestsUnderWay, UsualLatency
from pointsman.platforms.base import PlatformAnswer, RequestOutcome, Verdict
from tests.support.virtual_time import VirtualClock, run_virtually

GOOD = PlatformAnswer(RequestOutcome.ANSWERED)


def outage(*, usual: float | None, hangs: float, back_at: float) -> tuple[PlatformAnswer, float]:
    """The answer to a request that hangs in an outage that ends at `back_at`, and when it came."""

    async def main() -> tuple[PlatformAnswer, float]:
        clock = VirtualClock()
        requests = RequestsUnderWay(clock)

        async def takes(seconds: float) -> PlatformAnswer:
            await asyncio.sleep(seconds)
            return GOOD

        for _ in range(20 if usual is not None else 0):
            await requests.answer(takes(usual or 0.0))
        began = clock.monotonic()
        hanging = asyncio.create_task(requests.answer(takes(hangs), 2))
        await clock.sleep(back_at)
        requests.platform_changed(clock.monotonic(), is_out=False)
        answer = await hanging
        return answer, clock.monotonic() - began

    return run_virtually(main())


def test_what_hangs_is_given_up_when_the_platform_is_back() -> None:
    answer, took = outage(usual=0.15, hangs=30, back_at=10)
    assert answer.outcome is RequestOutcome.UNREACHABLE
    assert [result.verdict for result in answer.results] == [Verdict.UNKNOWN] * 2
    assert took == pytest.approx(10)


def test_what_was_sent_just_before_is_waited_for_a_second() -> None:
    assert outage(usual=0.15, hangs=0.9, back_at=0.1)[0] == GOOD
    assert outage(usual=0.15, hangs=30, back_at=0.1)[1] == pytest.approx(1.0)


def test_a_slow_platform_is_waited_for_as_long_as_it_takes() -> None:
    assert outage(usual=5, hangs=5, back_at=2)[0] == GOOD


def test_without_any_answer_yet_nothing_is_given_up() -> None:
    assert outage(usual=None, hangs=30, back_at=10)[0] == GOOD


def test_the_beginning_of_an_outage_gives_nothing_up() -> None:
    async def main() -> PlatformAnswer:
        requests = RequestsUnderWay(VirtualClock())
        requests._latency.learn(0.1)
        hanging = asyncio.create_task(requests.answer(asyncio.sleep(20, GOOD)))
        await asyncio.sleep(10)
        requests.platform_changed(10.0, is_out=True)
        return await hanging

    assert run_virtually(main()) == GOOD


def test_a_timeout_of_the_platforms_own_is_not_taken_for_ours() -> None:
    async def fails() -> PlatformAnswer:
        raise TimeoutError

    async def main() -> None:
        await RequestsUnderWay(VirtualClock()).answer(fails())

    with pytest.raises(TimeoutError):
        run_virtually(main())


def test_what_is_late_depends_on_how_much_answers_differ() -> None:
    steady, unsteady = UsualLatency(), UsualLatency()
    for number in range(100):
        steady.learn(4)
        unsteady.learn(1 if number % 2 else 7)
    assert steady.longest == pytest.approx(4, rel=0.01)
    assert unsteady.longest is not None
    assert unsteady.longest > 14
