"""Queries, by the index of keys."""

from __future__ import annotations

from collections.abc import Sequence

from pointsman.domain.records import AttachedData
from pointsman.store.postgres.pool import Connection
from pointsman.store.postgres.rows import SQL
from pointsman.store.records import Search, SearchPage
from pointsman.store.search_page import NO_LIMIT, CommitRow, SearchPageBuilder, StatementRow

#: replicas number their commits a little out of the order of their clocks, in microseconds
_SLACK = 60_000_000


async def search(connection: Connection, what: Search, limit: int) -> SearchPage:
    walk = SearchPageBuilder(what, limit)
    first, last = await _limits(connection, what)
    name = "search_keys" if what.keys else "search_all"
    query = SQL[f"{name}_{'up' if what.ascending else 'down'}"]
    while True:
        chunk = walk.chunk
        keys = walk.keys if what.keys else ()
        rows = await connection.fetch(query, *keys, *walk.bounds(first, last), chunk)
        for commit, stored_at, *ranks in rows:
            row = CommitRow(commit, stored_at, tuple(ranks))
            wanted = walk.ranks(row)
            if (wanted is None or wanted) and await _take(connection, walk, row, wanted):
                return walk.page(more=True)
            if walk.passed(row):
                return walk.page(more=True)
        if len(rows) < chunk:
            return walk.page(more=False)


async def _limits(connection: Connection, what: Search) -> tuple[int, int]:
    first, last = 0, NO_LIMIT
    if what.since is not None:
        found = await connection.fetchval(SQL["first_block_after"], what.since - _SLACK)
        first = NO_LIMIT if found is None else found
    if what.until is not None:
        found = await connection.fetchval(SQL["last_block_until"], what.until + _SLACK)
        last = -1 if found is None else found
    return first, last


async def _take(
    connection: Connection, walk: SearchPageBuilder, row: CommitRow, wanted: set[int] | None
) -> bool:
    block = await connection.fetchval(SQL["read_block"], row.commit)
    if block is None:  # it was pruned meanwhile
        return False
    rows = await connection.fetch(SQL["statements_of_block"], row.commit)
    return walk.take(row, wanted, [StatementRow(*one) for one in rows], block)


async def voided(connection: Connection, statement_ids: Sequence[str]) -> set[str]:
    rows = await connection.fetch(SQL["voided"], list(statement_ids))
    return {name for (name,) in rows}


async def attachments(connection: Connection, sha2s: Sequence[str]) -> dict[str, AttachedData]:
    rows = await connection.fetch(SQL["read_attachments"], list(sha2s))
    return {row[0]: AttachedData(*row) for row in rows}


async def consistent_through(connection: Connection, now: int) -> int:
    """Nothing that is not committed yet was stored before that."""
    began = await connection.fetchval(SQL["oldest_commit_under_way"])
    return now if began is None else min(now, int(began))
