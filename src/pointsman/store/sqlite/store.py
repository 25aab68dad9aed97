"""The embedded store: a SQLite file in WAL mode, one writer, readers that never wait for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from pointsman.domain.clock import Clock, SystemClock, micros
from pointsman.domain.errors import ConfigError, StoreUnavailable
from pointsman.domain.records import (
    AttachedData,
    Desired,
    Position,
    Receipt,
    SealedToken,
    Submission,
)
from pointsman.domain.targets import Target
from pointsman.store.base import (
    Agreement,
    Audited,
    AuditFinding,
    Backlog,
    Books,
    KnownDelivered,
    Lease,
    Parked,
    Remembered,
    Replayed,
    Search,
    SearchPage,
    Settlement,
    Stats,
    StoredDeadLetter,
    StoredStatement,
    UnmatchedSummary,
    Window,
)
from pointsman.store.migrations import Migration
from pointsman.store.sqlite import audit, delivery, operations, reads, statement_search
from pointsman.store.sqlite.backup import back_up
from pointsman.store.sqlite.documents import SqliteDocuments
from pointsman.store.sqlite.group_commit import GroupCommit
from pointsman.store.sqlite.lock import FileLock
from pointsman.store.sqlite.reader import ReadThread
from pointsman.store.sqlite.rows import SQL
from pointsman.store.sqlite.schema import connect, migrate, must_be_current
from pointsman.store.statement_index import ReadKeys, no_keys
from pointsman.store.strip_nul import clean

T = TypeVar("T")


class SqliteStore(SqliteDocuments):
    """A `Store` on one file. Open it once; a second daemon on the same file is refused.

    `beside` is for a command at a terminal: it works while a daemon has the file, and leaves the
    daemon's leases alone.
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
        # a long search holds up nobody but other searches
        self._searcher = ReadThread(self._path, "pointsman-search", threaded=threaded)
        self._connection: sqlite3.Connection | None = None
        self._writer: GroupCommit | None = None

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
            last_commit = reads.last_commit(self._connection)
            self._reader.open()
            self._searcher.open()
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"store.url: can't use {self._path}: {error}") from error
        self._writer = GroupCommit(
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

    async def backup(self, target: Path, on_progress: Callable[[int, int], None]) -> None:
        """A copy of the file as it is, while a daemon uses it; told (pages left, pages).

        Raises `ConfigError` when the copy can't be written or is not sound.
        """
        await asyncio.to_thread(back_up, self._path, target, on_progress)

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

    async def statement(self, statement_id: str) -> StoredStatement | None:
        return await self._reader.run(lambda db: reads.statement(db, statement_id))

    async def search(self, search: Search, *, limit: int) -> SearchPage:
        return await self._searcher.run(lambda db: statement_search.search(db, search, limit))

    async def voided(self, statement_ids: Sequence[str]) -> set[str]:
        return await self._searcher.run(lambda db: statement_search.voided(db, statement_ids))

    async def attachments(self, sha2s: Sequence[str]) -> dict[str, AttachedData]:
        return await self._searcher.run(lambda db: statement_search.attachments(db, sha2s))

    async def consistent_through(self) -> int:
        return micros(self._clock.now())  # what is stored can be read as soon as it is answered

    async def positions(self, group: str) -> list[Position]:
        return await self._reader.run(lambda db: reads.positions(db, group))

    async def claim(self, group: str, places: Sequence[tuple[str, int]]) -> list[Position]:
        return await self._open_writer().run(lambda db: operations.claim(db, group, places))

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

        return await self._reader.run(read)

    async def window(self) -> Window | None:
        return await self._reader.run(reads.window)

    async def save_window(self, window: Window) -> None:
        values = (window.ends_at, window.points, window.requests)
        await self._open_writer().run(lambda db: db.execute(SQL["save_window"], values) and None)

    async def delivered_sample(
        self, *, limit: int, settled_before: int, again_before: int
    ) -> dict[str, tuple[Desired, ...]]:
        return await self._reader.run(
            lambda db: audit.sample(db, limit, settled_before, again_before)
        )

    async def audit(
        self, learner: str, findings: Sequence[AuditFinding], *, now: int
    ) -> dict[Target, Audited]:
        return await self._open_writer().run(lambda db: audit.settle(db, learner, findings, now))

    async def undelivered(self) -> dict[str, tuple[Desired, ...]]:
        return await self._reader.run(audit.undelivered)

    async def take_as_delivered(self, known: Sequence[KnownDelivered], *, now: int) -> int:
        return await self._open_writer().run(lambda db: audit.take_known(db, known, now))

    async def sealed_tokens(self) -> list[SealedToken]:
        return await self._reader.run(
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

    async def prune(self, *, before: int, limit: int) -> int:
        return await self._open_writer().run(lambda db: operations.prune(db, before, limit))

    async def duty(self, name: str, *, now: int, ttl: int) -> bool:  # noqa: ARG002 - a Protocol's
        return True  # one daemon has the file

    async def parked(
        self, learners: Sequence[str], *, reason_prefix: str, limit: int
    ) -> list[Parked]:
        return await self._reader.run(
            lambda db: operations.parked(db, learners, reason_prefix, limit)
        )

    async def agreement(self) -> list[Agreement]:
        return await self._reader.run(audit.agreement)

    async def unmatched(self, *, limit: int) -> list[UnmatchedSummary]:
        return await self._reader.run(lambda db: operations.unmatched(db, limit))

    async def dead_letters(
        self, *, reason_prefix: str = "", source: str | None = None, after: int = 0, limit: int
    ) -> list[StoredDeadLetter]:
        return await self._reader.run(
            lambda db: operations.dead_letters(db, reason_prefix, source, after, limit)
        )

    async def dead_letter(self, letter_id: int) -> StoredDeadLetter | None:
        return await self._reader.run(lambda db: operations.dead_letter(db, letter_id))

    async def drop_dead_letters(self, letter_ids: Sequence[int]) -> int:
        return await self._open_writer().run(lambda db: operations.drop(db, letter_ids))

    async def revive(self, letter_id: int, submission: Submission) -> Receipt | None:
        stored_at = micros(self._clock.now())
        (cleaned,) = clean([submission])
        return await self._open_writer().run(
            lambda db: operations.revive(db, letter_id, cleaned, stored_at, self._read_keys)
        )

    async def remembered(
        self, *, since: int, after: tuple[int, str] | None, limit: int
    ) -> list[Remembered]:
        return await self._reader.run(lambda db: operations.remembered(db, since, after, limit))

    async def redecide(
        self, submissions: Sequence[Submission], *, now: int, dry_run: bool
    ) -> Replayed:
        cleaned = clean(submissions)
        return await self._open_writer().run(
            lambda db: operations.redecide(db, cleaned, now, self._read_keys, dry_run=dry_run)
        )

    async def stats(self) -> Stats:
        return await self._reader.run(lambda db: operations.stats(db, self._path))

    async def backlog(self) -> Backlog:
        return await self._reader.run(reads.backlog)

    async def books(self) -> Books:
        return await self._reader.run(reads.books)

    def _open_writer(self) -> GroupCommit:
        if self._writer is None:
            raise StoreUnavailable("the SQLite store is not open")
        return self._writer
