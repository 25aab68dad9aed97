"""Stores what other parts must not lose: the quota window that is spent, sealed authTokens."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson

from pointsman.domain.records import SealedToken
from pointsman.store.records import Window
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.rows import SQL, fetch, fetch_one


class SqliteLedgers(SqliteConnections):
    """The window of the one daemon, and its tokens."""

    async def window(self) -> Window | None:
        def read(connection: sqlite3.Connection) -> Window | None:
            row = fetch_one(connection, "read_window")
            if row is None:
                return None
            pieces = orjson.loads(row.pop("sent"))
            sent = tuple((at, requests, points) for at, requests, points in pieces)
            return Window(**row, sent=sent)

        return await self._read(read)

    async def save_window(self, window: Window) -> None:
        sent = orjson.dumps(window.sent).decode()
        values = (window.ends_at, window.points, window.requests, sent)
        await self._write(lambda db: db.execute(SQL["save_window"], values) and None)

    async def sealed_tokens(self) -> list[SealedToken]:
        return await self._read(lambda db: [SealedToken(**row) for row in fetch(db, "read_tokens")])

    async def save_sealed_tokens(self, rows: Sequence[SealedToken], gone: Sequence[str]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(SQL["drop_token"], [(learner,) for learner in gone])
            connection.executemany(
                SQL["save_token"],
                [(row.learner, row.sealed, row.stored_at, row.expires_at) for row in rows],
            )

        await self._write(write)
