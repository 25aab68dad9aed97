"""Lets reads of the store that are asked for at the same time share one.

A read begins after all that it answers was asked for, so no answer is older than its question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class GroupedReads(Generic[T]):
    """`read` asks for many names at once. One read runs at a time; the next takes all that waits.

    Every caller gets the whole answer, or its exception.
    """

    def __init__(self, read: Callable[[Sequence[str]], Awaitable[T]]) -> None:
        self._read = read
        self._names: set[str] = set()
        #: of callers whose names are in `_names`
        self._waiting: list[asyncio.Future[T]] = []
        self._reading: asyncio.Task[None] | None = None

    async def read(self, names: Iterable[str]) -> T:
        """An answer that has these, and what others asked for."""
        self._names.update(names)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_all())
        return await answer

    async def _read_all(self) -> None:
        answers: list[asyncio.Future[T]] = []
        try:
            while self._waiting:
                names, self._names = sorted(self._names), set()
                answers, self._waiting = self._waiting, []
                try:
                    result = await self._read(names)
                except Exception as error:  # noqa: BLE001 - it goes to those who asked
                    for answer in _awaited(answers):
                        answer.set_exception(error)
                else:
                    for answer in _awaited(answers):
                        answer.set_result(result)
        finally:
            self._reading = None
            # where this is cancelled, so are those who wait for it
            for answer in _awaited([*answers, *self._waiting]):
                answer.cancel()


def _awaited(answers: list[asyncio.Future[T]]) -> Iterator[asyncio.Future[T]]:
    """Those whose callers have not gone away."""
    return (answer for answer in answers if not answer.done())
