"""A connection that only reads, and its thread, so that a reader never waits for the writer."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pointsman.domain.errors import NotStorable, StoreUnavailable
from pointsman.store.sqlite.schema import connect
from pointsman.store.sqlite.soundness import VALUE_ERRORS, FoundDamage

T = TypeVar("T")


class ReadThread:
    """One connection that reads, and its thread; a reader never waits for the writer."""

    def __init__(self, path: Path, damage: FoundDamage, name: str, *, threaded: bool) -> None:
        self._path = path
        self._damage = damage
        self._thread = ThreadPoolExecutor(1, name) if threaded else None
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        self._connection = connect(self._path)

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def run(self, call: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        if connection is None:
            raise StoreUnavailable("the SQLite store is not open")
        try:
            if self._thread is None:
                return call(connection)
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, connection)
        except VALUE_ERRORS as error:
            raise NotStorable(f"the SQLite store can't hold this: {error}") from error
        except sqlite3.Error as error:
            raise self._damage.error_of(error, "be read") from error
