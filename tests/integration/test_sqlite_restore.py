"""`pointsman db restore`: a backup comes back whole, with nothing of what it replaces."""

# ruff: noqa: ASYNC240 - nothing else runs in these loops
from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pointsman.domain.errors import ConfigError
from pointsman.store.records import Restored
from pointsman.store.sqlite import SqliteStore
from pointsman.store.sqlite import restore as restore_module
from pointsman.store.sqlite.soundness import StoreDamaged
from tests.support import store_process
from tests.support.manual_clock import ManualClock


async def stored(path: Path, count: int) -> None:
    """So many statements, and the file closed in order."""
    store = SqliteStore(path)
    await store.open()
    await store_process.ingest(store, range(count))
    await store.close()


async def backed_up(path: Path) -> Path:
    """A copy, made as a command makes it."""
    target = path.with_name("backup.db")
    await SqliteStore(path, beside=True).backup(target, lambda _left, _pages: None)
    return target


async def restored(path: Path, backup: Path) -> Restored:
    return await SqliteStore(path, clock=ManualClock()).restore(backup, lambda _left, _pages: None)


async def accepted(path: Path) -> int:
    store = SqliteStore(path)
    await store.open()
    try:
        books = await store.books()
        assert books.balanced, books
        return books.accepted
    finally:
        await store.close()


def files(folder: Path) -> dict[str, bytes]:
    """All but the lock, whose text tells of the last who had it."""
    return {
        one.name: one.read_bytes() for one in folder.iterdir() if not one.name.endswith(".lock")
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def test_a_backup_comes_back_beside_the_log_of_a_killed_daemon(path: Path) -> None:
    """Case 34, with the command in place of cp."""
    with store_process.running(path, 300):
        backup = await backed_up(path)
        other = SqliteStore(path, beside=True)
        await other.open()
        await store_process.ingest(other, range(300, 1_200))
        await other.close()

    done = await restored(path, backup)

    assert await accepted(path) == 300
    assert done.aside == path.with_name("store.db.replaced-20240601T120000Z")
    assert await accepted(done.aside) == 1_200, "what it replaced is whole, with its log"
    assert backup.exists()


async def test_it_refuses_while_a_daemon_runs(path: Path) -> None:
    await stored(path, 3)
    backup = await backed_up(path)
    with store_process.running(path, 5):
        before = files(path.parent)
        with pytest.raises(ConfigError, match="another pointsman"):
            await restored(path, backup)
        assert files(path.parent) == before
    assert await accepted(path) == 5


async def test_it_refuses_while_a_command_of_another_process_works_on_it(path: Path) -> None:
    await stored(path, 3)
    backup = await backed_up(path)
    with (
        store_process.running(path, 3, beside=True) as command,
        pytest.raises(ConfigError, match=f"process {command.pid} is at work"),
    ):
        await restored(path, backup)
    assert await accepted(path) == 3


def _newer(backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("PRAGMA user_version = 9999")


def _anothers(backup: Path) -> None:
    backup.unlink()
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.execute("PRAGMA user_version = 3")


def _with_an_index_that_lies(backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, '(due)', '(ready_at)')"
            " WHERE name = 'learners_ready'"
        )
        connection.commit()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda backup: backup.unlink(), "there is no file"),
        (lambda backup: backup.write_bytes(b""), "not one of pointsman's"),
        (lambda backup: backup.write_bytes(b"no database at all" * 99), "not a database"),
        (lambda backup: backup.write_bytes(backup.read_bytes()[:9_000]), "malformed|not sound"),
        (_newer, "start the newer version"),
        (_anothers, "not one of pointsman's"),
        (_with_an_index_that_lies, "not sound"),
    ],
    ids=["missing", "empty", "text", "cut off", "newer", "another program's", "a lying index"],
)
async def test_what_is_no_sound_backup_is_refused_and_all_is_as_it_was(
    path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    await stored(path, 40)
    backup = await backed_up(path)
    spoil(backup)
    before = files(path.parent)

    with pytest.raises(ConfigError, match=words):
        await restored(path, backup)

    assert files(path.parent) == before
    assert await accepted(path) == 40


async def test_a_copy_with_the_log_of_another_file_is_no_backup(path: Path) -> None:
    await stored(path, 20)
    copy = await backed_up(path)
    with store_process.running(path, 30):
        pass
    shutil.copy(path.with_name("store.db-wal"), copy.with_name("backup.db-wal"))

    with pytest.raises(ConfigError, match="log of another database file"):
        await restored(path, copy)


async def test_a_damaged_file_is_replaced_and_kept(path: Path) -> None:
    await stored(path, 40)
    backup = await backed_up(path)
    path.write_bytes(b"\xa5" * 50_000)

    done = await restored(path, backup)

    assert await accepted(path) == 40
    assert done.aside is not None
    assert done.aside.read_bytes() == b"\xa5" * 50_000


async def test_a_new_machine_needs_nothing_but_the_backup(path: Path, tmp_path: Path) -> None:
    await stored(path, 40)
    backup = await backed_up(path)
    elsewhere = tmp_path / "new" / "store.db"

    done = await restored(elsewhere, backup)

    assert (done.aside, await accepted(elsewhere)) == (None, 40)


@pytest.mark.parametrize("companion", ["-wal", "-shm"])
async def test_what_a_killed_daemon_left_of_a_file_that_is_gone_is_moved_away(
    path: Path, companion: str
) -> None:
    await stored(path, 40)
    backup = await backed_up(path)
    with store_process.running(path, 30):
        pass
    left = path.with_name(path.name + companion)
    content = left.read_bytes()
    path.unlink()

    done = await restored(path, backup)

    assert await accepted(path) == 40
    assert done.aside is not None
    assert done.aside.with_name(done.aside.name + companion).read_bytes() == content


async def test_the_file_itself_is_no_backup_of_itself(path: Path) -> None:
    await stored(path, 4)
    link = path.with_name("link.db")
    link.symlink_to(path)

    with pytest.raises(ConfigError, match="is the file of store"):
        await restored(path, link)
    assert await accepted(path) == 4


@pytest.mark.parametrize("step", ["_set_aside", "_sync"])
async def test_a_restore_that_is_interrupted_leaves_a_whole_file_and_can_be_repeated(
    path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as a file is there under both names, no daemon starts on either."""
    with store_process.running(path, 30):
        backup = await backed_up(path)
    whole = getattr(restore_module, step)

    def interrupted(*arguments: object) -> object:
        whole(*arguments)
        raise OSError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(restore_module, step, interrupted)
        with pytest.raises(ConfigError, match="the power is gone"):
            await restored(path, backup)

    assert path.exists(), "an empty one would be begun in its place"
    if step == "_set_aside":
        with pytest.raises((ConfigError, StoreDamaged)):
            await accepted(path)
    await SqliteStore(path).restore(backup, lambda _left, _pages: None)
    assert await accepted(path) == 30


async def test_after_it_what_was_delivered_since_goes_out_again_and_is_settled(path: Path) -> None:
    """The platform is told "set this to that" once more, which does no harm."""
    await stored(path, 1)
    backup = await backed_up(path)
    store = SqliteStore(path)
    await store.open()
    (lease,) = await store.lease(now=10, ttl=1_000, limit=10)
    await store.close()

    await restored(path, backup)

    again = SqliteStore(path)
    await again.open()
    (repeated,) = await again.lease(now=20, ttl=1_000, limit=10)
    assert repeated.desired == lease.desired
    await again.close()
