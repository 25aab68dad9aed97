"""A database whose rows were copied without its sequences: logical replication does that."""

from __future__ import annotations

import asyncpg
import pytest
from structlog.testing import capture_logs

from demo.database import Database
from pointsman.domain.errors import StoreUnavailable
from pointsman.store.postgres import PostgresStore
from pointsman.store.postgres.schema import NUMBERED
from tests.support.change_factory import change, topic, wants
from tests.support.databases import fresh_database


async def behind(dsn: str) -> list[str]:
    """Set sequences back as a replica has them; the tables that have one."""
    connection = await asyncpg.connect(dsn)
    numbered = await connection.fetch(
        "SELECT table_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND is_identity = 'YES'"
    )
    for table in ("blocks", "moves"):
        await connection.execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH 1")
    await connection.close()
    return sorted(row["table_name"] for row in numbered)


async def test_sequences_that_are_behind_are_advanced(database: Database) -> None:
    async with fresh_database(database) as dsn:
        store = PostgresStore(dsn)
        await store.open()
        for percentage in range(1, 30):
            await store.ingest([wants(change("ana", topic("t"), percentage))])
        await store.close()
        assert await behind(dsn) == list(NUMBERED)
        with capture_logs() as logs:
            await store.open()
        (told,) = [line for line in logs if "sequences" in line["event"]]
        assert told["tables"] == "blocks, moves"
        await store.ingest([wants(change("ana", topic("t"), 30))])
        # a switch-over while it runs
        await behind(dsn)
        with pytest.raises(StoreUnavailable, match="replicated logically"):
            await store.ingest([wants(change("ana", topic("t"), 31))])
        await store.ingest([wants(change("ana", topic("t"), 32))])
        assert (await store.books()).accepted == 31
        await store.close()
        with capture_logs() as logs:
            await store.open()
        assert not [line for line in logs if "sequences" in line["event"]]
        await store.close()
