"""Prunes old statements, in small steps."""

from __future__ import annotations

import sqlite3

from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.rows import SQL, to_json, unpack_keys


class SqliteRetention(SqliteConnections):
    """Statements that are pruned, and who may do it."""

    async def prune(self, *, before: int, limit: int) -> int:
        return await self._write(lambda db: prune(db, before, limit))

    async def acquire_duty(self, name: str, *, now: int, ttl: int) -> bool:  # noqa: ARG002 - a Protocol's
        return True  # one daemon has the file


def prune(connection: sqlite3.Connection, before: int, limit: int) -> int:
    """One small step: the oldest commits and their statements."""
    (blocks,) = connection.execute(SQL["prunable_blocks"], (before, limit)).fetchone()
    if blocks == "[]":
        return 0
    (outcomes,) = connection.execute(SQL["outcomes_of_blocks"], (blocks,)).fetchone()
    connection.execute(SQL["add_forgotten"], (outcomes,))
    _prune_index(connection, blocks)
    pruned = connection.execute(SQL["prune_statements"], (blocks,)).rowcount
    connection.execute(SQL["prune_blocks"], (blocks,))
    return pruned


def _prune_index(connection: sqlite3.Connection, blocks: str) -> None:
    """Forget what queries find of these blocks; before the blocks go. `blocks` is a JSON array."""
    for block, keys in connection.execute(SQL["keys_of_blocks"], (blocks,)).fetchall():
        connection.execute(SQL["prune_keys"], (to_json(unpack_keys(keys)), block))
    connection.execute(SQL["prune_waiting_keys"], (blocks,))
    connection.execute(SQL["prune_refs"], (blocks,))
    connection.execute(SQL["prune_attachments"], (blocks,))
