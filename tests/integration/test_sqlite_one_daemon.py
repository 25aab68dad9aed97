"""One daemon a database file, by whatever path, link or removed lock file another one comes."""

# ruff: noqa: ASYNC240 - nothing else runs in these loops
from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pointsman.domain.errors import ConfigError
from pointsman.store.sqlite import SqliteStore
from tests.support import store_process
from tests.support.tools import need


async def refusal(path: Path, *, beside: bool = False) -> str:
    """Why a store on this path can't be opened; "" when it can."""
    store = SqliteStore(path, beside=beside)
    try:
        await store.open()
    except ConfigError as error:
        return str(error)
    finally:
        await store.close()
    return ""


@contextmanager
def mounted(source: Path, target: Path) -> Iterator[None]:
    mount, umount = need("mount", "umount")
    done = subprocess.run([mount, "--bind", source, target], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the right to mount: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run([umount, target], check=True)


@contextmanager
def other_name(path: Path, how: str) -> Iterator[Path]:
    """Another path to the same file."""
    folder = path.parent.parent / "other"
    folder.mkdir()
    other = folder / path.name
    match how:
        case "the same path":
            yield path
        case "a relative path":
            yield Path(os.path.relpath(path))
        case "a symbolic link":
            other.symlink_to(path)
            yield other
        case "a symbolic link to the folder":
            folder.rmdir()
            folder.symlink_to(path.parent)
            yield other
        case "a hard link":
            other.hardlink_to(path)
            yield other
        case "a removed lock file":
            path.with_name(path.name + ".lock").unlink()
            yield path
        case "a mounted folder":
            with mounted(path.parent, folder):
                yield other
        case "a mounted file":
            other.touch()
            with mounted(path, other):
                yield other


WAYS = [
    "the same path",
    "a relative path",
    "a symbolic link",
    "a symbolic link to the folder",
    "a hard link",
    "a removed lock file",
    "a mounted folder",
    "a mounted file",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "store.db"


@pytest.mark.parametrize("how", WAYS)
async def test_a_second_daemon_is_refused_whatever_way_it_comes(path: Path, how: str) -> None:
    with store_process.running(path), other_name(path, how) as other:
        assert "another pointsman" in await refusal(other)
        assert not other.with_name(other.name + "-wal").exists() or other.parent.samefile(
            path.parent
        ), "it opened the file first"


@pytest.mark.parametrize("how", WAYS)
async def test_a_second_one_in_the_same_process_is_refused_too(path: Path, how: str) -> None:
    first = SqliteStore(path)
    await first.open()
    with other_name(path, how) as other:
        assert "another pointsman" in await refusal(other)
    if how == "a hard link":
        (path.parent.parent / "other" / path.name).unlink()
    await first.close()

    assert await refusal(path) == ""


@pytest.mark.parametrize("how", ["a hard link", "a mounted file"])
async def test_a_command_by_a_name_with_another_log_is_refused(path: Path, how: str) -> None:
    """It would read, and write, beside the daemon's log."""
    with store_process.running(path), other_name(path, how) as other:
        words = await refusal(other, beside=True)
        assert "hard links" in words or "by another path" in words


@pytest.mark.parametrize(
    "how", [way for way in WAYS if way not in {"a hard link", "a mounted file"}]
)
async def test_a_command_may_come_by_any_other_path(path: Path, how: str) -> None:
    with store_process.running(path, 3), other_name(path, how) as other:
        store = SqliteStore(other, beside=True)
        if how == "a removed lock file":
            # it can't be told from a daemon by another path
            with pytest.raises(ConfigError):
                await store.open()
            return
        await store.open()
        assert (await store.books()).accepted == 3
        await store.close()


async def test_a_file_with_two_names_is_not_started_on(path: Path) -> None:
    """What a daemon that was killed left in the log of one name would be missing in the other."""
    with store_process.running(path, 5):
        pass
    path.with_name("other.db").hardlink_to(path)

    words = await refusal(path.with_name("other.db"))

    assert "one of 2 names of the same file" in words


async def test_a_folder_is_called_a_folder(tmp_path: Path) -> None:
    """It has more than one name too: `.` of its own and `..` of each folder in it."""
    folder = tmp_path / "folder"
    folder.mkdir()

    assert f"{folder} is a folder; name a file in it" in await refusal(folder, beside=True)


async def test_commands_that_look_do_not_let_go_of_what_sqlite_has_locked(path: Path) -> None:
    """A process loses all its fcntl locks on a file when it closes any descriptor of it."""
    daemon = SqliteStore(path)
    await daemon.open()
    await store_process.ingest(daemon, range(3))
    for _ in range(3):
        assert await refusal(path, beside=True) == ""
        assert "another pointsman" in await refusal(path)

    locks = Path("/proc/locks").read_text(encoding="ascii")
    inode = f":{path.stat().st_ino} "
    assert any("POSIX" in line and inode in line for line in locks.splitlines()), locks
    await daemon.close()


async def test_the_lock_ends_with_its_process_however_it_ends(path: Path) -> None:
    with store_process.running(path):
        assert "another pointsman" in await refusal(path)

    assert await refusal(path) == ""
