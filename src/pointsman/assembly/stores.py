"""[store] becomes a store."""

from __future__ import annotations

from collections.abc import Callable

from pointsman.clock import Clock
from pointsman.config import Settings
from pointsman.store.base import Store
from pointsman.store.postgres import PostgresStore
from pointsman.store.sqlite import SqliteStore


def store(
    settings: Settings,
    clock: Clock,
    *,
    beside: bool = False,
    on_commit: Callable[[float, int], None] = lambda _seconds, _submissions: None,
) -> Store:
    """`beside` is for a command that works while daemons run."""
    if settings.store.is_shared:
        password = settings.store.password
        return PostgresStore(
            settings.store.url,
            password=password.get_secret_value() if password is not None else None,
            connections=settings.store.connections,
            clock=clock,
            beside=beside,
            on_commit=on_commit,
        )
    return SqliteStore(settings.store.path, clock=clock, beside=beside, on_commit=on_commit)
