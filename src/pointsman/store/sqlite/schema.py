"""Opening the database file: pragmas, and migrations that only go forward.

A migration is a file `NNNN_name.sql`; `PRAGMA user_version` is the number of the last one.
"""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from pathlib import Path

from pointsman.errors import ConfigError

#: UPDATE ... FROM and upserts from a SELECT
OLDEST_SQLITE = (3, 35, 0)


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
    return connection


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of every migration, in order."""
    folder = files("pointsman.store.sqlite").joinpath("migrations")
    found = [
        (int(one.name[:4]), one.read_text(encoding="utf-8"))
        for one in folder.iterdir()
        if one.name.endswith(".sql")
    ]
    return sorted(found)


def migrate(connection: sqlite3.Connection) -> int:
    """Bring the schema up to date, each step in its own transaction; returns its number."""
    steps = migrations()
    newest = steps[-1][0]
    (current,) = connection.execute("PRAGMA user_version").fetchone()
    if current > newest:
        raise ConfigError(
            f"store.url: the database has schema {current}, this pointsman knows up to {newest}; "
            "start the newer version that wrote it"
        )
    for number, text in steps:
        if number > current:
            connection.executescript(f"BEGIN;\n{text}\nPRAGMA user_version = {number};\nCOMMIT;")
    return newest
