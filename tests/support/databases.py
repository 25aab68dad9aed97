"""The PostgreSQL server that the tests of one run share, and a fresh database for each test."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from demo.database import Database, start_database
from tests.support import served


@pytest.fixture(scope="session")
def database(pytestconfig: pytest.Config) -> Iterator[Database]:
    with start_database() as started:
        served.note(pytestconfig, f"PostgreSQL server: {started.kind}")
        yield started


@asynccontextmanager
async def fresh_database(database: Database) -> AsyncIterator[str]:
    """The address of an empty database, which goes away."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    await _execute(database.dsn, f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield urlunsplit(urlsplit(database.dsn)._replace(path=f"/{name}"))
    finally:
        await _execute(database.dsn, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def a_database(database: Database) -> Iterator[str]:
    """The same for whoever is in no event loop."""
    with asyncio.Runner() as runner:
        fresh = fresh_database(database)
        dsn = runner.run(fresh.__aenter__())
        try:
            yield dsn
        finally:
            runner.run(fresh.__aexit__(None, None, None))


async def _execute(dsn: str, command: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(command)
    finally:
        await connection.close()
