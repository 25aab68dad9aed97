"""Background tasks that fail are started again, counted, and seen by /healthz."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.supervisor import Supervisor
from tests.support.virtual_time import VirtualClock, run_virtually


class Part:
    """Works for `lives` seconds before each of its first `fails` ends in an error."""

    def __init__(self, clock: VirtualClock, fails: int, lives: float = 0.0) -> None:
        self.starts: list[float] = []
        self._clock = clock
        self._fails = fails
        self._lives = lives

    async def run(self) -> None:
        self.starts.append(self._clock.monotonic())
        if len(self.starts) <= self._fails:
            await self._clock.sleep(self._lives)
            raise ValueError("broken\npart")
        await asyncio.Event().wait()


def test_a_task_that_ends_in_an_error_is_started_again_with_growing_pauses_and_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def main() -> None:
        clock, restarts = VirtualClock(), list[str]()
        supervisor = Supervisor(clock, restarts.append)
        part = Part(clock, fails=4)
        supervisor.start("housekeeping", part.run)
        await clock.sleep(60)
        assert restarts == ["housekeeping"] * 4
        pauses = [b - a for a, b in zip(part.starts, part.starts[1:], strict=False)]
        assert all(n / 2 <= pause <= n for n, pause in zip((1, 2, 4, 8), pauses, strict=True))
        await supervisor.stop()

    run_virtually(main())
    output = capsys.readouterr().out
    assert output.count("it is started again") == 4
    assert output.count("Traceback") == 1


def test_a_task_that_awaits_something_that_was_cancelled_is_started_again() -> None:
    async def main() -> None:
        clock, restarts = VirtualClock(), list[str]()
        supervisor = Supervisor(clock, restarts.append)

        async def wait_for_another() -> None:
            other = asyncio.create_task(asyncio.Event().wait())
            other.cancel()
            await asyncio.shield(other)

        supervisor.start("audit", wait_for_another)
        await clock.sleep(10)
        assert len(restarts) > 2
        assert "AwaitedCancelled" in supervisor.problem()
        await supervisor.stop()
        restarts.clear()
        await clock.sleep(100)
        assert restarts == []

    run_virtually(main())


def test_a_task_that_keeps_ending_is_a_problem_until_it_has_run_for_a_while() -> None:
    async def main() -> None:
        clock = VirtualClock()
        supervisor = Supervisor(clock, lambda _name: None)
        supervisor.start("audit", Part(clock, fails=3).run)
        supervisor.start("delivery", Part(clock, fails=0).run)
        await clock.sleep(1.1)
        assert supervisor.problem() == ""
        await clock.sleep(10)
        assert supervisor.problem() == (
            "audit has ended 3 times in a row, the last time with ValueError: broken part"
        )
        await clock.sleep(120)
        assert supervisor.problem() == ""
        await supervisor.stop()

    run_virtually(main())


def test_a_task_that_ends_once_a_while_is_no_problem() -> None:
    async def main() -> None:
        clock, restarts = VirtualClock(), list[str]()
        supervisor = Supervisor(clock, restarts.append)
        supervisor.start("audit", Part(clock, fails=9, lives=600).run)
        await clock.sleep(4000)
        assert len(restarts) == 6
        assert supervisor.problem() == ""
        await supervisor.stop()

    run_virtually(main())


def test_a_task_that_returns_is_done_and_one_that_waits_is_stopped() -> None:
    async def main() -> None:
        clock, restarts = VirtualClock(), list[str]()
        supervisor = Supervisor(clock, restarts.append)
        done = asyncio.Event()

        async def once() -> None:
            done.set()

        supervisor.start("once", once)
        supervisor.start("waits to start again", Part(clock, fails=99).run)
        await clock.sleep(5)
        await supervisor.stop()
        assert done.is_set()
        seen = len(restarts)
        await clock.sleep(500)
        assert (len(restarts), "once" in restarts) == (seen, False)

    run_virtually(main())
