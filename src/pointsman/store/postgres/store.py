"""The shared store: a PostgreSQL database that any number of replicas have open."""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from pointsman.domain.clock import Clock, SystemClock, micros
from pointsman.domain.errors import StoreUnavailable
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
)
from pointsman.store.migrations import Migration
from pointsman.store.postgres import (
    audit,
    delivery,
    ingest,
    operations,
    reads,
    schema,
    statement_search,
)
from pointsman.store.postgres.documents import PostgresDocuments
from pointsman.store.postgres.group_commit import GroupCommit
from pointsman.store.postgres.pool import Connection, Pool
from pointsman.store.postgres.rows import SQL, columns
from pointsman.store.statement_index import ReadKeys, no_keys
from pointsman.store.strip_nul import clean

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: how often, and how many seconds apart, a daemon that starts looks for its database
_TRIES, _PAUSE = 30, 2.0
#: replicas add up what they accepted in so many rows at most
_SHARDS = 64


class PostgresStore(PostgresDocuments):
    """A `Store` that replicas share. `dsn` is a postgresql:// address.

    `beside` is for a command at a terminal: it upgrades nothing.
    """

    def __init__(
        self,
        dsn: str,
        *,
        password: Callable[[], str] | None = None,
        connections: int = 8,
        clock: Clock | None = None,
        beside: bool = False,
        on_commit: Callable[[float, int], None] = lambda _seconds, _submissions: None,
        read_keys: ReadKeys = no_keys,
    ) -> None:
        self._read_keys = read_keys
        # searches may take long, and must leave connections to the rest
        self._searches = asyncio.Semaphore(max(1, connections // 4))
        self._pool = Pool(dsn, password, connections)
        self._clock = clock or SystemClock()
        self._beside = beside
        self._commits = GroupCommit(self._commit, on_commit)
        self._shard = random.randrange(_SHARDS)  # noqa: S311 - spreads rows, guards nothing
        #: who this process is, where one of several has a duty
        self._name = str(uuid.uuid4())

    async def open(self) -> None:
        """Connect, and create or upgrade the schema; one of several replicas does it.

        A daemon waits for a database that is not there yet, up to a minute.
        """
        for left in range(0 if self._beside else _TRIES, -1, -1):
            try:
                return await self._open()
            except StoreUnavailable as error:
                if not left:
                    raise
                log.warning("the store is not there yet", reason=str(error), tries_left=left)
                await self._clock.sleep(_PAUSE)
        return None

    async def _open(self) -> None:
        await self._pool.open()
        try:
            async with self._pool.connection() as connection:
                if self._beside:
                    await schema.must_be_current(connection)
                else:
                    await schema.migrate(connection)
        except BaseException:
            await self._pool.close()
            raise

    async def upgrade(self) -> list[Migration]:
        await self._pool.open()
        try:
            async with self._pool.connection() as connection:
                return await schema.migrate(connection)
        finally:
            await self._pool.close()

    async def close(self) -> None:
        await self._commits.close()
        with contextlib.suppress(StoreUnavailable):  # its time runs out, otherwise
            async with self._pool.connection() as connection:
                await connection.execute(SQL["leave_duties"], self._name)
        await self._pool.close()

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        return await self._commits.ingest(submissions)

    async def _commit(self, submissions: Sequence[Submission]) -> list[Receipt]:
        stored_at = micros(self._clock.now())
        cleaned = clean(submissions)
        return await self._pool.transaction(
            lambda db: ingest.ingest(db, cleaned, stored_at, self._shard, self._read_keys)
        )

    async def statement(self, statement_id: str) -> StoredStatement | None:
        return await self._pool.read(lambda db: reads.statement(db, statement_id))

    async def search(self, search: Search, *, limit: int) -> SearchPage:
        async with self._searches:
            return await self._pool.read(lambda db: statement_search.search(db, search, limit))

    async def voided(self, statement_ids: Sequence[str]) -> set[str]:
        return await self._pool.read(lambda db: statement_search.voided(db, statement_ids))

    async def attachments(self, sha2s: Sequence[str]) -> dict[str, AttachedData]:
        async with self._searches:
            return await self._pool.read(lambda db: statement_search.attachments(db, sha2s))

    async def consistent_through(self) -> int:
        now = micros(self._clock.now())
        return await self._pool.read(lambda db: statement_search.consistent_through(db, now))

    async def positions(self, group: str) -> list[Position]:
        return await self._pool.read(lambda db: reads.positions(db, group))

    async def claim(self, group: str, places: Sequence[tuple[str, int]]) -> list[Position]:
        return await self._pool.transaction(lambda db: operations.claim(db, group, places))

    async def lease(self, *, now: int, ttl: int, limit: int) -> list[Lease]:
        return await self._pool.transaction(lambda db: delivery.lease(db, now, ttl, limit))

    async def settle(
        self, lease: Lease, settlements: Sequence[Settlement], *, now: int, ready_at: int
    ) -> bool:
        return await self._pool.transaction(
            lambda db: delivery.settle(db, lease, settlements, now, ready_at)
        )

    async def unpark(
        self, learners: Sequence[str] | None = None, *, reason_prefix: str = ""
    ) -> int:
        return await self._pool.transaction(lambda db: delivery.unpark(db, learners, reason_prefix))

    async def next_ready_at(self) -> int | None:
        found: int | None = await self._pool.read(lambda db: db.fetchval(SQL["next_ready_at"]))
        return found

    async def delivered_sample(
        self, *, limit: int, settled_before: int, again_before: int
    ) -> dict[str, tuple[Desired, ...]]:
        return await self._pool.read(
            lambda db: audit.sample(db, limit, settled_before, again_before)
        )

    async def audit(
        self, learner: str, findings: Sequence[AuditFinding], *, now: int
    ) -> dict[Target, Audited]:
        return await self._pool.transaction(lambda db: audit.settle(db, learner, findings, now))

    async def undelivered(self) -> dict[str, tuple[Desired, ...]]:
        return await self._pool.read(audit.undelivered)

    async def take_as_delivered(self, known: Sequence[KnownDelivered], *, now: int) -> int:
        return await self._pool.transaction(lambda db: audit.take_known(db, known, now))

    async def sealed_tokens(self) -> list[SealedToken]:
        async def read(db: Connection) -> list[SealedToken]:
            return [SealedToken(*row) for row in await db.fetch(SQL["read_tokens"])]

        return await self._pool.read(read)

    async def save_sealed_tokens(self, rows: Sequence[SealedToken], gone: Sequence[str]) -> None:
        kept = sorted((one.learner, one.sealed, one.stored_at, one.expires_at) for one in rows)

        async def write(db: Connection) -> None:
            await db.execute(SQL["drop_tokens"], list(gone))
            await db.execute(SQL["save_tokens"], *columns(kept, 4))

        await self._pool.transaction(write)

    async def prune(self, *, before: int, limit: int) -> int:
        return await self._pool.transaction(lambda db: operations.prune(db, before, limit))

    async def pace(self, decide: Callable[[str, int], tuple[str, T]]) -> T:
        async def turn(db: Connection) -> T:
            row = await db.fetchrow(SQL["lock_pace"])
            if row is None:
                await db.execute(SQL["add_pace"])
                row = await db.fetchrow(SQL["lock_pace"])
            state, result = decide(*row)
            await db.execute(SQL["save_pace"], state)
            return result

        return await self._pool.transaction(turn)

    async def duty(self, name: str, *, now: int, ttl: int) -> bool:
        async def take(db: Connection) -> bool:
            found = await db.fetchval(SQL["take_duty"], name, self._name, now, now + ttl)
            return found is not None

        return await self._pool.transaction(take)

    async def parked(
        self, learners: Sequence[str], *, reason_prefix: str, limit: int
    ) -> list[Parked]:
        return await self._pool.read(
            lambda db: operations.parked(db, learners, reason_prefix, limit)
        )

    async def agreement(self) -> list[Agreement]:
        return await self._pool.read(audit.agreement)

    async def unmatched(self, *, limit: int) -> list[UnmatchedSummary]:
        return await self._pool.read(lambda db: operations.unmatched(db, limit))

    async def dead_letters(
        self, *, reason_prefix: str = "", source: str | None = None, after: int = 0, limit: int
    ) -> list[StoredDeadLetter]:
        return await self._pool.read(
            lambda db: operations.dead_letters(db, reason_prefix, source, after, limit)
        )

    async def dead_letter(self, letter_id: int) -> StoredDeadLetter | None:
        return await self._pool.read(lambda db: operations.dead_letter(db, letter_id))

    async def drop_dead_letters(self, letter_ids: Sequence[int]) -> int:
        return await self._pool.transaction(lambda db: operations.drop(db, letter_ids))

    async def revive(self, letter_id: int, submission: Submission) -> Receipt | None:
        stored_at = micros(self._clock.now())
        (cleaned,) = clean([submission])
        return await self._pool.transaction(
            lambda db: operations.revive(
                db, letter_id, cleaned, stored_at, self._shard, self._read_keys
            )
        )

    async def remembered(
        self, *, since: int, after: tuple[int, str] | None, limit: int
    ) -> list[Remembered]:
        return await self._pool.read(lambda db: operations.remembered(db, since, after, limit))

    async def redecide(
        self, submissions: Sequence[Submission], *, now: int, dry_run: bool
    ) -> Replayed:
        cleaned = clean(submissions)
        return await self._pool.transaction(
            lambda db: operations.redecide(
                db, cleaned, now, self._shard, self._read_keys, dry_run=dry_run
            )
        )

    async def stats(self) -> Stats:
        return await self._pool.snapshot(operations.stats)

    async def backlog(self) -> Backlog:
        return await self._pool.snapshot(reads.backlog)

    async def books(self) -> Books:
        return await self._pool.snapshot(reads.books)
