"""An online copy of the database, in steps that let the daemon write in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from pointsman.domain.errors import ConfigError
from pointsman.store.sqlite.schema import connect

#: pages of one step, and the seconds after it
_STEP, _PAUSE = 2_000, 0.005


def back_up(source: Path, target: Path, on_progress: Callable[[int, int], None]) -> None:
    """Copy, and check the copy. What is not whole does not stay."""
    if target.exists():
        raise ConfigError(f"{target} is there already; name a file that is not")
    beside = target.with_name(target.name + ".part")
    try:
        with closing(connect(source, read_only=True)) as old:
            with closing(sqlite3.connect(beside)) as new:
                old.backup(
                    new,
                    pages=_STEP,
                    sleep=_PAUSE,
                    progress=lambda _status, left, pages: on_progress(left, pages),
                )
            with closing(sqlite3.connect(beside)) as copy:
                copy.execute("PRAGMA journal_mode = DELETE")
                (verdict,) = copy.execute("PRAGMA quick_check").fetchone()
        if verdict != "ok":
            raise ConfigError(f"{target}: the copy is not sound: {verdict}")
        beside.rename(target)
    except (sqlite3.Error, OSError) as error:
        raise ConfigError(f"{target}: the copy could not be made: {error}") from error
    finally:
        beside.unlink(missing_ok=True)
