"""The connections to one database file: one that writes, and two that read."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import structlog

from pointsman.domain.clock import Clock, SystemClock, micros
from pointsman.domain.errors import ConfigError, NotStorable, StoreUnavailable
from pointsman.domain.records import Receipt, Submission
from pointsman.domain.statement_ids import StatementIds
from pointsman.store.group_commit import DELAY, GroupCommit, Work
from pointsman.store.migrations import Migration
from pointsman.store.shared_calls import call_all
from pointsman.store.sqlite.ingest import ingest
from pointsman.store.sqlite.lock import FileLock
from pointsman.store.sqlite.read_thread import ReadThread
from pointsman.store.sqlite.rows import SQL
from pointsman.store.sqlite.schema import connect, migrate, must_be_current
from pointsman.store.sqlite.soundness import (
    LOG_HEADER,
    SALT,
    VALUE_ERRORS,
    FoundDamage,
    StoreDamaged,
    log_of,
    mark,
    must_be_sound,
    must_have_folder,
    must_have_own_log,
    note_of,
    refusal,
)
from pointsman.store.sqlite.upgrade import upgrade
from pointsman.store.statement_index import ReadKeys, no_keys
from pointsman.store.strip_nul import clean

log = structlog.get_logger(__name__)

T = TypeVar("T")


class SqliteConnections:
    """What the parts of the store share. Open it once; a second daemon on a file is refused.

    `beside` is for a command at a terminal: it works while a daemon has the file, and leaves the
    daemon's leases alone. `threaded=False` does everything in the loop's own thread, for tests.
    `commit_delay` is in seconds (`GroupCommit`). With `publish_turns` what is delivered waits to be
    written to a topic (`HistoryStore`).
    """

    def __init__(
        self,
        path: str | Path,
        *,
        clock: Clock | None = None,
        threaded: bool = True,
        beside: bool = False,
        on_commit: Callable[[float, int], None] = lambda _seconds, _submissions: None,
        commit_delay: float = DELAY,
        read_keys: ReadKeys = no_keys,
        publish_turns: bool = False,
    ) -> None:
        self._read_keys = read_keys
        self._publish_turns = publish_turns
        self._statement_ids: StatementIds | None = None
        self._beside = beside
        self._path = Path(path)
        self._clock = clock or SystemClock()
        self._threaded = threaded
        self._on_commit = on_commit
        self._commit_delay = commit_delay
        self._lock = FileLock(self._path)
        self._damage = FoundDamage(self._path)
        self._reader = ReadThread(self._path, self._damage, "pointsman-read", threaded=threaded)
        # a long search holds up nothing but other searches
        self._searcher = ReadThread(self._path, self._damage, "pointsman-search", threaded=threaded)
        self._connection: sqlite3.Connection | None = None
        self._writer: Writer | None = None

    async def open(self) -> None:
        """Create or upgrade the file. Leases of a process that died are given back.

        Raises `ConfigError`, and `StoreDamaged` for a file that is not sound.
        """
        if not self._threaded:
            connection, last_commit = self._open_file()
        else:
            # a check or an upgrade may take minutes, and signals must be heard meanwhile
            opening = asyncio.ensure_future(asyncio.to_thread(self._open_file))
            try:
                connection, last_commit = await asyncio.shield(opening)
            except asyncio.CancelledError:
                with suppress(ConfigError, StoreUnavailable):
                    await opening
                await self.close()
                raise
        self._writer = Writer(
            connection,
            self._clock,
            self._damage,
            LogMark(connection, self._path, self._lock),
            threaded=self._threaded,
            on_commit=self._on_commit,
            commit_delay=self._commit_delay,
            read_keys=self._read_keys,
            last_commit=last_commit,
        )

    def _open_file(self) -> tuple[sqlite3.Connection, int]:
        """The connection that writes, and when the newest statement was stored."""
        if self._beside and not (self._path.exists() and self._path.stat().st_size):
            raise ConfigError(
                f"store.url: there is no database at {self._path} yet, so nothing was received; "
                "`pointsman run` makes it"
            )
        try:
            if self._beside:
                if not self._lock.join():
                    must_have_own_log(self._path)
                self._connection = connect(self._path)
                must_be_current(self._connection)
            else:
                must_have_folder(self._path)
                is_new = not self._path.exists()
                note = self._lock.take()
                must_be_sound(self._path, note)
                self._connection = connect(self._path)
                migrate(self._connection)
                mark(self._connection)
                if is_new:
                    log.info("a new store was made; nothing was received yet", path=str(self._path))
                self._connection.execute(SQL["release_leases"])
            installation = self._connection.execute(SQL["read_installation"]).fetchone()
            self._statement_ids = StatementIds(*installation)
            (last_commit,) = self._connection.execute(SQL["last_commit"]).fetchone()
            self._reader.open()
            self._searcher.open()
        except (sqlite3.Error, OSError) as error:
            raise refusal(self._path, error) from error
        return self._connection, int(last_commit)

    async def upgrade(self) -> list[Migration]:
        return upgrade(self._path, self._lock)

    @property
    def statement_ids(self) -> StatementIds:
        if self._statement_ids is None:
            raise StoreUnavailable("the store is not open")
        return self._statement_ids

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        self._reader.close()
        self._searcher.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lock.release("" if self._damage.error else note_of(self._path))

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

    `threaded=False` commits in the loop's own thread, for tests. `last_commit` is when the newest
    statement of the file was stored.
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
        commit_delay: float,
        read_keys: ReadKeys,
        last_commit: int,
    ) -> None:
        self._connection, self._clock = connection, clock
        self._damage, self._mark = damage, mark
        self._read_keys = read_keys
        self._stored_at = last_commit
        self._thread = ThreadPoolExecutor(1, "pointsman-store") if threaded else None
        self._commits: GroupCommit[sqlite3.Connection] = GroupCommit(
            self._transact, on_commit, clock, commit_delay
        )

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
        if self._damage.error is not None:
            raise StoreDamaged(str(self._damage.error))
        try:
            if self._thread is None:
                return self._transaction(works, stored_at)
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, self._transaction, works, stored_at
            )
        except VALUE_ERRORS as error:
            raise NotStorable(f"the SQLite store can't hold this: {error}") from error
        except sqlite3.Error as error:
            unavailable = self._damage.error_of(error, "commit")
            # a full disk, a lock or damage is no single work's fault; anything else may be one's
            is_general = (
                isinstance(error, sqlite3.OperationalError) or self._damage.error is not None
            )
            if is_general or len(works) == 1:
                raise unavailable from error
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
            calls = [work.call for work in works if work.call is not None]
            results = iter(call_all(connection, calls) if calls else ())
            outcomes: list[Any] = [
                next(results)
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


class LogMark:
    """Writes the file's number into its log each time that the log begins again."""

    def __init__(self, connection: sqlite3.Connection, path: Path, lock: FileLock) -> None:
        self._connection, self._lock, self._descriptor = connection, lock, lock.descriptor
        self._path, self._log, self._salt = str(path), log_of(path), b""
        (self._number,) = connection.execute("PRAGMA application_id").fetchone()

    def renew(self) -> None:
        """Within a transaction. The log of the transaction before has the number already.

        Raises `StoreUnavailable` where the file is not in its place any longer.
        """
        try:
            there, held = os.stat(self._path), os.fstat(self._descriptor)  # noqa: PTH116 - quicker
        except OSError:
            raise self._lock.moved() from None
        if there.st_ino != held.st_ino or there.st_dev != held.st_dev:
            raise self._lock.moved()
        salt = b""
        with suppress(FileNotFoundError), self._log.open("rb", buffering=0) as file:
            salt = file.read(LOG_HEADER)[SALT]
        if salt != self._salt or not salt:
            self._connection.execute(f"PRAGMA application_id = {int(self._number)}")
            self._salt = salt
