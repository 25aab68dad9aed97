"""Puts a backup in the place of the database, so that nothing of the old one gets into it.

The file that was there stays, with its log, under a name that tells when. Until the last step it is
in its place too: a restore that is interrupted leaves the old file, or the new one, whole.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from pointsman.domain.errors import ConfigError, StoreUnavailable
from pointsman.store.migrations import pending
from pointsman.store.records import Restored
from pointsman.store.sqlite.backup import copy_database
from pointsman.store.sqlite.lock import FileLock
from pointsman.store.sqlite.rows import SQL
from pointsman.store.sqlite.schema import PACKAGE, connect, version
from pointsman.store.sqlite.soundness import must_have_own_log, note_of

#: a database's companions: its log, and the index of it
_COMPANIONS = ("-wal", "-shm")


def restore(
    backup: Path, target: Path, now: float, on_progress: Callable[[int, int], None]
) -> Restored:
    """Put a copy of `backup` at `target`; `now` in Unix seconds, told (pages left, pages).

    Raises `ConfigError` while a daemon or a command uses the target, or for a backup that is not
    sound or no store of ours; then all is as it was.
    """
    target = Path(os.path.realpath(target))
    _must_be_another_file(backup, target)
    new = target.with_name(target.name + ".restoring")
    target.parent.mkdir(parents=True, exist_ok=True)
    was_there = target.exists()
    lock = FileLock(target)
    note = ""
    try:
        # a restore that was interrupted leaves a second name
        lock.take(linked=True)
        _must_be_unused(lock, target)
        must_have_own_log(backup)
        copy_database(backup, new, on_progress, thoroughly=True)
        with closing(connect(new, read_only=True)) as connection:
            schema = _schema(connection, backup)
            (newest,) = connection.execute(SQL["last_commit"]).fetchone()
        aside = None
        if target.stat().st_size or any(beside.exists() for beside in _companions(target)):
            aside = _set_aside(target, new, now)
        new.replace(target)
        _sync(target.parent)
        note = note_of(target)
    except StoreUnavailable as error:
        raise ConfigError(f"{backup} was not restored: {error}") from error
    except (sqlite3.Error, OSError) as error:
        raise ConfigError(f"{backup} was not restored: {error}") from error
    finally:
        new.unlink(missing_ok=True)
        if not was_there and target.exists() and not target.stat().st_size:
            target.unlink()
        lock.release(note)
    return Restored(aside, newest, schema)


def _must_be_another_file(backup: Path, target: Path) -> None:
    if not backup.is_file():
        raise ConfigError(f"there is no file {backup}")
    if target.exists() and backup.samefile(target):
        raise ConfigError(f"{backup} is the file of store.url itself; name the backup")


def _must_be_unused(lock: FileLock, target: Path) -> None:
    """Commands have no lock of ours, but SQLite's."""
    process = lock.user()
    if process is not None:
        raise ConfigError(
            f"store.url: process {process} is at work on {target}; wait for it, or end it"
        )


def _schema(connection: sqlite3.Connection, backup: Path) -> int:
    """Raises `ConfigError` for what is no store, or one of a newer pointsman."""
    schema = version(connection)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if not schema or not {"statements", "desired", "learners"} <= tables:
        raise ConfigError(f"{backup} is a database, and not one of pointsman's")
    pending(PACKAGE, schema)
    return schema


def _set_aside(target: Path, new: Path, now: float) -> Path:
    """Give the old file a second name, and take its log there."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = target.with_name(f"{target.name}.replaced-{moment}")
    shutil.copymode(target, new)
    with contextlib.suppress(PermissionError):
        os.chown(new, target.stat().st_uid, target.stat().st_gid)
    aside.hardlink_to(target)
    for beside, beside_aside in zip(_companions(target), _companions(aside), strict=True):
        if beside.exists():
            beside.rename(beside_aside)
    return aside


def _companions(database: Path) -> list[Path]:
    return [database.with_name(database.name + companion) for companion in _COMPANIONS]


def _sync(folder: Path) -> None:
    """The names are on disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
