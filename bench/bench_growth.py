"""Both stores, empty and with 10 million statement ids and 1 million desired states.

`python -m bench.bench_growth [--statements N] [--desired N]`: a quarter of an hour, so not part of
`make bench`. Daemons on an empty store and on a filled one take the same load in turn; CPU is of
the daemon and, with PostgreSQL, of the database's processes. Then learners are leased from the same
stores and settled, and the gauges are counted, without a daemon.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.bench_http import PLAYER, cpu_seconds, daemon, post
from bench.database_cpu import cpu_with_children, postmaster
from bench.post_load import Job
from bench.results import Spread, record
from bench.timing import show
from demo.database import start_database
from pointsman.domain.clock import SystemClock, micros
from pointsman.domain.pauses import Pause
from pointsman.store.base import Settlement, Store
from pointsman.store.named_sql import load
from pointsman.store.postgres import PostgresStore
from pointsman.store.sqlite import SqliteStore

_STATEMENTS, _DESIRED = 10_000_000, 1_000_000
_ROUNDS, _POSTS, _LEARNERS = 5, 3_200, 500
_TURNS = 200
_EMPTY, _FILLED = "empty", "filled"
_LOADS = {"single posts": (0, 64), "batches of 100": (100, 32)}
_COMMAND = "python -m bench.bench_growth"
_SQL = load("bench", "growth.sql")


@dataclass(frozen=True, slots=True)
class _Store:
    """One store: its daemon's process id and port, and the CPU seconds that others spend for it."""

    name: str
    pid: int
    port: int
    other_cpu: Callable[[], float]


def filling(store: str, statements: int, desired: int) -> list[str]:
    """The commands that fill this store, in their order."""
    named = [body for name, body in _SQL.items() if name.startswith(store)]
    sizes = {":statements": str(statements), ":desired": str(desired)}
    for name, size in sizes.items():
        named = [body.replace(name, size) for body in named]
    return named


async def _paused(store: Store) -> None:
    """Made, and with its delivery paused, so that all that comes in waits."""
    await store.open()
    await store.pause(Pause(None, micros(SystemClock().now()), "a benchmark"))
    await store.close()


def fill_sqlite(path: Path, statements: int, desired: int) -> None:
    """A store that was made already. Nothing else may have it open, and a crash would spoil it."""
    with closing(sqlite3.connect(path)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -2000000"):
            connection.execute(f"PRAGMA {pragma}")
        for command in filling("sqlite", statements, desired):
            connection.execute(command)
        connection.commit()
        connection.execute("PRAGMA journal_mode = WAL")


async def fill_postgres(dsn: str, statements: int, desired: int) -> None:
    """A store that was made already."""
    connection = await asyncpg.connect(dsn)
    try:
        for command in filling("postgres", statements, desired):
            await connection.execute(command)
    finally:
        await connection.close()


async def _another_database(dsn: str, name: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return f"{dsn.rpartition('/')[0]}/{name}"


async def _deliver(store: Store, turns: int) -> None:
    """So many leases, all delivered."""
    for turn in range(turns):
        now = 2**50 + turn
        for lease in await store.lease(now=now, ttl=60_000_000, limit=8):
            done = [Settlement(one.target, one.version, "delivered") for one in lease.desired]
            await store.settle(lease, done, now=now, ready_at=now)


def _take_in(title: str, stores: Sequence[_Store]) -> None:
    """The loads over HTTP, in turn."""
    for load_name, (batch, connections) in _LOADS.items():
        cpu: dict[str, list[float]] = {store.name: [] for store in stores}
        p99: dict[str, list[float]] = {store.name: [] for store in stores}
        for number in range(_ROUNDS + 1):
            for store in stores:
                job = Job(
                    *(store.port, _POSTS, batch, connections, [(PLAYER, "")]),
                    *(_LEARNERS, "known", number),
                )
                before = cpu_seconds(store.pid) + store.other_cpu()
                done = post(job)
                used = cpu_seconds(store.pid) + store.other_cpu() - before
                if number:  # the first one warms up
                    cpu[store.name].append(used * 1e6 / _POSTS)
                    p99[store.name].append(done["p99"])
        told = [("CPU of a statement", "µs", cpu), ("p99 of posts", "ms", p99)]
        # so few batches have no hundredth
        for what, unit, taken in told[: 1 if batch else 2]:
            record(
                f"A large store, {title}, {load_name}: {what}",
                stores[0].name,
                {name: Spread.of(values) for name, values in taken.items()},
                command=_COMMAND,
                unit=unit,
            )


async def _upkeep(store: Store) -> tuple[float, float]:
    """CPU seconds of this process for 200 turns of delivery, and for counting the gauges."""
    await store.open()
    try:
        before = time.process_time()
        await _deliver(store, _TURNS)
        delivered = time.process_time()
        await store.backlog()
        return delivered - before, time.process_time() - delivered
    finally:
        await store.close()


def _most_resident(pid: int) -> float:
    """Megabytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    if (most := re.search(r"VmHWM:\s+(\d+) kB", status)) is None:
        raise RuntimeError(f"no VmHWM in {status}")
    return int(most[1]) * 1_024 / 1e6


def _compare(
    title: str, urls: Mapping[str, str], make: Callable[[str], Store], other: Callable[[], float]
) -> None:
    """Of an empty store and a filled one, which are made already."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stores = []
        for name, url in urls.items():
            asyncio.run(_paused(make(url)))
            pid, port = stack.enter_context(daemon(folder, url))
            stores.append(_Store(name, pid, port, other))
        _take_in(title, stores)
        for store in stores:
            line = f"{title}, {store.name}: {_most_resident(store.pid):,.0f} MB resident"
            log = Path(urls[store.name].removeprefix("sqlite:///") + "-wal")
            if log.exists():
                line += f", a log of {log.stat().st_size / 1e6:.1f} MB"
            print(line, flush=True)
    spent = {name: asyncio.run(_upkeep(make(url))) for name, url in urls.items()}
    for place, what in enumerate((f"{_TURNS} turns of delivery", "gauges")):
        seconds = {name: both[place] for name, both in spent.items()}
        show(f"{title}, {what}: CPU, filled {1_000 * seconds[_FILLED]:,.0f} ms", seconds, _EMPTY)


def _sqlite(folder: Path, statements: int, desired: int) -> None:
    paths = {_EMPTY: folder / "empty.db", _FILLED: folder / "filled.db"}
    for path in paths.values():
        asyncio.run(SqliteStore(path).upgrade())
    fill_sqlite(paths[_FILLED], statements, desired)
    print(f"SQLite: {paths[_FILLED].stat().st_size / 1e9:.2f} GB", flush=True)
    _compare(
        "SQLite",
        {name: f"sqlite:///{path}" for name, path in paths.items()},
        lambda url: SqliteStore(url.removeprefix("sqlite:///")),
        lambda: 0.0,
    )


def _postgres(dsn: str, statements: int, desired: int) -> None:
    urls = {_EMPTY: dsn, _FILLED: asyncio.run(_another_database(dsn, "filled"))}
    for url in urls.values():
        asyncio.run(PostgresStore(url).upgrade())
    asyncio.run(fill_postgres(urls[_FILLED], statements, desired))
    server = asyncio.run(postmaster(dsn))
    _compare("PostgreSQL", urls, PostgresStore, lambda: cpu_with_children(server))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bench_growth", description=__doc__)
    parser.add_argument("--statements", type=int, default=_STATEMENTS)
    parser.add_argument("--desired", type=int, default=_DESIRED)
    asked = parser.parse_args()
    print(f"{asked.statements:,} statement ids, {asked.desired:,} desired states", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        _sqlite(Path(folder), asked.statements, asked.desired)
    with start_database() as database:
        _postgres(database.dsn, asked.statements, asked.desired)


if __name__ == "__main__":
    main()
