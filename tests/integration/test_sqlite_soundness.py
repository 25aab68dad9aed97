"""A start on a file that is not sound takes nothing and says what to do."""

# ruff: noqa: ASYNC240 - nothing else runs in these loops
from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pointsman.domain.errors import ConfigError, PointsmanError, StoreUnavailable
from pointsman.store.sqlite import SqliteStore
from pointsman.store.sqlite.soundness import StoreDamaged
from tests.support import store_process


async def stored(path: Path, count: int, *, first: int = 0) -> None:
    """So many statements, and the file closed in order."""
    store = SqliteStore(path)
    await store.open()
    await store_process.ingest(store, range(first, first + count))
    await store.close()


def killed(path: Path, count: int) -> None:
    """So many statements, and the daemon killed: its log stays."""
    with store_process.running(path, count):
        pass
    assert path.with_name(path.name + "-wal").stat().st_size


async def accepted(path: Path) -> int:
    store = SqliteStore(path)
    await store.open()
    try:
        books = await store.books()
        assert books.balanced, books
        return books.accepted
    finally:
        await store.close()


async def refusal(path: Path) -> PointsmanError:
    store = SqliteStore(path)
    with pytest.raises((StoreDamaged, ConfigError)) as refused:
        await store.open()
    await store.close()
    return refused.value


def overwritten(path: Path, at: int, size: int = 4_096) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * size)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def test_what_a_killed_daemon_left_is_checked_and_taken(path: Path) -> None:
    killed(path, 30)

    with capture_logs() as logs:
        assert await accepted(path) == 30

    assert [line["event"] for line in logs] == [
        "the store was not closed in order; it is checked",
        "the store is sound",
    ]


async def test_what_was_closed_in_order_is_not_read_through_again(path: Path) -> None:
    await stored(path, 5)

    with capture_logs() as logs:
        assert await accepted(path) == 5

    assert logs == []


async def test_what_was_changed_since_it_was_closed_is_checked(path: Path) -> None:
    await stored(path, 5)
    other = path.with_name("other.db")
    shutil.copy(path, other)
    other.replace(path)

    with capture_logs() as logs:
        assert await accepted(path) == 5

    assert [line["event"] for line in logs][-1] == "the store is sound"


async def copied_over(path: Path) -> None:
    """Case 34: a backup comes beside the log of the file that it replaces."""
    with store_process.running(path, 60):
        store = SqliteStore(path, beside=True)
        await store.open()
        await store.backup(path.with_name("b.db"), lambda _left, _pages: None)
        await store_process.ingest(store, range(60, 240))
        await store.close()
    shutil.copy(path.with_name("b.db"), path)


async def an_old_copy_of_a_stopped_one(path: Path) -> None:
    """The same with a copy that nobody of ours made, from before the last start."""
    await stored(path, 60)
    shutil.copy(path, path.with_name("b.db"))
    killed(path, 200)
    shutil.copy(path.with_name("b.db"), path)


async def another_store(path: Path) -> None:
    await stored(path.with_name("b.db"), 20)
    killed(path, 200)
    shutil.copy(path.with_name("b.db"), path)


@pytest.mark.parametrize("put", [copied_over, an_old_copy_of_a_stopped_one, another_store])
async def test_a_log_of_another_file_is_told(path: Path, put: Callable[[Path], object]) -> None:
    await put(path)  # type: ignore[misc]  # all of them are coroutines
    before = path.read_bytes(), path.with_name(path.name + "-wal").read_bytes()

    error = await refusal(path)

    assert isinstance(error, StoreUnavailable)
    assert "is the log of another database file" in str(error)
    command = SqliteStore(path, beside=True)
    with pytest.raises(StoreDamaged, match="log of another database file"):
        await command.open()
    await command.close()
    with pytest.raises(ConfigError, match="log of another database file"):
        await command.backup(path.with_name("c.db"), lambda _left, _pages: None)
    assert "pointsman db restore" in str(error)
    assert (path.read_bytes(), path.with_name(path.name + "-wal").read_bytes()) == before


async def test_the_log_without_its_file_is_not_thrown_away(path: Path) -> None:
    """SQLite would begin a new database, and delete the log."""
    killed(path, 30)
    path.rename(path.with_name("elsewhere.db"))

    error = await refusal(path)
    assert "holds what was stored in it last" in str(error)
    assert not path.exists(), "a command would begin a new one, and delete the log"
    path.with_name("elsewhere.db").rename(path)
    assert await accepted(path) == 30


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: overwritten(path, 8_192), "is not sound"),
        (lambda path: overwritten(path, path.stat().st_size - 8_192), "is not sound"),
        (lambda path: overwritten(path, 0), "file is not a database"),
        (lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), "not sound"),
    ],
    ids=["a page", "another page", "the first page", "cut off"],
)
async def test_a_damaged_file_is_refused_with_the_next_step(
    path: Path, damage: Callable[[Path], object], words: str
) -> None:
    await stored(path, 400)
    damage(path)
    before = path.read_bytes()

    error = str(await refusal(path))

    assert words in error
    assert "pointsman db restore BACKUP" in error
    assert path.read_bytes() == before


async def test_a_running_store_that_meets_damage_takes_nothing_more(path: Path) -> None:
    await stored(path, 400)
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'accepted'"
        ).fetchone()
    store = SqliteStore(path)
    await store.open()
    overwritten(path, (page - 1) * 4_096)

    for number in range(400, 403):
        with pytest.raises(StoreDamaged, match="pointsman db restore BACKUP"):
            await store_process.ingest(store, [number])
    await store.close()

    assert "is not sound" in str(await refusal(path)), "its end left no note that it was sound"


async def test_a_file_that_is_moved_while_it_is_in_use_takes_nothing_until_it_is_back(
    path: Path,
) -> None:
    """A restart would begin with an empty store, and lose what was answered with 200 since."""
    store = SqliteStore(path)
    await store.open()
    await store_process.ingest(store, range(2))
    for away in (path.with_name("away.db"), path.with_name("away too.db")):
        path.rename(away)
        with pytest.raises(StoreUnavailable, match=r"was moved, deleted or replaced.*put it back"):
            await store_process.ingest(store, [2])
        path.write_bytes(b"another one")
        with pytest.raises(StoreUnavailable, match="was moved, deleted or replaced"):
            await store_process.ingest(store, [2])
        away.rename(path)
    await store_process.ingest(store, [2])
    assert (await store.books()).accepted == 3
    await store.close()
    assert await accepted(path) == 3


async def test_a_deleted_file_is_got_back_from_the_process_that_has_it(path: Path) -> None:
    """As docs/store.md says."""
    store = SqliteStore(path)
    await store.open()
    await store_process.ingest(store, range(3))
    path.unlink()
    with pytest.raises(StoreUnavailable) as refused:
        await store_process.ingest(store, [3])
    (descriptor,) = re.findall(r"/proc/[0-9]+/fd/[0-9]+", str(refused.value))
    saved = path.with_name("saved.db")
    shutil.copyfile(descriptor, saved)
    shutil.copyfile(path.with_name(path.name + "-wal"), saved.with_name(saved.name + "-wal"))
    await store.close()

    await SqliteStore(path).restore(saved, lambda _left, _pages: None)
    assert await accepted(path) == 3
