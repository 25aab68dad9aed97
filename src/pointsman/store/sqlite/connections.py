"""The connections to one database file: one that writes, two that read, and the file's lock."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from pointsman.domain.clock import Clock, SystemClock, micros
from pointsman.domain.errors import ConfigError, StoreUnavailable
from pointsman.domain.records import Receipt, Submission
from pointsman.store.group_commit import GroupCommit, Work
from pointsman.store.migrations import Migration
from pointsman.store.sqlite.ingest import ingest
from pointsman.store.sqlite.rows import SQL
from pointsman.store.sqlite.schema import connect, migrate, must_be_current
from pointsman.store.statement_index import ReadKeys, no_keys
from pointsman.store.strip_nul import clean

T = TypeVar("T")


class SqliteConnections:
    """What the parts of the store share. Open it once; a second daemon on a file is refused.

    `beside` is for a command at a terminal: it works while a daemon has the file, and leaves the
    daemon's leases alone. `threaded=False` does everything in the loop's own thread, for tests.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        clock: Clock | None = None,
        threaded: bool = True,
        beside: bool = False,
        on_commit: Callable[[float, int], None] = lambda _seconds, _submissions: None,
        read_keys: ReadKeys = no_keys,
    ) -> None:
        self._read_keys = read_keys
        self._beside = beside
        self._path = Path(path)
        self._clock = clock or SystemClock()
        self._threaded = threaded
        self._on_commit = on_commit
        self._lock = FileLock(self._path)
        self._reader = ReadThread(self._path, "pointsman-read", threaded=threaded)
        # a long search holds up nothing but other searches
        self._searcher = ReadThread(self._path, "pointsman-search", threaded=threaded)
        self._connection: sqlite3.Connection | None = None
        self._writer: Writer | None = None

    async def open(self) -> None:
        """Create or upgrade the file. Leases of a process that died are given back."""
        if self._beside and not self._path.exists():
            raise ConfigError(
                f"store.url: there is no database at {self._path} yet, so nothing was received; "
                "`pointsman run` makes it"
            )
        try:
            if self._beside:
                self._connection = connect(self._path)
                must_be_current(self._connection)
            else:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._lock.take()
                self._connection = connect(self._path)
                migrate(self._connection)
                self._connection.execute(SQL["release_leases"])
            (last_commit,) = self._connection.execute(SQL["last_commit"]).fetchone()
            self._reader.open()
            self._searcher.open()
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"store.url: can't use {self._path}: {error}") from error
        self._writer = Writer(
            self._connection,
            self._clock,
            threaded=self._threaded,
            on_commit=self._on_commit,
            read_keys=self._read_keys,
            last_commit=last_commit,
        )

    async def upgrade(self) -> list[Migration]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.take()
            with closing(connect(self._path)) as connection:
                return migrate(connection)
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"store.url: can't use {self._path}: {error}") from error
        finally:
            self._lock.release()

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        self._reader.close()
        self._searcher.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lock.release()

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        return await self._open_writer().ingest(clean(submissions))

    async def _read(self, call: Callable[[sqlite3.Connection], T]) -> T:
        return await self._reader.run(call)

    async def _write(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """What `call` returns, committed; it may share its transaction with others."""
        return await self._open_writer().run(call)

    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise StoreUnavailable("the SQLite store is not open")
        return self._writer


class Writer:
    """The one connection that writes, and its thread: whatever waits shares its transaction.

    `threaded=False` commits in the loop's own thread, for tests.

    `last_commit` is when the newest statement of the file was stored.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        clock: Clock,
        *,
        threaded: bool,
        on_commit: Callable[[float, int], None],
        read_keys: ReadKeys,
        last_commit: int,
    ) -> None:
        self._connection = connection
        self._clock = clock
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
        try:
            if self._thread is None:
                return self._transaction(works, stored_at)
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, self._transaction, works, stored_at
            )
        except sqlite3.Error as error:
            refusal = StoreUnavailable(f"the SQLite store could not commit: {error}")
            # a full disk or a lock is no single work's fault; anything else may be one's
            if isinstance(error, sqlite3.OperationalError) or len(works) == 1:
                raise refusal from error
            raise

    def _transaction(self, works: Sequence[Work[sqlite3.Connection]], stored_at: int) -> list[Any]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
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


class ReadThread:
    """One connection that reads, and its thread; a reader never waits for the writer."""

    def __init__(self, path: Path, name: str, *, threaded: bool) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, name) if threaded else None
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        self._connection = connect(self._path)

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def run(self, call: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        if connection is None:
            raise StoreUnavailable("the SQLite store is not open")
        try:
            if self._thread is None:
                return call(connection)
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, connection)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the SQLite store could not be read: {error}") from error


class FileLock:
    """One daemon a database file: two would each spend the whole quota.

    An advisory lock beside the database; the kernel lets go of it when the process ends.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._handle: int | None = None

    def take(self) -> None:
        """Raises `ConfigError` while another process has it."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise ConfigError(
                f"store.url: another pointsman (process {holder}) is running on this database; "
                f"stop it, or give this one a file of its own ({self._path} is locked)"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
