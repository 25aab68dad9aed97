"""Group commit: what arrives while a transaction runs shares the next one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.records import Receipt, Submission

#: submissions that share a commit at most; the rest waits for the next one
MAX_SUBMISSIONS = 2_000

Commit = Callable[[Sequence[Submission]], Awaitable[list[Receipt]]]


@dataclass(frozen=True, slots=True)
class _Work:
    done: asyncio.Future[list[Receipt]]
    submissions: tuple[Submission, ...]


class GroupCommit:
    """One transaction at a time. A shared one that fails is tried again piece by piece."""

    def __init__(self, commit: Commit, on_commit: Callable[[float, int], None]) -> None:
        self._commit = commit
        self._on_commit = on_commit
        self._waiting: list[_Work] = []
        self._busy: asyncio.Task[None] | None = None

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        done: asyncio.Future[list[Receipt]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Work(done, tuple(submissions)))
        if self._busy is None:
            self._busy = asyncio.create_task(self._drain())
        return await done

    async def close(self) -> None:
        while self._busy is not None:
            await self._busy

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._settle(self._take())
        finally:
            self._busy = None

    def _take(self) -> list[_Work]:
        count = 0
        for place, work in enumerate(self._waiting):
            count += len(work.submissions)
            if count > MAX_SUBMISSIONS and place:
                works, self._waiting = self._waiting[:place], self._waiting[place:]
                return works
        works, self._waiting = self._waiting, []
        return works

    async def _settle(self, works: list[_Work]) -> None:
        submissions = [one for work in works for one in work.submissions]
        started = time.perf_counter()
        try:
            receipts = iter(await self._commit(submissions))
        except StoreUnavailable as error:
            _fail(works, error)
        except Exception as error:  # noqa: BLE001 - it goes to whoever gave the work
            if len(works) == 1:
                _fail(works, StoreUnavailable(f"the PostgreSQL store could not commit: {error}"))
                return
            for work in works:
                await self._settle([work])
        else:
            self._on_commit(time.perf_counter() - started, len(submissions))
            for work in works:
                mine = [next(receipts) for _ in work.submissions]
                if not work.done.done():  # whoever waited may be gone; the work stands
                    work.done.set_result(mine)


def _fail(works: Sequence[_Work], error: Exception) -> None:
    for work in works:
        if not work.done.done():
            work.done.set_exception(error)
