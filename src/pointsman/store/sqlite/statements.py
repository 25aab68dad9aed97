"""Stored statements: one by its id, and searches by the index of keys, on their own connection.

The writer's thread must win the interpreter lock back at each of its small steps (docs/design.md,
"The interpreter lock"), so a search works for a moment and then rests for longer.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

from pointsman.domain.clock import micros
from pointsman.domain.log_positions import UNREAD, Position
from pointsman.domain.records import AttachedData
from pointsman.store.search_page import NO_LIMIT, CommitRow, SearchPageBuilder, StatementRow
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.rows import SQL, fetch, read_statement, to_json
from pointsman.store.statement_records import Search, SearchPage, StoredStatement

#: seconds that a search works in one go, how often it rests for as long, and for how long at most
_GO, _RESTS, _LONGEST = 0.001, 2.0, 0.01


class SqliteStatements(SqliteConnections):
    """Statements and Kafka positions that are stored."""

    async def statement(self, statement_id: str) -> StoredStatement | None:
        return await self._read(lambda db: read_statement(db, statement_id))

    async def search(self, search: Search, *, limit: int) -> SearchPage:
        # beside a daemon, in a process of its own, there is no writer to leave room for
        rests = 0.0 if self._beside else _RESTS
        return await self._searcher.run(lambda db: _search(db, search, limit, rests))

    async def voided(self, statement_ids: Sequence[str]) -> set[str]:
        def read(connection: sqlite3.Connection) -> set[str]:
            rows = connection.execute(SQL["voided"], (to_json(list(statement_ids)),))
            return {statement_id for (statement_id,) in rows}

        return await self._searcher.run(read)

    async def attachments(self, sha2s: Sequence[str]) -> dict[str, AttachedData]:
        def read(connection: sqlite3.Connection) -> dict[str, AttachedData]:
            rows = fetch(connection, "read_attachments", to_json(list(sha2s)))
            return {row["sha2"]: AttachedData(**row) for row in rows}

        return await self._searcher.run(read)

    async def consistent_through(self) -> int:
        return micros(self._clock.now())  # what is stored can be read as soon as it is answered

    async def positions(self, group: str) -> list[Position]:
        def read(connection: sqlite3.Connection) -> list[Position]:
            rows = fetch(connection, "read_positions", group)
            return [Position(group, **row) for row in rows if row["offset"] != UNREAD]

        return await self._read(read)

    async def claim(self, group: str, places: Sequence[tuple[str, int]]) -> list[Position]:
        def write(connection: sqlite3.Connection) -> list[Position]:
            return [
                Position(group, **row)
                for topic, partition in places
                for row in fetch(connection, "claim_position", group, topic, partition)
            ]

        return await self._write(write)


def _search(connection: sqlite3.Connection, search: Search, limit: int, rests: float) -> SearchPage:
    builder = SearchPageBuilder(search, limit)
    first, last = _first_and_last(connection, search)
    name = "search_keys" if search.keys else "search_all"
    query = SQL[f"{name}_{'up' if search.ascending else 'down'}"]
    began = time.perf_counter()
    while True:
        chunk = builder.chunk
        values = (*builder.keys, *builder.bounds(first, last), chunk)
        rows = connection.execute(query, values).fetchall()
        for commit, stored_at, *ranks in rows:
            row = CommitRow(commit, stored_at, tuple(ranks))
            wanted = builder.ranks(row)
            if (wanted is None or wanted) and _take(connection, builder, row, wanted):
                return builder.page(more=True)
            if builder.passed(row):
                return builder.page(more=True)
            if (worked := time.perf_counter() - began) > _GO:
                time.sleep(min(worked * rests, _LONGEST))
                began = time.perf_counter()
        if len(rows) < chunk:
            return builder.page(more=False)


def _first_and_last(connection: sqlite3.Connection, search: Search) -> tuple[int, int]:
    """The commits between which a search looks."""
    first, last = 0, NO_LIMIT
    if search.since is not None:
        (commit,) = connection.execute(SQL["first_block_after"], (search.since,)).fetchone()
        first = NO_LIMIT if commit is None else commit
    if search.until is not None:
        (commit,) = connection.execute(SQL["last_block_until"], (search.until,)).fetchone()
        last = -1 if commit is None else commit
    return first, last


def _take(
    connection: sqlite3.Connection,
    builder: SearchPageBuilder,
    row: CommitRow,
    wanted: set[int] | None,
) -> bool:
    block = connection.execute(SQL["read_block"], (row.commit,)).fetchone()
    if block is None:  # it was pruned meanwhile
        return False
    rows = fetch(connection, "statements_of_block", row.commit)
    return builder.take(row, wanted, [StatementRow(**fields) for fields in rows], block[0])
