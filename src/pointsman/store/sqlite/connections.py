"""The connections to one database file: one that writes, two that read, and the file's lock."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from pointsman.domain.clock import Clock, SystemClock
from pointsman.domain.errors import ConfigError, NotStorable, StoreUnavailable
from pointsman.store.migrations import Migration
from pointsman.store.sqlite.rows import SQL
from pointsman.store.sqlite.schema import connect, migrate, must_be_current
from pointsman.store.sqlite.writer import DATUM_ERRORS, Writer
from pointsman.store.statement_index import ReadKeys, no_keys

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
            raise ConfigError(f"store.url: there is no database at {self._path} yet")
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

    async def _read(self, call: Callable[[sqlite3.Connection], T]) -> T:
        return await self._reader.run(call)

    async def _write(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """What `call` returns, committed; it may share its transaction with others."""
        return await self._open_writer().run(call)

    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise StoreUnavailable("the SQLite store is not open")
        return self._writer


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
        except DATUM_ERRORS as error:
            raise NotStorable(f"the SQLite store can't hold this: {error}") from error
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
