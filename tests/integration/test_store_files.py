"""Nobody but its owner reads the store: the database, its log, lock, copies, what was replaced."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.store.sqlite import SqliteStore
from tests.support.change_factory import change, topic, wants


@pytest.fixture(autouse=True)
def _careless_umask() -> Iterator[None]:
    before = os.umask(0o000)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {
        path.name.partition("-2")[0]: oct(stat.S_IMODE(path.stat().st_mode))
        for path in folder.iterdir()
    }


def open_to_others(folder: Path) -> None:
    for path in folder.iterdir():
        path.chmod(0o664)


async def fill(store: SqliteStore) -> None:
    await store.open()
    await store.ingest([wants(change("ana@example.com", topic("t"), 50))])


async def test_all_files_of_the_store_are_their_owners(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    await fill(store)
    assert modes(tmp_path) == dict.fromkeys(
        ("store.db", "store.db-wal", "store.db-shm", "store.db.lock"), "0o600"
    )
    await store.backup(tmp_path / "copy.db", lambda *_: None)
    await store.close()
    assert modes(tmp_path)["copy.db"] == "0o600"
    await SqliteStore(tmp_path / "store.db").restore(tmp_path / "copy.db", lambda *_: None)
    assert set(modes(tmp_path).values()) == {"0o600"}


async def test_files_that_were_open_to_others_are_closed_to_them(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    await fill(store)
    await store.close()
    open_to_others(tmp_path)
    again = SqliteStore(tmp_path / "store.db")
    await again.open()
    assert set(modes(tmp_path).values()) == {"0o600"}
    await again.close()
