"""The database's schema: the number of the last migration stands in the table `schema`."""

from __future__ import annotations

from pointsman.store import migrations
from pointsman.store.migrations import Migration, pending
from pointsman.store.postgres.pool import LONG
from pointsman.store.postgres.session import Connection

PACKAGE = "pointsman.store.postgres"
#: held by whoever migrates; replicas that start at the same time wait for it
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('pointsman schema'))"


async def version(connection: Connection) -> int:
    """0 for an empty database."""
    if await connection.fetchval("SELECT to_regclass('schema') IS NULL"):
        return 0
    return int(await connection.fetchval("SELECT number FROM schema"))


async def must_be_current(connection: Connection) -> None:
    """Raises `ConfigError` unless the schema is ours."""
    migrations.must_be_current(PACKAGE, await version(connection))


async def migrate(connection: Connection) -> list[Migration]:
    """Bring the schema up to date, each step in its own transaction; returns what was done."""
    done: list[Migration] = []
    while True:
        async with connection.transaction():
            await connection.execute(_LOCK, timeout=LONG)
            steps = pending(PACKAGE, await version(connection))
            if not steps:
                return done
            await connection.execute(steps[0].sql, timeout=LONG)
            await connection.execute("CREATE TABLE IF NOT EXISTS schema (number integer NOT NULL)")
            await connection.execute("DELETE FROM schema")
            await connection.execute("INSERT INTO schema VALUES ($1)", steps[0].number)
        done.append(steps[0])
