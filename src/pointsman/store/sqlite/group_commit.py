"""Group commit: one writer, one transaction at a time, each taking all the work that waits.

Work is a call that gets the connection; submissions are collected into one call. When a shared
transaction fails, each piece is tried again alone, so that a bad one fails by itself.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.records import Receipt, Submission
from pointsman.store.sqlite.ingest import ingest
from pointsman.store.statement_index import ReadKeys, no_keys

#: submissions that share a commit at most; the rest waits for the next one
MAX_SUBMISSIONS = 2_000

Call = Callable[[sqlite3.Connection], Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Work:
    """Either submissions or a call, and who waits for it."""

    done: asyncio.Future[Any]
    submissions: tuple[Submission, ...] = ()
    call: Call | None = None


class GroupCommit:
    """The only one that writes. `threaded=False` commits in the loop's own thread, for tests."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        clock: Clock,
        *,
        threaded: bool = True,
        on_commit: Callable[[float, int], None] = lambda _seconds, _submissions: None,
        read_keys: ReadKeys = no_keys,
        last_commit: int = 0,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._read_keys = read_keys
        self._stamp = last_commit
        self._on_commit = on_commit
        self._thread = ThreadPoolExecutor(1, "pointsman-store") if threaded else None
        self._waiting: list[_Work] = []
        self._busy: asyncio.Task[None] | None = None

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        receipts: list[Receipt] = await self._enqueue(submissions=tuple(submissions))
        return receipts

    async def run(self, call: Callable[[sqlite3.Connection], T]) -> T:
        result: T = await self._enqueue(call=call)
        return result

    async def close(self) -> None:
        while self._busy is not None:
            await self._busy
        if self._thread is not None:
            self._thread.shutdown()

    async def _enqueue(
        self, *, submissions: tuple[Submission, ...] = (), call: Call | None = None
    ) -> Any:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Work(done, submissions, call))
        if self._busy is None:
            self._busy = asyncio.create_task(self._drain())
        return await done

    async def _drain(self) -> None:
        try:
            while self._waiting:
                works = self._take()
                # never twice and never back, whatever the clock does: queries go by it
                self._stamp = stamp = max(micros(self._clock.now()), self._stamp + 1)
                if self._thread is None:
                    outcomes = self._commit(works, stamp)
                else:
                    outcomes = await asyncio.get_running_loop().run_in_executor(
                        self._thread, self._commit, works, stamp
                    )
                for work, outcome in zip(works, outcomes, strict=True):
                    if work.done.done():  # whoever waited was cancelled; the work stands
                        continue
                    if isinstance(outcome, BaseException):
                        work.done.set_exception(outcome)
                    else:
                        work.done.set_result(outcome)
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

    def _commit(self, works: list[_Work], stamp: int) -> list[Any]:
        started = time.perf_counter()
        try:
            outcomes = self._transaction(works, stamp)
        except sqlite3.OperationalError as error:  # a full disk, a lock: nobody's own fault
            return [_as_ours(error)] * len(works)
        except Exception as error:  # noqa: BLE001 - it goes to whoever gave the work
            if len(works) == 1:
                return [_as_ours(error)]
            return [outcome for work in works for outcome in self._commit([work], stamp)]
        count = sum(len(work.submissions) for work in works)
        self._on_commit(time.perf_counter() - started, count)
        return outcomes

    def _transaction(self, works: list[_Work], stamp: int) -> list[Any]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            submissions = [one for work in works for one in work.submissions]
            receipts = iter(
                ingest(connection, submissions, stamp, self._read_keys) if submissions else ()
            )
            outcomes: list[Any] = [
                work.call(connection)
                if work.call is not None
                else [next(receipts) for _ in work.submissions]
                for work in works
            ]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return outcomes


def _as_ours(error: Exception) -> Exception:
    if isinstance(error, sqlite3.Error):
        return StoreUnavailable(f"the SQLite store could not commit: {error}")
    return error
