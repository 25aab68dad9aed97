"""The database's schema: the number of the last migration stands in the table `schema`."""

from __future__ import annotations

from pointsman.store import migrations
from pointsman.store.migrations import Migration, pending
from pointsman.store.postgres.pool import LONG
from pointsman.store.postgres.session import Connection

PACKAGE = "pointsman.store.postgres"
#: held by whoever migrates; replicas that start at the same time wait for it
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('pointsman schema'))"
#: tables whose ids a sequence gives
NUMBERED = ("blocks", "dead_letters", "moves", "operator_actions", "turns")
_ADVANCE = " UNION ALL ".join(
    f"SELECT '{table}' AS name, setval(sequence, top) "  # noqa: S608 - names of ours
    f"FROM (SELECT pg_get_serial_sequence('{table}', 'id')::regclass AS sequence, max(id) AS top "
    f"FROM {table}) AS ids WHERE top > coalesce(pg_sequence_last_value(sequence), 0)"
    for table in NUMBERED
)


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


async def advance_sequences(connection: Connection) -> list[str]:
    """Set each sequence of ids to the highest id that is there; the tables where it was behind.

    Logical replication copies rows and leaves sequences where they are (PostgreSQL, "Logical
    Replication: Restrictions"), and so do some restores. Each new row would then have the id of
    another one.
    """
    return [row["name"] for row in await connection.fetch(_ADVANCE)]
