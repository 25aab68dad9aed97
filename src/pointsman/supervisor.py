"""Keeps the daemon's background tasks running: one that ends in an error is started again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pointsman.cancellation import only_own_cancellation
from pointsman.domain.backoff import Backoff
from pointsman.domain.clock import Clock
from pointsman.fault_log import FaultLog, cause

#: how long to wait before a task is started again
_PAUSE = Backoff(1.0, 60.0)
#: a task that ran for so many seconds since has recovered
_RECOVERED = 120.0
#: so many ends in a row, and a restart of the process may help
_KEEPS_ENDING = 3


@dataclass(slots=True)
class _Supervised:
    """How often a task ended in a row, why last, and when it was started, on the clock."""

    ends: int = 0
    reason: str = ""
    started_at: float = 0.0


class Supervisor:
    """Starts tasks by name, and again when they fail. `on_restart` is told the name."""

    def __init__(self, clock: Clock, on_restart: Callable[[str], None]) -> None:
        self._clock = clock
        self._on_restart = on_restart
        self._faults = FaultLog()
        self._jitter = random.Random()  # noqa: S311 - spreads restarts, guards nothing
        self._tasks: dict[asyncio.Task[None], tuple[str, _Supervised]] = {}

    def start(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Run `work` in the background until it returns, is cancelled, or `stop`."""
        state = _Supervised()
        task = asyncio.create_task(self._run(name, work, state), name=name)
        self._tasks[task] = name, state
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def stop(self) -> None:
        """Cancel what runs, and wait for its end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def problem(self) -> str:
        """Which tasks keep ending, for a person; "" when none does."""
        now = self._clock.monotonic()
        return "; ".join(
            f"{name} has ended {state.ends} times in a row, the last time with {state.reason}"
            for name, state in self._tasks.values()
            if state.ends >= _KEEPS_ENDING and now - state.started_at < _RECOVERED
        )

    async def _run(
        self, name: str, work: Callable[[], Awaitable[object]], state: _Supervised
    ) -> None:
        while True:
            state.started_at = self._clock.monotonic()
            try:
                with only_own_cancellation:
                    await work()
            except Exception as error:  # noqa: BLE001 - whatever it is, the task goes on
                if self._clock.monotonic() - state.started_at >= _RECOVERED:
                    state.ends = 0
                state.ends += 1
                state.reason = cause(error)
                self._on_restart(name)
                self._faults.tell(
                    "a part of the daemon ended for a reason of ours; it is started again",
                    error,
                    task=name,
                    ends_in_a_row=state.ends,
                )
                state.started_at = self._clock.monotonic()
                await self._clock.sleep(_PAUSE.seconds(state.ends, self._jitter))
            else:
                return
