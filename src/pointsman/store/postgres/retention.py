"""Forgetting what is old, in small steps, by one replica at a time."""

from __future__ import annotations

from collections.abc import Mapping

from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.rows import SQL, columns
from pointsman.store.postgres.session import Connection


class PostgresRetention(PostgresConnections):
    """Statements that are pruned, and who may do it."""

    async def prune(self, *, before: int, limit: int) -> int:
        return await self._pool.transaction(lambda db: prune(db, before, limit))

    async def acquire_duty(self, name: str, *, now: int, ttl: int) -> bool:
        taken = await self._pool.transaction(
            lambda db: db.fetchval(SQL["acquire_duty"], name, self._name, now, now + ttl)
        )
        return taken is not None


async def prune(connection: Connection, before: int, limit: int) -> int:
    """One small step: the oldest commits and their statements."""
    if not await connection.fetchval(SQL["only_pruner"]):
        return 0
    rows = await connection.fetch(SQL["prune"], before, limit)
    await add_forgotten(connection, dict(rows))
    return sum(count for _, count in rows)


async def add_forgotten(connection: Connection, counts: Mapping[str, int]) -> None:
    """The books go on counting what is gone."""
    if counts:
        await connection.execute(SQL["add_forgotten"], *columns(counts.items(), 2))
