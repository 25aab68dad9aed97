"""The embedded store: a SQLite file in WAL mode, one writer, readers that never wait for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pointsman.clock import Clock, SystemClock
from pointsman.errors import ConfigError, StoreUnavailable
from pointsman.model import Desired, Position, Receipt, SealedToken, Submission, Target
from pointsman.store.base import (
    Audited,
    Backlog,
    Books,
    Finding,
    Known,
    Lease,
    Settlement,
    StoredStatement,
    Window,
)
from pointsman.store.sqlite import audit, delivery, reads
from pointsman.store.sqlite.lock import FileLock
from pointsman.store.sqlite.rows import SQL
from pointsman.store.sqlite.schema import connect, migrate
from pointsman.store.sqlite.writer import Writer

T = TypeVar("T")


class SqliteStore:
    """A `Store` on one file. Open it once; a second daemon on the same file is refused."""

    def __init__(
        self,
        path: str | Path,
        *,
        clock: Clock | None = None,
        threaded: bool = True,
        on_commit: Callable[[float, int], None] = lambda _seconds, _submissions: None,
    ) -> None:
        self._path = Path(path)
        self._clock = clock or SystemClock()
        self._threaded = threaded
        self._on_commit = on_commit
        self._lock = FileLock(self._path)
        self._read_thread = ThreadPoolExecutor(1, "pointsman-read") if threaded else None
        self._reader: sqlite3.Connection | None = None
        self._connection: sqlite3.Connection | None = None
        self._writer: Writer | None = None

    async def open(self) -> None:
        """Create or upgrade the file. Leases of a process that died are given back."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.take()
            self._connection = connect(self._path)
            migrate(self._connection)
            self._connection.execute(SQL["release_leases"])
            self._reader = connect(self._path)
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"store.url: can't use {self._path}: {error}") from error
        self._writer = Writer(
            self._connection, self._clock, threaded=self._threaded, on_commit=self._on_commit
        )

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        if self._read_thread is not None:
            self._read_thread.shutdown()
        for connection in (self._reader, self._connection):
            if connection is not None:
                connection.close()
        self._reader = self._connection = None
        self._lock.release()

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        return await self._open_writer().ingest(submissions)

    async def statement(self, statement_id: str) -> StoredStatement | None:
        return await self._read(lambda db: reads.statement(db, statement_id))

    async def positions(self, group: str) -> list[Position]:
        return await self._read(lambda db: reads.positions(db, group))

    async def lease(self, *, now: int, ttl: int, limit: int) -> list[Lease]:
        return await self._open_writer().run(lambda db: delivery.lease(db, now, ttl, limit))

    async def settle(
        self, lease: Lease, settlements: Sequence[Settlement], *, now: int, ready_at: int
    ) -> bool:
        return await self._open_writer().run(
            lambda db: delivery.settle(db, lease, settlements, now, ready_at)
        )

    async def unpark(
        self, learners: Sequence[str] | None = None, *, reason_prefix: str = ""
    ) -> int:
        return await self._open_writer().run(
            lambda db: delivery.unpark(db, learners, reason_prefix)
        )

    async def next_ready_at(self) -> int | None:
        def read(db: sqlite3.Connection) -> int | None:
            (ready_at,) = db.execute(SQL["next_ready_at"]).fetchone()
            return None if ready_at is None else int(ready_at)

        return await self._read(read)

    async def window(self) -> Window | None:
        return await self._read(reads.window)

    async def save_window(self, window: Window) -> None:
        values = (window.ends_at, window.points, window.requests)
        await self._open_writer().run(lambda db: db.execute(SQL["save_window"], values) and None)

    async def delivered_sample(
        self, *, limit: int, settled_before: int, again_before: int
    ) -> dict[str, tuple[Desired, ...]]:
        return await self._read(lambda db: audit.sample(db, limit, settled_before, again_before))

    async def audit(
        self, learner: str, findings: Sequence[Finding], *, now: int
    ) -> dict[Target, Audited]:
        return await self._open_writer().run(lambda db: audit.settle(db, learner, findings, now))

    async def undelivered(self) -> dict[str, tuple[Desired, ...]]:
        return await self._read(audit.undelivered)

    async def take_as_delivered(self, known: Sequence[Known], *, now: int) -> int:
        return await self._open_writer().run(lambda db: audit.take_known(db, known, now))

    async def sealed_tokens(self) -> list[SealedToken]:
        return await self._read(
            lambda db: [SealedToken(*row) for row in db.execute(SQL["read_tokens"])]
        )

    async def save_sealed_tokens(self, rows: Sequence[SealedToken], gone: Sequence[str]) -> None:
        def write(db: sqlite3.Connection) -> None:
            db.executemany(SQL["drop_token"], [(learner,) for learner in gone])
            db.executemany(
                SQL["save_token"],
                [(one.learner, one.sealed, one.stored_at, one.expires_at) for one in rows],
            )

        await self._open_writer().run(write)

    async def backlog(self) -> Backlog:
        return await self._read(reads.backlog)

    async def books(self) -> Books:
        return await self._read(reads.books)

    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise StoreUnavailable("the SQLite store is not open")
        return self._writer

    async def _read(self, call: Callable[[sqlite3.Connection], T]) -> T:
        reader = self._reader
        if reader is None:
            raise StoreUnavailable("the SQLite store is not open")
        try:
            if self._read_thread is None:
                return call(reader)
            return await asyncio.get_running_loop().run_in_executor(self._read_thread, call, reader)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the SQLite store could not be read: {error}") from error
