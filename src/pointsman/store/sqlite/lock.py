"""One daemon a database file, by whatever name each came to it: two would each spend the quota.

Two locks, which the kernel lets go of when the process ends: on a file beside the database, whose
text tells who has it, and on the database file itself, which has other names where it is linked or
mounted. Both are flock(2), which has nothing to do with the fcntl(2) locks of SQLite. Those go, all
that a process has on a file, when it closes any descriptor of it: so a process opens a database
file here once, and closes it when nothing of the process has it open any longer.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from pointsman.domain.errors import ConfigError, StoreUnavailable
from pointsman.store.sqlite.file_modes import OWNER_ONLY, close_to_others, logs_of

#: a command that looks who has the file holds the lock for a moment
_TRIES, _PAUSE = 10, 0.02
#: struct flock of 64-bit Linux, and the bytes that SQLite locks for reading (its os.h)
_FLOCK, _SHARED_FROM, _SHARED_BYTES = "@hhqqi4x", 0x40000002, 510
#: bytes of the text beside the database
_MOST = 512


@dataclass(slots=True)
class _OpenFile:
    """A database file that this process has open; `users` of it, and whether one has the lock."""

    descriptor: int
    users: int = 0
    is_locked: bool = False


#: those of this process, by device and inode
_open_files: dict[tuple[int, int], _OpenFile] = {}


class FileLock:
    """`take` for a daemon, `join` for a command beside one; `release` when all is closed again.

    Take or join before SQLite opens the file, and release after it has closed it.
    """

    def __init__(self, database: Path) -> None:
        self._database = Path(os.path.realpath(database))
        self._path = self._database.with_name(self._database.name + ".lock")
        self._handle: int | None = None
        self._inode: tuple[int, int] | None = None
        self._owns = False

    def take(self, *, linked: bool = False) -> str:
        """Have the file alone; it is created where there is none. The note that was left with it.

        Raises `ConfigError` while a daemon has it, and, unless `linked`, for a file that has
        several names, of which each would have a log of its own. Raises `OSError`.
        """
        try:
            return self._take(linked=linked)
        except BaseException:
            self._close()
            raise

    def join(self) -> bool:
        """Use the file beside the daemon that may have it; whether one has.

        Raises `ConfigError` where the daemon came by another name, for then its log is elsewhere,
        and `OSError`.
        """
        try:
            return self._join()
        except BaseException:
            self._close()
            raise

    def _take(self, *, linked: bool) -> str:
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        note = os.pread(self._handle, _MOST, 0).decode(errors="replace")
        if not _try_lock(self._handle):
            holder = note.split("\n")[0] or "unknown"
            raise ConfigError(
                f"store.url: another pointsman (process {holder}) is running on this database; "
                f"stop it, or give this one a file of its own ({self._path} is locked)"
            )
        file = self._open(os.O_RDWR | os.O_CREAT)
        if file.is_locked or not _try_lock(file.descriptor):
            raise ConfigError(
                "store.url: another pointsman is running on this database by another path; "
                f"stop it, or give this one a file of its own ({self._database} is locked)"
            )
        file.is_locked = self._owns = True
        # SQLite makes the log and its index with the mode of the database
        close_to_others(self._path, self._database, *logs_of(self._database))
        if not linked:
            self._must_have_one_name(file)
        self._write(f"{os.getpid()}\n")
        return note

    def _join(self) -> bool:
        file = self._open(os.O_RDONLY)
        self._must_have_one_name(file)
        if file.is_locked:
            return True
        if not _is_locked(file.descriptor):
            return False
        if not self._is_locked_here():
            raise ConfigError(
                f"store.url: a pointsman is running on {self._database} by another path, where "
                "its log is too; name that path in store.url"
            )
        return True

    def user(self) -> int | None:
        """A process that has SQLite open on the file, which a daemon's lock does not show."""
        assert self._inode is not None  # noqa: S101 - it is asked of a file that was taken
        # Anything that uses a database with a log holds a lock for reading on these bytes.
        question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _SHARED_FROM, _SHARED_BYTES, 0)
        descriptor = _open_files[self._inode].descriptor
        answer = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
        return None if answer[0] == fcntl.F_UNLCK else int(answer[4])

    def read(self, at: int, size: int) -> bytes:
        """Bytes of the file."""
        return os.pread(self.descriptor, size, at)

    @property
    def descriptor(self) -> int:
        """Of the database file, which must not be opened once more: see above."""
        assert self._inode is not None  # noqa: S101 - it is asked of a file that is in use
        return _open_files[self._inode].descriptor

    def moved(self) -> StoreUnavailable:
        """What to say where the path leads to another file by now, or to none.

        SQLite goes on writing to a file that was deleted, and nobody finds that again (SQLite, "How
        To Corrupt An SQLite Database File", 2.4).
        """
        return StoreUnavailable(
            f"store.url: {self._database} was moved, deleted or replaced while it is in use; "
            "nothing more is taken, for a restart would not find it. next: put it back in its "
            "place, and this goes on by itself. If it is deleted, don't stop this process: the "
            f"file is still at /proc/{os.getpid()}/fd/{self.descriptor} (docs/store.md)"
        )

    def release(self, note: str = "") -> None:
        """Leave the file to others, with a note for the next one who takes it."""
        if self._owns:
            self._write(note)
        self._close()

    def _open(self, flags: int) -> _OpenFile:
        file = None
        with contextlib.suppress(FileNotFoundError):
            status = self._database.stat()
            file = _open_files.get((status.st_dev, status.st_ino))
        if file is None:
            descriptor = os.open(self._database, flags, OWNER_ONLY)
            status = os.fstat(descriptor)
            file = _open_files[status.st_dev, status.st_ino] = _OpenFile(descriptor)
        self._inode = (status.st_dev, status.st_ino)
        file.users += 1
        return file

    def _close(self) -> None:
        if self._inode is not None:
            file = _open_files[self._inode]
            if self._owns:
                fcntl.flock(file.descriptor, fcntl.LOCK_UN)
                file.is_locked = self._owns = False
            file.users -= 1
            if not file.users:
                del _open_files[self._inode]
                os.close(file.descriptor)
            self._inode = None
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _must_have_one_name(self, file: _OpenFile) -> None:
        status = os.fstat(file.descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise ConfigError(
                f"store.url: {self._database} is a folder; name a file in it: "
                f"{self._database / 'pointsman.db'}"
            )
        names = status.st_nlink
        if names > 1:
            raise ConfigError(
                f"store.url: {self._database} is one of {names} names of the same file (hard "
                "links), and SQLite keeps a log beside each; remove the other names, or make a "
                "copy of the file: pointsman db backup"
            )

    def _is_locked_here(self) -> bool:
        """Whether a daemon has the lock beside the path that we came by."""
        try:
            handle = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            return _is_locked(handle)
        finally:
            os.close(handle)

    def _write(self, note: str) -> None:
        assert self._handle is not None  # noqa: S101 - it is written to by its owner only
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, note.encode(), 0)


def _try_lock(descriptor: int) -> bool:
    for left in reversed(range(_TRIES)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if left:
                time.sleep(_PAUSE)
        else:
            return True
    return False


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False
