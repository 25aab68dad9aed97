"""The embedded store."""

from pointsman.store.sqlite.beside import (
    Parked,
    list_parked,
    read_agreement,
    read_books,
    read_window,
    retry_parked,
)
from pointsman.store.sqlite.store import SqliteStore

__all__ = [
    "Parked",
    "SqliteStore",
    "list_parked",
    "read_agreement",
    "read_books",
    "read_window",
    "retry_parked",
]
