"""The embedded store."""

from pointsman.store.sqlite.store import SqliteStore, read_books

__all__ = ["SqliteStore", "read_books"]
