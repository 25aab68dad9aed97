"""A look into the database of a daemon that runs, or has ended."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from pointsman.domain.desired_state import Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.store.base import Books, Store
from pointsman.store.sqlite import SqliteStore

T = TypeVar("T")


def look(path: Path, use: Callable[[Store], Awaitable[T]]) -> T:
    async def ask() -> T:
        store = SqliteStore(path, beside=True)
        await store.open()
        try:
            return await use(store)
        finally:
            await store.close()

    with ThreadPoolExecutor(1) as other:  # the caller may be in a loop of its own
        return other.submit(asyncio.run, ask()).result()


def read_books(path: Path) -> Books:
    return look(path, lambda store: store.books())


def list_parked(path: Path, codes: Collection[ParkCode] = ()) -> list[Desired]:
    return look(path, lambda store: store.parked(codes=codes, limit=9))


def list_statement_ids(path: Path) -> list[str]:
    """Of all statements that are stored, with nothing between us and the file."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM statements")]
