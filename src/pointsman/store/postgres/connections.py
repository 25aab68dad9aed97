"""The connections to one database, which replicas share, and what a replica is called there."""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import structlog

from pointsman.domain.clock import Clock, SystemClock, micros
from pointsman.domain.errors import ConfigError, Retry, StoreRefuses, StoreUnavailable
from pointsman.domain.statement_ids import StatementIds
from pointsman.store.group_commit import DELAY, GroupCommit, Work
from pointsman.store.migrations import Migration
from pointsman.store.postgres import ingest, schema
from pointsman.store.postgres.pool import Pool
from pointsman.store.postgres.rows import SQL
from pointsman.store.postgres.session import Connection
from pointsman.store.statement_index import ReadKeys, no_keys
from pointsman.store.strip_nul import clean

log = structlog.get_logger(__name__)

#: how often, and how many seconds apart, a daemon that starts looks for its database
_TRIES, _PAUSE = 30, 2.0
#: replicas add up what they accepted in so many rows at most
_SHARDS = 64


class PostgresConnections:
    """What the parts of the store share. `dsn` is a postgresql:// address of one or several hosts.

    `password` is asked for each new connection.

    `beside` is for a command at a terminal: it upgrades nothing. `commit_delay` is in seconds
    (`GroupCommit`). With `publish_turns` what is
    delivered waits to be written to a topic (`HistoryStore.unpublished_turns`).
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
        commit_delay: float = DELAY,
        read_keys: ReadKeys = no_keys,
        publish_turns: bool = False,
    ) -> None:
        self._read_keys = read_keys
        self._publish_turns = publish_turns
        self._statement_ids: StatementIds | None = None
        # searches may take long, and must leave connections to the rest
        self._searches = asyncio.Semaphore(max(1, connections // 4))
        self._pool = Pool(dsn, password, connections, _advance_sequences)
        self._clock = clock or SystemClock()
        self._beside = beside
        self._commits: GroupCommit[Connection] = GroupCommit(
            self._transact, on_commit, self._clock, commit_delay
        )
        self._shard = random.randrange(_SHARDS)  # noqa: S311 - spreads rows, guards nothing
        #: who this process is, where one of several has a duty
        self._name = str(uuid.uuid4())

    async def open(self) -> None:
        """Connect, and create or upgrade the schema; one of several replicas does it.

        A daemon waits for a database that is not there yet, up to a minute. Raises `ConfigError`
        at once for what waiting does not correct.
        """
        for left in range(0 if self._beside else _TRIES, -1, -1):
            try:
                return await self._open()
            except Retry as error:
                if not left:
                    raise
                log.warning(
                    "the store is not there yet",
                    reason=str(error),
                    tries_left=left,
                    next="see that the database of store.url runs; it is tried again by itself",
                )
                await self._clock.sleep(_PAUSE)
        return None

    async def _open(self) -> None:
        try:
            with _mistakes():
                await self._pool.open()
                async with self._pool.connection() as connection:
                    if self._beside:
                        await schema.must_be_current(connection)
                    else:
                        await schema.migrate(connection)
                        await _advance_sequences(connection)
                    installation = await connection.fetchrow(SQL["read_installation"])
                    self._statement_ids = StatementIds(*installation)
        except BaseException:
            await self._pool.close()
            raise

    async def upgrade(self) -> list[Migration]:
        try:
            with _mistakes():
                await self._pool.open()
                async with self._pool.connection() as connection:
                    return await schema.migrate(connection)
        finally:
            await self._pool.close()

    @property
    def statement_ids(self) -> StatementIds:
        if self._statement_ids is None:
            raise StoreUnavailable("the store is not open")
        return self._statement_ids

    async def close(self) -> None:
        await self._commits.close()
        with contextlib.suppress(StoreUnavailable):  # its time runs out, otherwise
            async with self._pool.connection() as connection:
                await connection.execute(SQL["leave_duties"], self._name)
        await self._pool.close()

    async def _transact(self, works: Sequence[Work[Connection]]) -> list[Any]:
        submissions = clean([submission for work in works for submission in work.submissions])
        stored_at = micros(self._clock.now())
        receipts = iter(
            await self._pool.transaction(
                lambda db: ingest.ingest(db, submissions, stored_at, self._shard, self._read_keys)
            )
        )
        return [[next(receipts) for _ in work.submissions] for work in works]


async def _advance_sequences(connection: Connection) -> None:
    if tables := await schema.advance_sequences(connection):
        log.warning(
            "sequences were behind the ids of their tables, and were advanced",
            tables=", ".join(tables),
            next="nothing, if the database was replicated or restored; else see who else writes "
            "to it",
        )


@contextlib.contextmanager
def _mistakes() -> Iterator[None]:
    """What time won't correct is a mistake in the settings while a process starts."""
    try:
        yield
    except StoreRefuses as error:
        raise ConfigError(str(error)) from error
