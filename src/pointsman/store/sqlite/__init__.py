"""The embedded store."""

from pointsman.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
