"""The PostgreSQL server that the tests of one run share, and a fresh database for each test."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from demo.apache_kafka import Unavailable
from demo.database import Database, Server, own_server, start_database
from tests.support import server_report

#: databases that nobody uses, by their server: making one takes a third of a second
_idle: dict[str, list[str]] = {}


@pytest.fixture(scope="session")
def database(pytestconfig: pytest.Config) -> Iterator[Database]:
    with ExitStack() as stack:
        try:
            started = stack.enter_context(start_database(fsync=False))
        except RuntimeError as reason:
            pytest.skip(f"needs PostgreSQL: {reason}")
        server_report.note(pytestconfig, f"PostgreSQL server: {started.kind}")
        yield started
        asyncio.run(_drop(started.dsn, _idle.pop(started.dsn, [])))


@pytest.fixture
def own_database_server() -> Iterator[Server]:
    """A server that nobody else uses, which the test may end and start again."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(own_server(fsync=False))
        except Unavailable as reason:
            pytest.skip(f"needs PostgreSQL's programs: {reason}")
        yield server


@asynccontextmanager
async def fresh_database(database: Database) -> AsyncIterator[str]:
    """The address of an empty database; emptied, it serves again."""
    idle = _idle.setdefault(database.dsn, [])
    if idle:
        name = idle.pop()
    else:
        name = f"test_{uuid.uuid4().hex[:12]}"
        await _execute(database.dsn, f"CREATE DATABASE {name} TEMPLATE template0")
    dsn = urlunsplit(urlsplit(database.dsn)._replace(path=f"/{name}"))
    try:
        yield dsn
    finally:
        await _execute(
            database.dsn,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            name,
        )
        await _execute(dsn, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        idle.append(name)


@contextmanager
def a_database(database: Database) -> Iterator[str]:
    """The same without an event loop."""
    with asyncio.Runner() as runner:
        fresh = fresh_database(database)
        dsn = runner.run(fresh.__aenter__())
        try:
            yield dsn
        finally:
            runner.run(fresh.__aexit__(None, None, None))


async def _drop(dsn: str, names: Sequence[str]) -> None:
    for name in names:
        await _execute(dsn, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(dsn: str, command: str, *values: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(command, *values)
    finally:
        await connection.close()
