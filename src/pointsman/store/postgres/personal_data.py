"""Finds, changes and erases rows of any table, for a person who is to be forgotten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import zstandard

from pointsman.store import table_sql
from pointsman.store.block_rewrite import DecideStatement, PlacedStatement, new_ranks, rewrite
from pointsman.store.named_sql import load
from pointsman.store.personal_data import TABLES, tables_of_learners
from pointsman.store.personal_data_store import BlockChange, DecideRow, RefusedLearner, Row
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.ingest import COMPRESSION_LEVEL
from pointsman.store.postgres.pool import LONG, count_of
from pointsman.store.postgres.retention import add_forgotten
from pointsman.store.postgres.rows import SQL, columns
from pointsman.store.postgres.session import Connection

PRIVACY_SQL = load("pointsman.store.postgres", "personal_data.sql")
#: rows that are fetched at once
_AT_ONCE = 200


class PostgresPersonalData(PostgresConnections):
    """A `PersonalDataStore` that replicas share."""

    async def installation_secret(self) -> bytes:
        secret = await self._pool.read(lambda db: db.fetchval(PRIVACY_SQL["installation_secret"]))
        return bytes(secret)

    async def table_columns(self) -> dict[str, set[str]]:
        rows = await self._pool.read(lambda db: db.fetch(PRIVACY_SQL["table_columns"]))
        tables: defaultdict[str, set[str]] = defaultdict(set)
        for table, column in rows:
            tables[table].add(column)
        return dict(tables)

    async def rows_where(self, table: str, column: str, values: Sequence[object]) -> list[Row]:
        query = table_sql.select_where(table, column, "= ANY($1)")
        rows = await self._pool.read(lambda db: db.fetch(query, list(values), timeout=LONG))
        return [dict(row) for row in rows]

    async def scan_rows(self, table: str, take: Callable[[Row], None]) -> None:
        async def read(connection: Connection) -> None:
            async for row in _each(connection, table_sql.select_all(table)):
                take(dict(row))

        await self._pool.snapshot(read)

    async def scan_blocks(self, take: Callable[[int, bytes], None]) -> None:
        async def read(connection: Connection) -> None:
            decompressor = zstandard.ZstdDecompressor()
            async for block, data in _each(connection, PRIVACY_SQL["all_blocks"]):
                take(block, decompressor.decompress(data))

        await self._pool.snapshot(read)

    async def change_rows(self, table: str, keys: Sequence[Row], decide: DecideRow) -> int:
        return await self._pool.transaction(lambda db: _change_rows(db, table, keys, decide))

    async def erase_learner(self, names: Sequence[str], *, now: int) -> int | None:
        return await self._pool.transaction(lambda db: _erase_learner(db, names, now))

    async def change_blocks(
        self, blocks: Sequence[int], decide: DecideStatement, erased_keys: frozenset[int]
    ) -> BlockChange:
        async def change(connection: Connection) -> BlockChange:
            done = BlockChange()
            for block in sorted(blocks):
                done += await _change_block(connection, block, decide, erased_keys)
            return done

        return await self._pool.transaction(change)

    async def blocks_with_keys(self, keys: Sequence[int]) -> list[int]:
        rows = await self._pool.read(
            lambda db: db.fetch(PRIVACY_SQL["blocks_with_keys"], list(keys), timeout=LONG)
        )
        return [block for (block,) in rows]

    async def compact(self) -> None:
        """Let the space of what was erased be used again; it is not overwritten before that."""

        async def vacuum(connection: Connection) -> None:
            for table in sorted(await self.table_columns()):
                await connection.execute(f"VACUUM {table}", timeout=LONG)

        await self._pool.read(vacuum)

    async def raw_remains(
        self,
        needles: Sequence[bytes],  # noqa: ARG002 - a Protocol's
        within: Sequence[bytes],  # noqa: ARG002 - a Protocol's
    ) -> dict[bytes, int]:
        return {}

    async def refuse_learners(self, refused: Sequence[RefusedLearner]) -> None:
        rows = [(one.hash, one.person, one.refused_at, one.until, one.inputs) for one in refused]
        await self._pool.transaction(
            lambda db: db.execute(PRIVACY_SQL["refuse_learners"], *columns(rows, 5))
        )

    async def refused_learners(self) -> list[RefusedLearner]:
        rows = await self._pool.read(lambda db: db.fetch(PRIVACY_SQL["read_refused"]))
        return [RefusedLearner(**row) for row in rows]

    async def count_refused(self, inputs: Mapping[str, int], *, now: int) -> None:
        async def write(connection: Connection) -> None:
            await connection.execute(PRIVACY_SQL["count_refused"], *columns(inputs.items(), 2))
            await connection.execute(PRIVACY_SQL["end_refused"], now)

        await self._pool.transaction(write)


async def _each(connection: Connection, query: str) -> AsyncIterator[Any]:
    """Rows one by one, within the caller's snapshot."""
    async for row in connection.cursor(query, prefetch=_AT_ONCE, timeout=LONG):
        yield row


def _parameter(place: int) -> str:
    return f"${place}"


async def _change_rows(
    connection: Connection, table: str, keys: Sequence[Row], decide: DecideRow
) -> int:
    changed = 0
    for wanted in keys:
        key = [wanted[name] for name in TABLES[table].key]
        query = f"{table_sql.select_row(table, _parameter)} FOR UPDATE"
        for record in await connection.fetch(query, *key):
            row = dict(record)
            new = decide(row)
            if new is None:
                await connection.execute(table_sql.delete_row(table, _parameter), *key)
            elif new != row:
                names = [name for name in row if new[name] != row[name]]
                query = table_sql.update_row(table, names, _parameter)
                await connection.execute(query, *key, *(new[name] for name in names))
            changed += new is None or new != row
    return changed


async def _erase_learner(connection: Connection, names: Sequence[str], now: int) -> int | None:
    endings = [f" {name}" for name in names]
    meetings = {
        meeting
        for ending in endings
        for (meeting,) in await connection.fetch(
            PRIVACY_SQL["meetings_of_learner"], ending, timeout=LONG
        )
    }
    # rows of people who have none would be made, and stay: a lock is for those that are there
    await connection.execute(SQL["lock_learners"], [*names, *meetings])
    if await connection.fetchval(PRIVACY_SQL["leased"], [*names, *meetings], now):
        return None
    erased = 0
    for ending in endings:
        erased += count_of(
            await connection.execute(PRIVACY_SQL["erase_attendance"], ending, timeout=LONG)
        )
    if meetings:
        await connection.execute(SQL["requeue_freed"], list(meetings))
    for table, column in tables_of_learners():
        query = table_sql.delete_where(table, column, "= ANY($1::text[])")
        erased += count_of(await connection.execute(query, list(names), timeout=LONG))
    return erased


async def _change_block(
    connection: Connection,
    block: int,
    decide: DecideStatement,
    erased_keys: frozenset[int],
) -> BlockChange:
    stored = await connection.fetchrow(PRIVACY_SQL["lock_block"], block)
    if stored is None:  # it was pruned meanwhile
        return BlockChange()
    data, keys = stored
    rows = [
        PlacedStatement(**row)
        for row in await connection.fetch(PRIVACY_SQL["placed_statements"], block)
    ]
    new = rewrite(zstandard.ZstdDecompressor().decompress(data), rows, decide)
    if not new.is_changed and not erased_keys.intersection(keys):
        # statements that came later may have brought keys with them (statement_index.late_rows)
        await connection.execute(PRIVACY_SQL["erase_keys"], list(erased_keys), block)
        return BlockChange()
    if new.erased:
        await connection.execute(PRIVACY_SQL["erase_statements"], new.erased)
        await connection.execute(PRIVACY_SQL["erase_refs"], block, new.erased)
        await add_forgotten(connection, new.outcomes)
    old_ranks = await connection.fetch(PRIVACY_SQL["ranks_of_keys"], list(keys), block)
    ranks = new_ranks([(key, text) for key, text in old_ranks], new.ranks, erased_keys)
    gone = [key for key, text in ranks.items() if text is None]
    await connection.execute(PRIVACY_SQL["erase_keys"], [*gone, *erased_keys], block)
    if not new.statements:
        await connection.execute(PRIVACY_SQL["erase_block"], block)
        return BlockChange(len(new.erased), new.replaced)
    staying = [(key, text) for key, text in ranks.items() if text is not None]
    await connection.execute(PRIVACY_SQL["save_ranks"], *columns(staying, 2), block)
    places = [(one.statement_id, one.start, one.length) for one in new.statements]
    await connection.execute(PRIVACY_SQL["place_statements"], *columns(places, 3))
    if new.is_changed:
        data = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(new.bodies)
    await connection.execute(PRIVACY_SQL["save_block"], block, data, [key for key, _ in staying])
    return BlockChange(len(new.erased), new.replaced)
