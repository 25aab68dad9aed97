"""Is a database file sound? Asked before a daemon takes anything into it, and of backups.

A file that its last daemon closed in order, and that has not been touched since, is taken as it is.
Any other is checked: its pages, and whether the log beside it is its own. A log that was left by a
daemon that was killed is played into whatever file has its name (SQLite, "How To Corrupt An SQLite
Database File", 1.4), so each start gives the file a number, which its log then has too.
"""

from __future__ import annotations

import errno
import secrets
import sqlite3
import struct
from contextlib import closing, suppress
from pathlib import Path

import structlog

from pointsman.domain.errors import ConfigError, StoreUnavailable
from pointsman.domain.log_steps import NOTHING
from pointsman.store.sqlite.mounts import network_file_system
from pointsman.store.sqlite.schema import connect

log = structlog.get_logger(__name__)

#: where a database's first page has the number that `mark` gives it
_NUMBER_AT = 68
#: of a log, and of each page in it: docs of SQLite, "WAL-mode File Format"
LOG_HEADER, _FRAME_HEADER = 32, 24
SALT = slice(16, 24)
_LOG_MAGIC = (0x377F0682, 0x377F0683)
#: SQLite's primary result codes for what no time corrects
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
#: those for a disk that is full or fails, and for a lock
_PASSING = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
)
_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
_CLOSED = "closed"
#: what is wrong with a value alone: too long, too large a number, half a character
VALUE_ERRORS = (sqlite3.DataError, OverflowError, UnicodeEncodeError)


class StoreDamaged(StoreUnavailable):
    """The store's file is not sound; nothing more is taken into it."""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether it says that the file is not sound."""
    # the primary code is in the lowest byte
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def refusal(path: Path, error: sqlite3.Error | OSError) -> ConfigError | StoreUnavailable:
    """Why a file can't be opened. One that was never a database is another file's path."""
    if _may_pass(error):
        return StoreUnavailable(
            f"store.url: {path} can't be used now: {error}; see that there is room on its disk, "
            "that the disk is sound, and that no other program has the file locked"
        )
    if isinstance(error, sqlite3.Error) and is_damage(error):
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            return ConfigError(
                f"store.url: can't use {path}: {error}; name another file, or, if it was one, put "
                "a backup in its place: pointsman db restore BACKUP (docs/store.md)"
            )
        return damaged(path, error)
    return ConfigError(f"store.url: can't use {path}: {error}")


def _may_pass(error: sqlite3.Error | OSError) -> bool:
    """Whether the path may be right and the trouble is the disk's, or another program's lock."""
    if isinstance(error, OSError):
        return error.errno in _DISK_ERRORS
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING


def damaged(path: Path, what: object) -> StoreDamaged:
    """What to tell an operator."""
    return StoreDamaged(
        f"store.url: {path} is not sound: {what}. Nothing is taken into it. Keep it with its -wal "
        "and -shm, and put a backup in its place: pointsman db restore BACKUP (docs/store.md)"
    )


class FoundDamage:
    """What a running store found out about its file: once it is damaged nothing more is written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        #: what is to be raised then
        self.error: StoreDamaged | None = None

    def error_of(self, error: sqlite3.Error, what: str) -> StoreUnavailable:
        """What SQLite's error means to the caller, who wanted `what`."""
        if is_damage(error):
            self.error = damaged(self._path, error)
            return self.error
        return StoreUnavailable(f"the SQLite store could not {what}: {error}")


def note_of(path: Path) -> str:
    """What tells the next daemon that the file was closed in order, and which file that was."""
    with suppress(OSError):
        return f"{_CLOSED} {_identity(path)}\n"
    return ""


def must_be_sound(path: Path, note: str) -> None:
    """Raises `StoreDamaged`. `note` was left by the file's last daemon.

    Takes as long as it takes to read the file, where it was not closed in order.
    """
    size = path.stat().st_size if path.exists() else 0
    wal = log_of(path)
    logged = wal.stat().st_size if wal.exists() else 0
    if not logged and (not size or note.strip() == f"{_CLOSED} {_identity(path)}"):
        return
    if not size:
        # whoever opens an empty file has SQLite begin a database, and delete the log
        path.unlink(missing_ok=True)
        raise StoreDamaged(
            f"store.url: {path} is not there or empty, and {wal} holds what was stored in it last; "
            f"put {path.name} back beside it, or a backup in its place: pointsman db restore BACKUP"
        )
    must_have_own_log(path)
    log.warning(
        "the store was not closed in order; it is checked",
        path=str(path),
        bytes=size,
        next=NOTHING,
    )
    try:
        # one that only reads leaves the log as it is
        with closing(connect(path, read_only=True)) as connection:
            check(connection, path)
    except sqlite3.Error as error:
        raise refusal(path, error) from error
    log.info("the store is sound", path=str(path))


def check(connection: sqlite3.Connection, path: Path, *, thoroughly: bool = False) -> None:
    """Read all pages, and with `thoroughly` all indexes against their tables."""
    what = "integrity_check" if thoroughly else "quick_check"
    (verdict,) = connection.execute(f"PRAGMA {what}(1)").fetchone()
    if verdict != "ok":
        raise damaged(path, verdict)


def must_have_folder(path: Path) -> None:
    """Raises `ConfigError`: a folder that was made would hide that the address is mistyped."""
    if not path.parent.is_dir():
        raise ConfigError(
            f"store.url: there is no folder {path.parent}, and none is made: make it, or correct "
            "the address"
        )
    if kind := network_file_system(path.parent):
        log.warning(
            "the store is on a file system of the network, on which SQLite files get damaged",
            path=str(path),
            file_system=kind,
            next="put it on a block device or a local disk, or take PostgreSQL (docs/store.md)",
        )


def must_have_own_log(path: Path) -> None:
    """Raises `StoreDamaged` where the log beside the file is that of another file."""
    numbers = _numbers_in(log_of(path))
    if numbers and _number_of(path) not in numbers:
        raise StoreDamaged(
            f"store.url: {log_of(path)} is the log of another database file: {path} was put in the "
            "place of one that was not closed in order. Nothing is taken into it. Put the copy in "
            "place with pointsman db restore COPY; or, if this is the file that you want, move "
            f"{path.name}-wal and {path.name}-shm away (docs/store.md)"
        )


def log_of(path: Path) -> Path:
    """Where SQLite writes to first."""
    return path.with_name(path.name + "-wal")


def mark(connection: sqlite3.Connection) -> None:
    """Give the file a number that no other has, in file and log.

    The old number is written once more: should a reader keep the log from being emptied now, the
    log has both, and fits the file whichever the file has.
    """
    (old,) = connection.execute("PRAGMA application_id").fetchone()
    (busy_timeout,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA application_id = {int(old)}")
    connection.execute(f"PRAGMA application_id = {secrets.randbelow(2**31 - 1) + 1}")
    connection.execute("PRAGMA busy_timeout = 0")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.execute(f"PRAGMA busy_timeout = {int(busy_timeout)}")


def _identity(path: Path) -> str:
    status = path.stat()
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"


def _number_of(path: Path) -> int:
    with path.open("rb") as file:
        file.seek(_NUMBER_AT)
        return int.from_bytes(file.read(4))


def _numbers_in(wal: Path) -> set[int]:
    """Those of all first pages that the log would play in."""
    numbers: set[int] = set()
    with suppress(FileNotFoundError), wal.open("rb") as file:
        header = file.read(LOG_HEADER)
        if len(header) < LOG_HEADER:
            return numbers
        magic, _version, page_size = struct.unpack(">III", header[:12])
        salt = header[SALT]
        while magic in _LOG_MAGIC:
            frame = file.read(_FRAME_HEADER)
            if len(frame) < _FRAME_HEADER or frame[8:16] != salt:
                break
            at = file.tell()
            if int.from_bytes(frame[:4]) == 1:
                file.seek(at + _NUMBER_AT)
                numbers.add(int.from_bytes(file.read(4)))
            file.seek(at + page_size)
    return numbers
