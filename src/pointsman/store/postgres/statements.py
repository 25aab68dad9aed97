"""Stored statements: one by its id, and searches by the index of keys."""

from __future__ import annotations

from collections.abc import Sequence

from pointsman.domain.clock import micros
from pointsman.domain.log_positions import Position
from pointsman.domain.records import AttachedData
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.rows import SQL, columns
from pointsman.store.postgres.session import Connection
from pointsman.store.postgres.statement_index import read_statement
from pointsman.store.search_page import NO_LIMIT, CommitRow, SearchPageBuilder, StatementRow
from pointsman.store.statement_records import Search, SearchPage, StoredStatement

#: replicas number their commits a little out of the order of their clocks, in microseconds
_SLACK = 60_000_000


class PostgresStatements(PostgresConnections):
    """Statements and Kafka positions that are stored."""

    async def statement(self, statement_id: str) -> StoredStatement | None:
        return await self._pool.read(lambda db: read_statement(db, statement_id))

    async def search(self, search: Search, *, limit: int) -> SearchPage:
        async with self._searches:
            return await self._pool.read(lambda db: _search(db, search, limit))

    async def voided(self, statement_ids: Sequence[str]) -> set[str]:
        rows = await self._pool.read(lambda db: db.fetch(SQL["voided"], list(statement_ids)))
        return {statement_id for (statement_id,) in rows}

    async def attachments(self, sha2s: Sequence[str]) -> dict[str, AttachedData]:
        async with self._searches:
            rows = await self._pool.read(lambda db: db.fetch(SQL["read_attachments"], list(sha2s)))
        return {row["sha2"]: AttachedData(**row) for row in rows}

    async def consistent_through(self) -> int:
        """Nothing that is not committed yet was stored before that."""
        now = micros(self._clock.now())
        began = await self._pool.read(lambda db: db.fetchval(SQL["oldest_commit_under_way"]))
        return now if began is None else min(now, int(began))

    async def positions(self, group: str) -> list[Position]:
        rows = await self._pool.read(lambda db: db.fetch(SQL["read_positions"], group))
        return [Position(group, **row) for row in rows]

    async def claim(self, group: str, places: Sequence[tuple[str, int]]) -> list[Position]:
        rows = await self._pool.transaction(
            lambda db: db.fetch(SQL["claim_positions"], group, *columns(places, 2))
        )
        return [Position(group, **row) for row in rows]


async def _search(connection: Connection, search: Search, limit: int) -> SearchPage:
    builder = SearchPageBuilder(search, limit)
    first, last = await _first_and_last(connection, search)
    name = "search_keys" if search.keys else "search_all"
    query = SQL[f"{name}_{'up' if search.ascending else 'down'}"]
    while True:
        chunk = builder.chunk
        keys = builder.keys if search.keys else ()
        rows = await connection.fetch(query, *keys, *builder.bounds(first, last), chunk)
        for commit, stored_at, *ranks in rows:
            row = CommitRow(commit, stored_at, tuple(ranks))
            wanted = builder.ranks(row)
            if (wanted is None or wanted) and await _take(connection, builder, row, wanted):
                return builder.page(more=True)
            if builder.passed(row):
                return builder.page(more=True)
        if len(rows) < chunk:
            return builder.page(more=False)


async def _first_and_last(connection: Connection, search: Search) -> tuple[int, int]:
    """The commits between which a search looks."""
    first, last = 0, NO_LIMIT
    if search.since is not None:
        commit = await connection.fetchval(SQL["first_block_after"], search.since - _SLACK)
        first = NO_LIMIT if commit is None else commit
    if search.until is not None:
        commit = await connection.fetchval(SQL["last_block_until"], search.until + _SLACK)
        last = -1 if commit is None else commit
    return first, last


async def _take(
    connection: Connection, builder: SearchPageBuilder, row: CommitRow, wanted: set[int] | None
) -> bool:
    block = await connection.fetchval(SQL["read_block"], row.commit)
    if block is None:  # it was pruned meanwhile
        return False
    rows = await connection.fetch(SQL["statements_of_block"], row.commit)
    return builder.take(row, wanted, [StatementRow(**one) for one in rows], block)
