"""Upgrades a database file that nobody uses: for `pointsman db upgrade`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from pointsman.store.migrations import Migration
from pointsman.store.sqlite.lock import FileLock
from pointsman.store.sqlite.schema import connect, migrate
from pointsman.store.sqlite.soundness import must_be_sound, must_have_folder, refusal


def upgrade(path: Path, lock: FileLock) -> list[Migration]:
    """The steps that were taken. Raises `ConfigError` and `StoreUnavailable`."""
    try:
        must_have_folder(path)
        note = lock.take()
        must_be_sound(path, note)
        with closing(connect(path)) as connection:
            return migrate(connection)
    except (sqlite3.Error, OSError) as error:
        raise refusal(path, error) from error
    finally:
        lock.release()
