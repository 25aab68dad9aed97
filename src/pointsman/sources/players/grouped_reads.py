"""Lets reads of the store that are asked for at the same time share one.

A read begins after all that it answers was asked for, so no answer is older than its question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class GroupedReads(Generic[T]):
    """`read` asks for many names at once. One read runs at a time; the next takes all that waits.

    Every caller gets the whole answer, or its exception.
    """

    def __init__(self, read: Callable[[Sequence[str]], Awaitable[T]]) -> None:
        self._read = read
        self._names: set[str] = set()
        self._running: asyncio.Task[T] | None = None
        #: what answers `_names`, and has not begun yet
        self._next: asyncio.Task[T] | None = None

    async def read(self, names: Iterable[str]) -> T:
        """An answer that has these, and what others asked for."""
        self._names.update(names)
        if self._next is None:
            self._next = asyncio.create_task(self._read_all(self._running))
            self._next.add_done_callback(_look_at_error)
        # others wait for it too, whatever becomes of this caller
        return await asyncio.shield(self._next)

    async def _read_all(self, before: asyncio.Task[T] | None) -> T:
        if before is not None and not before.done():
            await asyncio.wait([before])
        names, self._names = sorted(self._names), set()
        self._running, self._next = self._next, None
        return await self._read(names)


def _look_at_error(task: asyncio.Task[T]) -> None:
    """All who waited may have gone away; their error is nobody's then."""
    if not task.cancelled():
        task.exception()
