"""The database file: who may open it, what an upgrade keeps, and what a reopening finds again."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pointsman.domain.errors import ConfigError, StoreUnavailable
from pointsman.domain.evidence import Evidence
from pointsman.domain.log_positions import Position
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import DeadLetter, Decision, Falls, InputOutcome
from pointsman.domain.targets import ReadBackPlace
from pointsman.store.base import Settlement, Window
from pointsman.store.migrations import Migration, all_of
from pointsman.store.sqlite import SqliteStore
from pointsman.store.sqlite.schema import PACKAGE, connect, migrate
from tests.support.change_factory import change, course, item, submission, topic, wants


def schema(path: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return sorted(connection.execute("SELECT type, name, sql FROM sqlite_schema"))


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return found


def refusal(path: Path) -> str:
    """Why a store on `path` can't be opened."""

    async def attempt() -> str:
        store = SqliteStore(path)
        with pytest.raises(ConfigError) as refused:
            await store.open()
        await store.close()
        return str(refused.value)

    return asyncio.run(attempt())


async def opened_and_closed(path: Path) -> SqliteStore:
    store = SqliteStore(path)
    await store.open()
    await store.close()
    return store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_migrations_are_numbered_without_gaps() -> None:
    assert [one.number for one in all_of(PACKAGE)] == list(range(1, len(all_of(PACKAGE)) + 1))


async def test_a_new_file_has_the_newest_schema_and_is_told(path: Path) -> None:
    with capture_logs() as logs:
        await opened_and_closed(path)
        await opened_and_closed(path)
    assert version(path) == all_of(PACKAGE)[-1].number
    told = "a new store was made; nothing was received yet"
    assert [entry["path"] for entry in logs if entry["event"] == told] == [str(path)]


def test_no_folder_is_made_for_an_address_that_may_be_mistyped(tmp_path: Path) -> None:
    path = tmp_path / "vra" / "lib" / "store.db"
    words = f"there is no folder {path.parent}, and none is made: make it, or correct the address"
    assert words in refusal(path)
    with pytest.raises(ConfigError, match=words):
        asyncio.run(SqliteStore(path).upgrade())
    assert list(tmp_path.glob("vra*")) == []


def test_a_newer_schema_is_refused_in_clear_words_and_left_as_it_is(path: Path) -> None:
    newest = all_of(PACKAGE)[-1].number
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {newest + 1}")
        connection.execute("CREATE TABLE of_the_future (id)")
        connection.commit()
    before = schema(path)
    assert refusal(path) == (
        f"store.url: the database has schema {newest + 1}, this pointsman knows up to {newest}; "
        "start the newer version that wrote it"
    )
    assert (schema(path), version(path)) == (before, newest + 1)


def test_every_older_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    schemas = []
    steps = all_of(PACKAGE)
    for oldest in range(len(steps) + 1):
        path = tmp_path / f"from-{oldest}.db"
        with closing(connect(path)) as connection:
            for step in steps[:oldest]:
                connection.executescript(f"{step.sql}\nPRAGMA user_version = {step.number};")
            assert migrate(connection) == steps[oldest:]
            assert migrate(connection) == []
        schemas.append(schema(path))
    assert all(one == schemas[0] for one in schemas)


def test_an_upgrade_keeps_what_the_first_schema_held(path: Path) -> None:
    with closing(connect(path)) as connection:
        connection.executescript(f"{all_of(PACKAGE)[0].sql}\nPRAGMA user_version = 1;")
        connection.execute(
            "INSERT INTO desired (learner, kind, key, value, version, occurred_at, statement_id,"
            " rule, since, changed_at, after, attempts, urgent)"
            " VALUES ('ana', 'topic_progress', 't', 40, 1, 1, 'id', 'r', 1, 1, '[]', '[]', 0)"
        )
        migrate(connection)
        rows = connection.execute("SELECT learner, value, read_back, audit FROM desired").fetchall()
        (evidence,) = connection.execute("SELECT count(*) FROM evidence").fetchone()
    assert rows == [("ana", 40, "", "")]
    assert evidence == 0


def test_a_step_that_fails_leaves_the_schema_before_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = all_of(PACKAGE)
    bad = Migration(len(good) + 1, "bad", "CREATE TABLE half (id);\nCREATE TABLE half (id);")
    monkeypatch.setattr("pointsman.store.migrations.all_of", lambda _package: [*good, bad])
    with closing(connect(path)) as connection, pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    assert version(path) == len(good)
    assert not any("half" in row for row in schema(path))


async def test_a_second_daemon_on_the_same_file_is_refused_and_told_whose_it_is(
    path: Path,
) -> None:
    first = SqliteStore(path)
    await first.open()
    words = await asyncio.to_thread(refusal, path)
    assert f"another pointsman (process {os.getpid()}) is running on this database" in words
    assert "store.db.lock is locked" in words
    await first.ingest([wants(change("ana", topic("t"), 40))])
    await first.close()
    second = SqliteStore(path)
    await second.open()
    assert (await second.books()).dirty == 1
    await second.close()


@pytest.mark.parametrize("content", [b"no database\n" * 100, b"SQLite format 3\0" + b"x" * 4096])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(
    path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    assert str(path) in refusal(path)
    assert path.read_bytes() == content


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    assert f"store.url: can't use {folder}" in refusal(folder)


def test_a_file_can_be_opened_once_what_kept_it_closed_is_mended(path: Path) -> None:
    path.write_bytes(b"no database\n" * 100)
    refusal(path)
    path.unlink()
    asyncio.run(opened_and_closed(path))
    assert version(path) == all_of(PACKAGE)[-1].number


@pytest.mark.parametrize("was_open", [True, False])
async def test_a_store_that_is_not_open_says_so(path: Path, was_open: bool) -> None:
    store = await opened_and_closed(path) if was_open else SqliteStore(path)
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.ingest([wants(change("ana", topic("t"), 40))])
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.books()


async def test_reopening_keeps_everything(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    moved = change("ana", topic("t"), 40, at=5, registration="r1", falls=Falls.NEW_ATTEMPT)
    behind = replace(
        change("ana", course("c"), "completed", after=(topic("t"),)),
        read_back=ReadBackPlace.course("c"),
    )
    unmatched = Decision(InputOutcome.UNMATCHED, activity="http://example.com/x")
    at = Position("group", "lessons", 3, 8)
    letter = DeadLetter("no JSON", "topic lessons, partition 3, offset 7", b"{")
    taken = replace(
        submission(
            item(moved, behind, index=0),
            item(index=1, decision=unmatched),
            at=7,
            body=b'[{"a":1},{"b":2}]',
            position=at,
            all_or_nothing=False,
        ),
        dead=(letter,),
    )
    await store.ingest([taken])
    await store.ingest([wants(change("bea", topic("t"), 100), at=9)])
    leases = await store.lease(now=10, ttl=5, limit=9)
    (of_ana,) = [lease for lease in leases if lease.recipient.id == "ana"]
    settled = [
        Settlement(topic("t"), 1, "delivered"),
        Settlement(
            course("c"), 1, "parked", "refused: no such course", ParkCode.REFUSED_BY_PLATFORM
        ),
    ]
    assert await store.settle(of_ana, settled, now=11, ready_at=11)
    await store.save_window(Window(99, 5, 3))
    before = [
        await store.statement(moved.statement_id),
        await store.books(),
        await store.backlog(),
        await store.positions("group"),
        await store.window(),
    ]
    await store.close()

    again = SqliteStore(path)
    await again.open()
    assert before == [
        await again.statement(moved.statement_id),
        await again.books(),
        await again.backlog(),
        await again.positions("group"),
        await again.window(),
    ]
    assert (await again.books()).balanced
    # the lease of the process that is gone holds nobody up
    (of_bea,) = await again.lease(now=10, ttl=5, limit=9)
    assert of_bea.recipient.id == "bea"
    # what is known is known still
    (receipt,) = await again.ingest([taken])
    assert (receipt.duplicates, receipt.outcomes) == (2, {})
    assert await again.unpark() == 1
    (freed,) = await again.lease(now=12, ttl=5, limit=9)
    assert [(one.target, one.after, one.read_back) for one in freed.desired] == [
        (course("c"), (topic("t"),), ReadBackPlace.course("c"))
    ]
    await again.close()


async def test_what_is_said_together_is_gathered_across_a_restart(path: Path) -> None:
    for slide in ("one", "two", "three"):
        store = SqliteStore(path)
        await store.open()
        seen = Evidence("slides", 3, frozenset({slide}))
        await store.ingest([wants(change("ana", topic("t"), 0, evidence=seen))])
        (of_ana,) = await store.lease(now=10, ttl=5, limit=9)
        await store.close()
    assert [one.value for one in of_ana.desired] == [100]


async def test_the_newest_window_is_the_one_that_is_kept(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    assert await store.window() is None
    await store.save_window(Window(60, 5, 3))
    await store.save_window(Window(120, 1, 1))
    assert await store.window() == Window(120, 1, 1)
    await store.close()
