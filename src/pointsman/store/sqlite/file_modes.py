"""Keeps the store's files to their owner: statements and authTokens are in them."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

OWNER_ONLY = 0o600
_OTHERS = 0o077


def logs_of(database: Path) -> list[Path]:
    """What SQLite keeps beside a database."""
    return [database.with_name(database.name + suffix) for suffix in ("-wal", "-shm", "-journal")]


def close_to_others(*paths: Path) -> None:
    """Take from others what an earlier version, or a copy by hand, let them do.

    A file of another owner stays as it is.
    """
    for path in paths:
        with contextlib.suppress(FileNotFoundError, PermissionError):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & _OTHERS:
                path.chmod(mode & ~_OTHERS)


def create_for_owner(path: Path) -> None:
    """Make an empty file that nobody else can open. Raises `FileExistsError`."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
