"""Queries: by the index of keys, on a connection of their own.

Intake's thread must win the interpreter lock back at each of its small steps (docs/design.md, "The
interpreter lock"), so a search works for a moment and then rests for longer.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

import orjson

from pointsman.domain.records import AttachedData
from pointsman.store.records import Search, SearchPage
from pointsman.store.search_page import NO_LIMIT, CommitRow, SearchPageBuilder, StatementRow
from pointsman.store.sqlite.rows import SQL

#: seconds that a search works in one go, how often it rests for as long, and for how long at most
_GO, _RESTS, _LONGEST = 0.001, 2.0, 0.01


def search(connection: sqlite3.Connection, what: Search, limit: int) -> SearchPage:
    walk = SearchPageBuilder(what, limit)
    first, last = _limits(connection, what)
    name = "search_keys" if what.keys else "search_all"
    query = SQL[f"{name}_{'up' if what.ascending else 'down'}"]
    began = time.perf_counter()
    while True:
        chunk = walk.chunk
        values = (*walk.keys, *walk.bounds(first, last), chunk)
        rows = connection.execute(query, values).fetchall()
        for commit, stored_at, *ranks in rows:
            row = CommitRow(commit, stored_at, tuple(ranks))
            wanted = walk.ranks(row)
            if (wanted is None or wanted) and _take(connection, walk, row, wanted):
                return walk.page(more=True)
            if walk.passed(row):
                return walk.page(more=True)
            if (worked := time.perf_counter() - began) > _GO:
                time.sleep(min(worked * _RESTS, _LONGEST))
                began = time.perf_counter()
        if len(rows) < chunk:
            return walk.page(more=False)


def _limits(connection: sqlite3.Connection, what: Search) -> tuple[int, int]:
    first, last = 0, NO_LIMIT
    if what.since is not None:
        (found,) = connection.execute(SQL["first_block_after"], (what.since,)).fetchone()
        first = NO_LIMIT if found is None else found
    if what.until is not None:
        (found,) = connection.execute(SQL["last_block_until"], (what.until,)).fetchone()
        last = -1 if found is None else found
    return first, last


def _take(
    connection: sqlite3.Connection, walk: SearchPageBuilder, row: CommitRow, wanted: set[int] | None
) -> bool:
    found = connection.execute(SQL["read_block"], (row.commit,)).fetchone()
    if found is None:  # it was pruned meanwhile
        return False
    rows = connection.execute(SQL["statements_of_block"], (row.commit,)).fetchall()
    return walk.take(row, wanted, [StatementRow(*one) for one in rows], found[0])


def voided(connection: sqlite3.Connection, statement_ids: Sequence[str]) -> set[str]:
    ids = orjson.dumps(list(statement_ids)).decode()
    return {name for (name,) in connection.execute(SQL["voided"], (ids,))}


def attachments(connection: sqlite3.Connection, sha2s: Sequence[str]) -> dict[str, AttachedData]:
    names = orjson.dumps(list(sha2s)).decode()
    rows = connection.execute(SQL["read_attachments"], (names,))
    return {row[0]: AttachedData(*row) for row in rows}
