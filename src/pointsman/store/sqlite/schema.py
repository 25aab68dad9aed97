"""Opens the database file, and migrates its schema, whose number is `PRAGMA user_version`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pointsman.domain.errors import ConfigError
from pointsman.store import migrations
from pointsman.store.migrations import Migration, pending

PACKAGE = "pointsman.store.sqlite"
#: UPDATE ... FROM and upserts from a SELECT
OLDEST_SQLITE = (3, 35, 0)
#: pages in the log after which a commit writes it into the file. While something reads an older
#: state of the file that can't be done, and the log grows
LOG_PAGES = 4_000
#: bytes that the log is cut to when it begins again
LOG_LIMIT = 64_000_000


def connect(path: str | Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode: transactions are begun by name."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise ConfigError(
            f"this Python carries SQLite {sqlite3.sqlite_version}; pointsman needs 3.35 or newer"
        )
    connection = sqlite3.connect(
        f"{Path(path).resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute("PRAGMA busy_timeout = 10000")
    connection.execute("PRAGMA cache_size = -65536")
    if not read_only:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_LIMIT}")
    return connection


def migrate(connection: sqlite3.Connection) -> list[Migration]:
    """Bring the schema up to date, each step in its own transaction; returns what was done."""
    steps = pending(PACKAGE, version(connection))
    for step in steps:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{step.sql}\nPRAGMA user_version = {step.number};\nCOMMIT;"
        )
    return steps


def must_be_current(connection: sqlite3.Connection) -> None:
    """Raises `ConfigError` unless the schema is ours."""
    migrations.must_be_current(PACKAGE, version(connection))


def version(connection: sqlite3.Connection) -> int:
    """The number of the last migration; 0 for an empty file."""
    (current,) = connection.execute("PRAGMA user_version").fetchone()
    return int(current)
