"""Counts rows for the books, the metrics and `db stats`; changes nothing."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

from pointsman.store.books import COUNTED_TABLES, BookCounts, make_backlog, make_books
from pointsman.store.records import Backlog, Books, Stats
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.rows import SQL, fetch


class SqliteBooks(SqliteConnections):
    """Both sums of promise 2, the backlog and the file."""

    async def stats(self) -> Stats:
        return await self._read(lambda db: _stats(db, self._path))

    async def backlog(self) -> Backlog:
        return await self._read(lambda db: _backlog(db, self._path))

    async def books(self) -> Books:
        return await self._read(_books)


def _backlog(connection: sqlite3.Connection, path: Path) -> Backlog:
    backlog = make_backlog(
        connection.execute(SQL["count_undelivered"]),
        dead_letters=_number(connection, "count_dead_letters"),
        unmatched=_number(connection, "count_unmatched"),
    )
    volume = shutil.disk_usage(path.parent)
    return replace(backlog, free_part=volume.free / volume.total if volume.total else 1.0)


def _books(connection: sqlite3.Connection) -> Books:
    """All from one snapshot."""
    connection.execute("BEGIN")
    try:
        (desired,) = fetch(connection, "count_desired")
        (letters,) = fetch(connection, "count_letters")
        counts = BookCounts(
            accepted=_number(connection, "sum_accepted"),
            outcomes=dict(connection.execute(SQL["count_outcomes"]).fetchall()),
            forgotten=dict(connection.execute(SQL["count_forgotten"]).fetchall()),
            bodies_missing=_number(connection, "bodies_missing"),
            unqueued=_number(connection, "dirty_unqueued"),
            unmatched=_number(connection, "count_unmatched"),
            **desired,
            **letters,
        )
    finally:
        connection.execute("COMMIT")
    return make_books(counts)


def _stats(connection: sqlite3.Connection, path: Path) -> Stats:
    rows = {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours
        for table in COUNTED_TABLES
    }
    files = [path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))]
    sizes = {file.name: file.stat().st_size for file in files if file.exists()}
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    (oldest,) = connection.execute(SQL["oldest_block"]).fetchone()
    return Stats(schema, rows, sizes, oldest)


def _number(connection: sqlite3.Connection, query: str) -> int:
    (number,) = connection.execute(SQL[query]).fetchone()
    return int(number)
