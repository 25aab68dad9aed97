"""An online copy of the database, in steps that let the daemon write in between."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from pointsman.domain.errors import ConfigError, StoreUnavailable
from pointsman.store.sqlite.file_modes import create_for_owner
from pointsman.store.sqlite.lock import FileLock
from pointsman.store.sqlite.schema import connect
from pointsman.store.sqlite.soundness import check, must_have_own_log

#: pages of one step, and the seconds after it
_STEP, _PAUSE = 2_000, 0.005


def back_up(source: Path, target: Path, on_progress: Callable[[int, int], None]) -> None:
    """Copy, and check the copy. What is not whole does not stay."""
    if target.exists():
        raise ConfigError(f"{target} is there already; name a file that is not")
    beside = target.with_name(target.name + ".part")
    lock = FileLock(source)
    try:
        if not lock.join():
            must_have_own_log(source)
        copy_database(source, beside, on_progress)
        beside.rename(target)
    except (StoreUnavailable, sqlite3.Error, OSError) as error:
        raise ConfigError(f"{target}: the copy could not be made: {error}") from error
    finally:
        beside.unlink(missing_ok=True)
        lock.release()


def copy_database(
    source: Path,
    target: Path,
    on_progress: Callable[[int, int], None],
    *,
    thoroughly: bool = False,
) -> None:
    """One file without a log, checked and on disk, that is there already replaced.

    Raises `StoreDamaged`, `sqlite3.Error` and `OSError`.
    """
    target.unlink(missing_ok=True)
    create_for_owner(target)
    with closing(connect(source, read_only=True)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(
            new,
            pages=_STEP,
            sleep=_PAUSE,
            progress=lambda _status, left, pages: on_progress(left, pages),
        )
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")
        # so that the source's log, should it ever get beside the copy, is seen to be another's
        copy.execute(f"PRAGMA application_id = {secrets.randbelow(2**31 - 1) + 1}")
        check(copy, source, thoroughly=thoroughly)
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
