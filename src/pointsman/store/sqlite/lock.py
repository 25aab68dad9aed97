"""One daemon a database file: two would each spend the whole quota."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pointsman.domain.errors import ConfigError


class FileLock:
    """An advisory lock beside the database; the kernel lets go of it when the process ends."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._handle: int | None = None

    def take(self) -> None:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise ConfigError(
                f"store.url: another pointsman (process {holder}) is running on this database; "
                f"stop it, or give this one a file of its own ({self._path} is locked)"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
