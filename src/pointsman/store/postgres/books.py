"""The books, the gauges and the sizes: all that counts and changes nothing."""

from __future__ import annotations

from pointsman.store.books import COUNTED_TABLES, BookCounts, make_backlog, make_books
from pointsman.store.postgres import schema
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.pool import LONG
from pointsman.store.postgres.rows import SQL
from pointsman.store.postgres.session import Connection
from pointsman.store.records import Backlog, Books, Stats


class PostgresBooks(PostgresConnections):
    """Both sums of promise 2, the backlog and the tables; each all of one snapshot."""

    async def stats(self) -> Stats:
        return await self._pool.snapshot(_stats)

    async def backlog(self) -> Backlog:
        return await self._pool.snapshot(_backlog)

    async def books(self) -> Books:
        return await self._pool.snapshot(_books)


async def _backlog(connection: Connection) -> Backlog:
    return make_backlog(
        await connection.fetch(SQL["count_undelivered"]),
        dead_letters=await connection.fetchval(SQL["count_dead_letters"]),
        unmatched=await connection.fetchval(SQL["count_unmatched"]),
    )


async def _books(connection: Connection) -> Books:
    counts = BookCounts(
        accepted=await connection.fetchval(SQL["sum_accepted"], timeout=LONG),
        outcomes=dict(await connection.fetch(SQL["count_outcomes"], timeout=LONG)),
        forgotten=dict(await connection.fetch(SQL["count_forgotten"])),
        bodies_missing=await connection.fetchval(SQL["bodies_missing"], timeout=LONG),
        unqueued=await connection.fetchval(SQL["dirty_unqueued"], timeout=LONG),
        unmatched=await connection.fetchval(SQL["count_unmatched"]),
        **await connection.fetchrow(SQL["count_desired"], timeout=LONG),
        **await connection.fetchrow(SQL["count_letters"]),
    )
    return make_books(counts)


async def _stats(connection: Connection) -> Stats:
    rows = {
        table: await connection.fetchval(f"SELECT count(*) FROM {table}", timeout=LONG)  # noqa: S608 - ours
        for table in COUNTED_TABLES
    }
    sizes = dict(await connection.fetch(SQL["table_sizes"]))
    oldest = await connection.fetchval(SQL["oldest_block"])
    return Stats(await schema.version(connection), rows, sizes, oldest)
