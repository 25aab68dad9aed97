"""Runs what takes longer than a request: one thing at a time, with what it says meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pointsman.fault_log import FaultLog, cause

Say = Callable[[str], None]


@dataclass(slots=True)
class Job:
    """What was asked for, and how far it is."""

    title: str
    who: str
    said: str = ""
    done: bool = False
    problem: str = ""
    #: what came of it, in lines
    lines: Sequence[str] = ()
    #: what the next step needs, such as the same without a dry run
    details: dict[str, Any] = field(default_factory=dict)


class Jobs:
    """The last job of each name, kept until the next one of that name or the end of the process."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults = FaultLog()

    def of(self, name: str) -> Job | None:
        return self._jobs.get(name)

    def is_running(self) -> bool:
        return bool(self._tasks)

    def start(self, name: str, job: Job, run: Callable[[Say], Awaitable[Sequence[str]]]) -> bool:
        """Begin it, unless another one runs. What `run` returns are the lines to show."""
        if self._tasks:
            return False
        self._jobs[name] = job

        def say(words: str) -> None:
            job.said = words

        async def work() -> None:
            try:
                job.lines = await run(say)
            except Exception as error:  # noqa: BLE001 - whoever asked reads it on the page
                job.problem = cause(error)
                self._faults.tell("what the operator's page was asked for failed", error)
            finally:
                job.done = True

        task = asyncio.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def close(self) -> None:
        """End what runs; each step of it was a transaction of its own."""
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
