"""`python -m tests.support.crash_at STEP NTH run ...`: pointsman gets SIGKILL at a named step.

The n-th time that the step is passed, the process kills itself there, as a machine would.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pointsman.cli import main
from pointsman.delivery.budget.local import LocalBudget
from pointsman.delivery.budget.shared import SharedBudget
from pointsman.platforms.helium import HeliumPlatform
from pointsman.sources.pipeline import Pipeline
from pointsman.store.migrations import Migration, pending
from pointsman.store.postgres import ingest as postgres_ingest
from pointsman.store.postgres import retention as postgres_retention
from pointsman.store.postgres import schema as postgres_schema
from pointsman.store.postgres.store import PostgresStore
from pointsman.store.sqlite import connections as sqlite_connections
from pointsman.store.sqlite import ingest as sqlite_ingest
from pointsman.store.sqlite import retention as sqlite_retention
from pointsman.store.sqlite import schema as sqlite_schema
from pointsman.store.sqlite.store import SqliteStore

_left = 0


def die() -> None:
    """At the n-th call."""
    global _left  # noqa: PLW0603 - one kill for each process
    _left -= 1
    if not _left:
        os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str) -> None:
    """Just before this is called."""
    whole = getattr(owner, name)

    @functools.wraps(whole)
    def wrapper(*arguments: Any, **more: Any) -> Any:
        die()
        return whole(*arguments, **more)

    setattr(owner, name, wrapper)


def after(owner: Any, name: str) -> None:
    """Just after this has returned."""
    whole = getattr(owner, name)

    @functools.wraps(whole)
    def wrapper(*arguments: Any, **more: Any) -> Any:
        result = whole(*arguments, **more)
        die()
        return result

    setattr(owner, name, wrapper)


def after_awaiting(owner: Any, name: str) -> None:
    """Just after this has been awaited."""
    whole = getattr(owner, name)

    @functools.wraps(whole)
    async def wrapper(*arguments: Any, **more: Any) -> Any:
        result = await whole(*arguments, **more)
        die()
        return result

    setattr(owner, name, wrapper)


def _read() -> None:
    before(Pipeline, "ingest")


def _written() -> None:
    after(sqlite_ingest, "write")
    after_awaiting(postgres_ingest, "write")


def _committed() -> None:
    for store in (SqliteStore, PostgresStore):
        after_awaiting(store, "ingest")


def _reserved() -> None:
    for budget in (LocalBudget, SharedBudget):
        after_awaiting(budget, "reserve")


def _sent() -> None:
    after_awaiting(HeliumPlatform, "deliver")


def _pruned() -> None:
    after(sqlite_retention, "prune")
    after_awaiting(postgres_retention, "prune")


def _migrated() -> None:
    """Every migration kills the process after its last line and before its commit."""
    connect = sqlite_schema.connect

    def connected(*arguments: Any, **more: Any) -> Any:
        connection = connect(*arguments, **more)
        connection.create_function("die", 0, die)
        return connection

    def with_end(end: str) -> Callable[[str, int], list[Migration]]:
        return lambda package, current: [
            replace(one, sql=f"{one.sql}\n{end}") for one in pending(package, current)
        ]

    setattr(sqlite_connections, "connect", connected)  # noqa: B010 - mypy knows what it is
    setattr(sqlite_schema, "pending", with_end("SELECT die();"))  # noqa: B010
    sleeping = with_end("SELECT pg_sleep(8);")

    def killed_soon(package: str, current: int) -> list[Migration]:
        # the database is still working on it then
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return sleeping(package, current)

    setattr(postgres_schema, "pending", killed_soon)  # noqa: B010


#: what a step is, in the words of the promises
STEPS: dict[str, Callable[[], None]] = {
    "after read": _read,
    "before commit": _written,
    "after commit, before the answer": _committed,
    "after reserve": _reserved,
    "after send, before settle": _sent,
    "in housekeeping": _pruned,
    "in a migration": _migrated,
}

if __name__ == "__main__":
    step, nth, *arguments = sys.argv[1:]
    _left = int(nth)
    STEPS[step]()
    sys.argv = ["pointsman", *arguments]
    main()
