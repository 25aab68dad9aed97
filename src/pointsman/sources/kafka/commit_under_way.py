"""The commit of what was read last, during which the next messages are read: one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

#: seconds that it may take to end when its connection has ended with an error
_LAST = 2.0


class CommitUnderWay:
    """Commits follow one another, so that positions go up only.

    `size` is how many bytes of messages wait for it.
    """

    def __init__(self) -> None:
        self.size = 0
        self._task: asyncio.Task[None] | None = None

    def begin(self, commit: Coroutine[Any, Any, None], size: int) -> None:
        """Run it; the one before has to have ended."""
        self._task = asyncio.create_task(commit)
        self.size = size

    async def end(self) -> None:
        """Wait for it, if there is one. Raises what it raised."""
        if self._task is None:
            return
        try:
            await self._task
        finally:
            self._task = None
            self.size = 0

    async def close(self) -> None:
        """Nothing runs after this. What it would have raised, whoever reads on finds as well."""
        if self._task is None:
            return
        await asyncio.wait({self._task}, timeout=_LAST)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        self.size = 0
