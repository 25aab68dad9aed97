"""A large store does no more for a statement or a delivery than an empty one: counted, not timed.

SQLite's steps are instructions of its virtual machine; a search in an index is one of them, however
deep the index is. PostgreSQL counts the rows that it read by going through a table.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from bench.bench_growth import fill_postgres, fill_sqlite
from demo.database import Database
from pointsman.domain.records import InputOutcome
from pointsman.store.base import Settlement, Store
from pointsman.store.postgres import PostgresStore
from pointsman.store.sqlite import SqliteStore, connections, read_thread
from pointsman.store.sqlite.schema import connect
from tests.support.change_factory import change, topic, wants
from tests.support.databases import fresh_database
from tests.support.thoroughness import thorough

#: known statement ids and desired states, five to a learner
_STATEMENTS = thorough(2_000_000, otherwise=200_000)
_DESIRED = _STATEMENTS // 10
_AT_ONCE, _TURNS = 100, 20
#: of the empty store's steps; the gauges may differ, for they count what waits
_AT_MOST = 1.02


async def take_in(store: Store, value: int) -> None:
    """A hundred statements about twenty learners of the filled store, in one commit."""
    learners = [f"old{number * 37 % (_DESIRED // 5):07}" for number in range(_AT_ONCE // 5)]
    asked = [
        wants(change(learner, topic(f"t{place}"), value, at=value))
        for learner in learners
        for place in range(5)
    ]
    for receipt in await asyncio.gather(*(store.ingest([each]) for each in asked)):
        assert receipt[0].outcomes == {InputOutcome.APPLIED: 1}


async def deliver(store: Store) -> None:
    for turn in range(_TURNS):
        now = 2**50 + turn
        (lease,) = await store.lease(now=now, ttl=60_000_000, limit=1)
        done = [Settlement(each.target, each.version, "delivered") for each in lease.desired]
        assert await store.settle(lease, done, now=now, ready_at=now)


async def _sqlite_steps(store: SqliteStore, count: Counter[str]) -> dict[str, int]:
    """Of each part of the work, in a store that knows these learners."""
    await store.open()
    try:
        await take_in(store, 51)
        await deliver(store)
        steps: dict[str, int] = {}
        for name, work in (
            ("take in", lambda: take_in(store, 52)),
            ("deliver", lambda: deliver(store)),
            ("gauges", store.backlog),
        ):
            count.clear()
            await work()
            steps[name] = count["steps"]
        return steps
    finally:
        await store.close()


async def test_a_large_sqlite_store_takes_no_more_steps_of_sql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count: Counter[str] = Counter()

    def counting(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_progress_handler(lambda: count.update(steps=1), 1)
        return connection

    filled = SqliteStore(tmp_path / "filled.db", threaded=False)
    await filled.upgrade()
    fill_sqlite(tmp_path / "filled.db", _STATEMENTS, _DESIRED)
    monkeypatch.setattr(connections, "connect", counting)
    monkeypatch.setattr(read_thread, "connect", counting)

    empty = await _sqlite_steps(SqliteStore(tmp_path / "empty.db", threaded=False), count)
    large = await _sqlite_steps(filled, count)

    assert all(empty.values())
    assert {name: large[name] for name in empty if large[name] > _AT_MOST * empty[name]} == {}


async def _rows_gone_through(connection: asyncpg.Connection) -> dict[str, int]:
    """By table, since the statistics began."""
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    query = "SELECT relname, seq_tup_read FROM pg_stat_user_tables"
    return {row["relname"]: row["seq_tup_read"] for row in await connection.fetch(query)}


async def test_a_large_postgresql_store_goes_through_no_large_table(database: Database) -> None:
    async with fresh_database(database) as dsn:
        store = PostgresStore(dsn)
        await store.upgrade()
        await fill_postgres(dsn, _STATEMENTS, _DESIRED)
        connection = await asyncpg.connect(dsn)
        try:
            before = await _rows_gone_through(connection)
            await store.open()
            try:
                await take_in(store, 51)
                await deliver(store)
                await store.backlog()
            finally:
                # a session's counts are written at the latest when it ends
                await store.close()
            after = await _rows_gone_through(connection)
        finally:
            await connection.close()
    read = {table: rows - before[table] for table, rows in after.items()}
    assert {table: rows for table, rows in read.items() if rows >= _DESIRED // 5} == {}
