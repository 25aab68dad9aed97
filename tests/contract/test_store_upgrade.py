"""A database that the version before wrote opens, serves, and knows why each state is parked."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from pointsman.domain.log_positions import UNREAD, Position
from pointsman.domain.park_codes import CURED_BY_TOKEN, CURED_BY_USER_ID, ParkCode
from pointsman.domain.targets import ReadBackPlace, Recipient
from pointsman.store.base import DocumentKey, Settlement, Store
from pointsman.store.migrations import all_of
from pointsman.store.postgres import PostgresStore
from pointsman.store.sqlite import SqliteStore
from tests.support.change_factory import change, submission, topic, wants
from tests.support.databases import fresh_database

DATA = Path(__file__).parents[1] / "data" / "store"

#: whom the version before parked, by the sentence that it gave as the reason
CODES = {
    "token": ParkCode.NO_TOKEN,
    "refused": ParkCode.TOKEN_REFUSED,
    "meeting:user": ParkCode.NO_USER_ID,
    "meeting:refused": ParkCode.USER_ID_REFUSED,
    "topic": ParkCode.REFUSED_BY_PLATFORM,
    "course": ParkCode.WAITS_FOR,
    "failed": ParkCode.FAILED_TOO_OFTEN,
    "odd": ParkCode.UNKNOWN,
    "drift": ParkCode.DRIFT,
}


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """The store that the version before left, open."""
    async with AsyncExitStack() as stack:
        old: Store
        if request.param == "postgresql":
            server = request.getfixturevalue("database")
            dsn = await stack.enter_async_context(fresh_database(server))
            connection = await asyncpg.connect(dsn)
            await connection.execute((DATA / "postgres-schema-4.sql").read_text("utf-8"))
            await connection.close()
            old = PostgresStore(dsn)
        else:
            path = tmp_path / "store.db"
            with closing(sqlite3.connect(path)) as database:
                database.executescript((DATA / "sqlite-schema-6.sql").read_text("utf-8"))
            old = SqliteStore(path)
        await old.open()
        stack.push_async_callback(old.close)
        yield old


async def test_each_parked_state_gets_the_code_of_its_sentence(store: Store) -> None:
    parked = await store.parked(limit=99)
    assert {str(one.recipient): one.park_code for one in parked} == CODES
    assert all(one.parked for one in parked)


async def test_the_books_balance_and_all_that_was_stored_is_read(store: Store) -> None:
    books = await store.books()
    assert books.balanced, books
    assert (books.accepted, books.delivered, books.dirty, books.parked) == (14, 1, 2, 9)
    assert [str(one.place) for one in await store.agreement()] == ["path:p", "course:c"]
    assert {row.read_back for rows in (await store.undelivered()).values() for row in rows} == {
        ReadBackPlace.path("p"),
        ReadBackPlace.course("c"),
    }
    document = await store.document(DocumentKey("state", "http://a", "mbox|m", "", "bookmark"))
    assert document is not None
    assert document.content == b"page 3"
    assert [one.learner for one in await store.sealed_tokens()] == ["ana"]
    (letter,) = await store.dead_letters(limit=9)
    assert (letter.reason, letter.in_statements) == ("no JSON", False)
    assert [one.activity for one in await store.unmatched(limit=9)] == ["http://example.com/x"]
    statements = await store.statements_since(since=0, after=None, limit=99)
    assert len(statements) == 13
    assert await store.statement(statements[0].statement.statement_id) == statements[0].statement


async def test_a_position_of_the_version_before_is_claimed_and_knows_no_log(store: Store) -> None:
    (claimed,) = await store.claim("group", [("lessons", 0)])
    assert claimed == Position("group", "lessons", 0, UNREAD, 2)
    await store.ingest([submission(position=replace(claimed, offset=4, log_id="a/b"))])
    assert [one.log_id for one in await store.positions("group")] == ["a/b"]


async def test_what_is_cured_is_freed_and_sent_and_new_changes_are_merged(store: Store) -> None:
    assert await store.unpark(codes=CURED_BY_TOKEN) == 2
    assert await store.unpark(codes=CURED_BY_USER_ID) == 2
    assert await store.unpark([Recipient.learner("topic")]) == 1
    assert await store.unpark() == 4
    news = change("token", topic("t"), 60, statement_id="not in the data")
    await store.ingest([wants(news, at=50)])
    leases = await store.lease(now=10**16, ttl=5, limit=99)
    values = {str(lease.recipient): lease.desired[0].value for lease in leases}
    assert set(values) == {*CODES, "dirty"}
    assert (values["token"], values["meeting:user"]) == (60, "attended")
    for lease in leases:
        done = [Settlement(row.target, row.version, "delivered") for row in lease.desired]
        assert await store.settle(lease, done, now=10**16, ready_at=10**16)
    books = await store.books()
    assert (books.dirty, books.parked, books.balanced) == (0, 0, True)


def test_the_data_is_of_the_schema_before_the_codes() -> None:
    numbers = {
        package: [step.number for step in all_of(package) if step.name == "park_codes"]
        for package in ("pointsman.store.sqlite", "pointsman.store.postgres")
    }
    assert numbers == {"pointsman.store.sqlite": [7], "pointsman.store.postgres": [5]}
