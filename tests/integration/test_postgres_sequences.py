"""A database whose rows were copied without its sequences: logical replication does that."""

from __future__ import annotations

import asyncpg
from structlog.testing import capture_logs

from demo.database import Database
from pointsman.store.postgres import PostgresStore
from pointsman.store.postgres.schema import NUMBERED
from tests.support.change_factory import change, topic, wants
from tests.support.databases import fresh_database


async def test_sequences_that_are_behind_are_advanced_at_the_start(database: Database) -> None:
    async with fresh_database(database) as dsn:
        before = PostgresStore(dsn)
        await before.open()
        for percentage in range(1, 30):
            await before.ingest([wants(change("ana", topic("t"), percentage))])
        await before.close()
        connection = await asyncpg.connect(dsn)
        numbered = await connection.fetch(
            "SELECT table_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND is_identity = 'YES'"
        )
        assert sorted(row["table_name"] for row in numbered) == list(NUMBERED)
        for table in ("blocks", "moves"):
            await connection.execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH 1")
        await connection.close()
        after = PostgresStore(dsn)
        with capture_logs() as logs:
            await after.open()
        assert [line["tables"] for line in logs if "sequences" in line["event"]] == [
            "blocks, moves"
        ]
        await after.ingest([wants(change("ana", topic("t"), 90))])
        assert (await after.books()).accepted == 30
        await after.close()
        with capture_logs() as logs:
            await after.open()
        assert not [line for line in logs if "sequences" in line["event"]]
        await after.close()
