"""What a command at a terminal does to a database that a daemon may be using: short and careful."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from pointsman.errors import ConfigError
from pointsman.model import TargetKind, Value
from pointsman.store.base import Agreement, Books, Window
from pointsman.store.sqlite import audit, delivery, reads
from pointsman.store.sqlite.rows import SQL
from pointsman.store.sqlite.schema import connect


@dataclass(frozen=True, slots=True)
class Parked:
    """One desired state that can't be sent; `since` is in microseconds since the epoch."""

    learner: str
    kind: TargetKind
    key: str
    value: Value
    since: int
    reason: str


def read_books(path: str | Path) -> Books:
    """Both sums. Raises `ConfigError` when there is no such database."""
    with _database(path, read_only=True) as connection:
        return reads.books(connection)


def read_window(path: str | Path) -> Window | None:
    """What the daemon has set aside of the quota; None where there is no database yet."""
    if not Path(path).exists():
        return None
    with _database(path, read_only=True) as connection:
        return reads.window(connection)


def read_agreement(path: str | Path) -> list[Agreement]:
    """How far the platform agrees, by place. Raises `ConfigError` when there is no database."""
    with _database(path, read_only=True) as connection:
        return audit.agreement(connection)


def list_parked(
    path: str | Path, learners: Sequence[str], reason_prefix: str, limit: int
) -> list[Parked]:
    """What is parked, the oldest first; of these learners, or of all where none is named."""
    with _database(path, read_only=True) as connection:
        rows = connection.execute(
            SQL["list_parked"], (reason_prefix, orjson.dumps(learners).decode(), limit)
        )
        return [
            Parked(learner, TargetKind(kind), key, value, since, reason)
            for learner, kind, key, value, since, reason in rows
        ]


def retry_parked(path: str | Path, learners: Sequence[str], reason_prefix: str) -> int:
    """Free what is parked, as many as come back; a running daemon sends it within seconds."""
    with _database(path, read_only=False) as connection:
        connection.execute("BEGIN IMMEDIATE")
        freed = delivery.unpark(connection, list(learners) or None, reason_prefix)
        connection.execute("COMMIT")
        return freed


@contextlib.contextmanager
def _database(path: str | Path, *, read_only: bool) -> Iterator[sqlite3.Connection]:
    if not Path(path).exists():
        raise ConfigError(f"store.url: there is no database at {path} yet")
    try:
        connection = connect(path, read_only=read_only)
        try:
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ConfigError(f"store.url: can't use {path}: {error}") from error
