"""Looks at the store: opens it as it is, upgrades nothing, and adds up its books."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pointsman import replicas, wiring
from pointsman.config import Settings
from pointsman.doctor import Finding, Result, fail, findings, ok
from pointsman.doctor.store import (
    Room,
    judge_books,
    judge_file_system,
    judge_log,
    judge_replicas,
    judge_room,
    judge_schema,
)
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import ConfigError, Retry
from pointsman.replicas import Replica
from pointsman.store.base import Store
from pointsman.store.migrations import SchemaError
from pointsman.store.sqlite.mounts import network_file_system
from pointsman.store.sqlite.schema import connect
from pointsman.store.sqlite.soundness import StoreDamaged, check, log_of

#: bytes; reading a larger file whole would take too long
_READ_WHOLE = 200_000_000
_OTHER_USER = "give the folder to the user that `pointsman run` runs as, and run this as that user"


@dataclass(slots=True)
class StoreExamination:
    """The store, open, or why it can't be opened."""

    store: Store | None = None
    #: there is nothing in its place yet
    is_missing: bool = False
    #: this user may not even look whether it is there
    is_hidden: bool = False
    error: Exception | None = None
    installation_secret: bytes = b""
    replicas: list[Replica] = field(default_factory=list)

    @property
    def why_not(self) -> str:
        return "there is no store yet" if self.is_missing else "the store can't be opened"

    @classmethod
    @asynccontextmanager
    async def of(cls, settings: Settings, clock: Clock, seconds: float) -> AsyncIterator[Self]:
        """Open it; `StoreExamination` closes it again."""
        made = cls()
        path = settings.store.path
        try:
            if not settings.store.is_shared and not path.exists():
                made.is_missing = path.parent.is_dir()
        except OSError as error:
            made.is_hidden = True
            made.error = ConfigError(f"{path} can't be looked at: {error.strerror}; {_OTHER_USER}")
            yield made
            return
        store = wiring.store(settings, clock, beside=True)
        try:
            async with asyncio.timeout(seconds):
                await store.open()
                made.store = store
                made.installation_secret = await store.installation_secret()
                made.replicas = (await replicas.read(store)).alive(micros(clock.now()))
        except TimeoutError:
            made.error = Retry(f"store.url: no answer from the database within {seconds:g} s")
        except (ConfigError, Retry) as error:
            made.error = error
        try:
            yield made
        finally:
            if made.store is not None:
                with suppress(Retry):
                    await store.close()


async def examine_store(settings: Settings, examined: StoreExamination) -> AsyncIterator[Result]:
    """Room first, for a full disk explains the rest."""
    if not settings.store.is_shared:
        fault = _folder_fault(settings.store.path, examined)
        if fault is not None:
            yield fault
            return
    for finding in _folder(settings):
        yield finding
    if examined.is_missing:
        yield ok("store", f"there is none at {settings.store.path} yet; `pointsman run` makes it")
        return
    match examined.error:
        case None:
            pass
        case SchemaError() as error:
            yield judge_schema(error.current, error.newest)
            return
        case StoreDamaged() as error:
            yield fail(
                "store",
                str(error),
                f"keep {settings.store.path} with its -wal and -shm, then pointsman db restore "
                "BACKUP (docs/store.md)",
            )
            return
        case error:
            yield findings.of_error(
                "store",
                error,
                f"see that the database of store.url ({settings.store.url}) runs "
                "and can be reached, and store.password_file",
            )
            return
    store = examined.store
    assert store is not None, "it is open"  # noqa: S101
    yield ok("store", f"{settings.store.url} is there, and its schema is the newest")
    for finding in judge_replicas(
        [(row.name, row.problem) for row in examined.replicas if row.problem],
        len(examined.replicas),
    ):
        yield finding
    for result in await asyncio.to_thread(_of_file, settings):
        yield result
    yield await _books(store)


async def _books(store: Store) -> Result:
    try:
        books = await store.books()
    except Retry as error:
        return findings.of_error("store's books", error, "pointsman verify")
    return judge_books(
        balanced=books.balanced,
        accepted=books.accepted,
        desired=books.desired,
        problems=books.problems,
    )


def _folder(settings: Settings) -> Iterator[Finding]:
    """Of the folder of a SQLite file."""
    if not settings.store.is_shared:
        folder = settings.store.path.parent
        yield judge_room(_room(folder))
        yield from judge_file_system(network_file_system(folder), str(folder))


def _folder_fault(path: Path, examined: StoreExamination) -> Finding | None:
    """What keeps this user from having a store at `path`."""
    if examined.is_hidden and examined.error is not None:
        return findings.of_error("store", examined.error, _OTHER_USER)
    if not path.parent.is_dir():
        return fail("store", f"there is no folder {path.parent}", "make it, or correct store.url")
    if examined.is_missing and not os.access(path.parent, os.R_OK | os.W_OK | os.X_OK):
        words = f"this user can't make {path}: the folder is not writable"
        return fail("store", words, _OTHER_USER)
    return None


def _room(folder: Path) -> Room:
    status = os.statvfs(folder)
    return Room(str(folder), status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize)


def _of_file(settings: Settings) -> list[Result]:
    """Of a SQLite file and the log beside it."""
    if settings.store.is_shared:
        return []
    path = settings.store.path
    log = log_of(path)
    results: list[Result] = [judge_log(log.stat().st_size if log.exists() else 0)]
    if path.stat().st_size <= _READ_WHOLE:
        results.append(_soundness(path))
    return results


def _soundness(path: Path) -> Result:
    try:
        with closing(connect(path, read_only=True)) as connection:
            check(connection, path)
    except (StoreDamaged, sqlite3.Error) as error:
        return fail(
            "store's file",
            str(error),
            "stop the daemon, keep the file, and pointsman db restore BACKUP (docs/store.md)",
        )
    return ok("store's file", "every page of it is sound")
