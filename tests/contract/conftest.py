"""The stores that the contract suites are run against."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import pytest

from pointsman.simulation.memory_store import MemoryStore
from pointsman.store.base import Store
from pointsman.store.postgres import PostgresStore
from pointsman.store.sqlite import SqliteStore, ingest
from tests.support.databases import fresh_database
from tests.support.store_steps import keys_in_body


@pytest.fixture(params=["memory", "sqlite", "sqlite in the loop's thread", "postgresql"])
async def delivery_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store, open, of which only ingest and the delivery's side are used."""
    if request.param == "memory":
        yield cast("Store", MemoryStore())
        return
    async with AsyncExitStack() as stack:
        yield await _opened(request, tmp_path, stack)


@pytest.fixture(params=["sqlite", "sqlite in the loop's thread", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store, open."""
    async with AsyncExitStack() as stack:
        yield await _opened(request, tmp_path, stack)


async def _opened(request: pytest.FixtureRequest, folder: Path, stack: AsyncExitStack) -> Store:
    made: Store
    if request.param == "postgresql":
        server = request.getfixturevalue("database")
        made = PostgresStore(
            await stack.enter_async_context(fresh_database(server)), read_keys=keys_in_body
        )
    else:
        if request.param != "sqlite":  # some keys wait, others are in the index already
            patch = request.getfixturevalue("monkeypatch")
            patch.setattr(ingest, "MOST_WAITING", 3)
        made = SqliteStore(
            folder / "store.db", threaded=request.param == "sqlite", read_keys=keys_in_body
        )
    await made.open()
    stack.push_async_callback(made.close)
    return made
