"""The one connection that writes, in a thread of its own: whatever waits shares its transaction."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pointsman.domain.clock import Clock, micros
from pointsman.domain.records import Receipt, Submission
from pointsman.store.group_commit import GroupCommit, Work
from pointsman.store.sqlite.ingest import ingest
from pointsman.store.sqlite.soundness import FoundDamage, LogMark
from pointsman.store.statement_index import ReadKeys

T = TypeVar("T")


class Writer:
    """The only one that writes. `threaded=False` commits in the loop's own thread, for tests.

    `last_commit` is when the newest statement of the file was stored.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        clock: Clock,
        damage: FoundDamage,
        mark: LogMark,
        *,
        threaded: bool,
        on_commit: Callable[[float, int], None],
        read_keys: ReadKeys,
        last_commit: int,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._damage = damage
        self._mark = mark
        self._read_keys = read_keys
        self._stored_at = last_commit
        self._thread = ThreadPoolExecutor(1, "pointsman-store") if threaded else None
        self._commits: GroupCommit[sqlite3.Connection] = GroupCommit(self._transact, on_commit)

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        return await self._commits.ingest(submissions)

    async def run(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """What `call` returns, committed."""
        return await self._commits.run(call)

    async def close(self) -> None:
        await self._commits.close()
        if self._thread is not None:
            self._thread.shutdown()

    async def _transact(self, works: Sequence[Work[sqlite3.Connection]]) -> list[Any]:
        # never twice and never back, whatever the clock does: queries go by it
        self._stored_at = stored_at = max(micros(self._clock.now()), self._stored_at + 1)
        self._damage.refuse_writes()
        try:
            if self._thread is None:
                return self._transaction(works, stored_at)
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, self._transaction, works, stored_at
            )
        except sqlite3.Error as error:
            refusal = self._damage.error_of(error, "commit")
            # a full disk, a lock or damage is no single work's fault; anything else may be one's
            is_general = isinstance(error, sqlite3.OperationalError) or self._damage.is_found
            if is_general or len(works) == 1:
                raise refusal from error
            raise

    def _transaction(self, works: Sequence[Work[sqlite3.Connection]], stored_at: int) -> list[Any]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._mark.renew()
            submissions = [submission for work in works for submission in work.submissions]
            receipts = iter(
                ingest(connection, submissions, stored_at, self._read_keys) if submissions else ()
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
