"""Ids are made with the store's own secret; what an earlier version stored is not taken twice."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from pointsman.domain.clock import micros
from pointsman.domain.records import InputOutcome
from pointsman.store.base import Store
from pointsman.store.postgres import PostgresStore
from pointsman.store.sqlite import SqliteStore
from tests.support.change_factory import item, submission
from tests.support.databases import fresh_database

DATA = Path(__file__).parents[1] / "data" / "store"
#: a statement of the data, and its source and digest
_FORMER = "SELECT id, source, digest FROM statements ORDER BY id LIMIT 1"


@pytest.fixture(params=["sqlite", "postgresql"])
async def upgraded(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[Store, str, str, int]]:
    """A store that an earlier version wrote, and one of its statements: id, source, digest."""
    async with AsyncExitStack() as stack:
        store: Store
        if request.param == "postgresql":
            server = request.getfixturevalue("database")
            dsn = await stack.enter_async_context(fresh_database(server))
            connection = await asyncpg.connect(dsn)
            await connection.execute((DATA / "postgres-schema-4.sql").read_text("utf-8"))
            row = tuple(await connection.fetchrow(_FORMER))
            await connection.close()
            store = PostgresStore(dsn)
        else:
            path = tmp_path / "store.db"
            with closing(sqlite3.connect(path)) as database:
                database.executescript((DATA / "sqlite-schema-6.sql").read_text("utf-8"))
                row = database.execute(_FORMER).fetchone()
            store = SqliteStore(path)
        await store.open()
        stack.push_async_callback(store.close)
        yield store, *row


async def test_what_was_stored_before_the_upgrade_is_known_by_the_id_of_before(
    upgraded: tuple[Store, str, str, int],
) -> None:
    store, former, source, digest = upgraded
    accepted = (await store.books()).accepted
    again = replace(item(statement_id="new", digest=digest), former_id=former)
    other = replace(again, statement_id="other", digest=digest ^ 1 << 40)

    (known,) = await store.ingest([submission(again, source=source)])
    assert (known.duplicates, dict(known.outcomes)) == (1, {})
    (conflict,) = await store.ingest([submission(other, source=source, all_or_nothing=False)])
    assert (conflict.conflicts, dict(conflict.outcomes)) == (("other",), {InputOutcome.DEAD: 1})
    assert (await store.books()).accepted == accepted + 1


async def test_an_id_of_before_that_another_source_took_is_nobodys(
    upgraded: tuple[Store, str, str, int],
) -> None:
    store, former, source, digest = upgraded
    mine = replace(item(statement_id="mine", digest=digest), former_id=former)
    (receipt,) = await store.ingest([submission(mine, source=f"{source} of another sender")])
    assert (receipt.duplicates, receipt.conflicts) == (0, ())
    assert sum(receipt.outcomes.values()) == 1


async def test_an_upgraded_store_looks_for_ids_of_before_and_a_new_one_does_not(
    upgraded: tuple[Store, str, str, int], tmp_path: Path
) -> None:
    store, *_ = upgraded
    assert store.statement_ids.former_until > micros(1_700_000_000)
    fresh = SqliteStore(tmp_path / "fresh.db")
    await fresh.open()
    assert fresh.statement_ids.former_until == 0
    await fresh.close()


async def test_the_secret_is_the_stores_own_and_stays(store: Store, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "other.db")
    await other.open()
    first = other.statement_ids
    await other.close()
    assert len(first.secret) >= 32
    assert first.secret != store.statement_ids.secret
    again = SqliteStore(tmp_path / "other.db")
    await again.open()
    assert again.statement_ids == first
    await again.close()
