"""Both stores, empty and with 10 million statement ids and 1 million desired states.

`python -m bench.bench_growth [--statements N] [--desired N]`: minutes, so not part of `make bench`.
Ratios are of the empty store's time in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path

import asyncpg

from bench.timing import show
from demo.database import start_database
from pointsman.domain.records import Change, Decision, InputOutcome, Item, Submission
from pointsman.domain.targets import Recipient, Target, TargetKind
from pointsman.store.base import Settlement, Store
from pointsman.store.named_sql import load
from pointsman.store.postgres import PostgresStore
from pointsman.store.sqlite import SqliteStore

_STATEMENTS, _DESIRED = 10_000_000, 1_000_000
_WORK, _AT_ONCE = 20_000, 100
_BODY = b'{"x": "' + b"y" * 1_200 + b'"}'

_SQL = load("bench", "growth.sql")


def filling(store: str, statements: int, desired: int) -> list[str]:
    """The commands that fill this store, in their order."""
    named = [body for name, body in _SQL.items() if name.startswith(store)]
    sizes = {":statements": str(statements), ":desired": str(desired)}
    for name, size in sizes.items():
        named = [body.replace(name, size) for body in named]
    return named


def work(learners: int) -> list[Submission]:
    """New statements about learners that the filled store knows."""
    made = []
    for number in range(_WORK):
        name = str(uuid.uuid4())
        target = Target(TargetKind.TOPIC_PROGRESS, f"t{number % 5}")
        learner = Recipient.learner(f"old{number * 7_919 % learners:07}")
        change = Change(learner, target, 51 + number % 50, number, name, "rule")
        decision = Decision(InputOutcome.APPLIED, rule="rule", changes=(change,))
        item = Item(name, number, None, decision)
        made.append(Submission("bench", _BODY, number, (item,)))
    return made


async def take_in(store: Store, learners: int) -> float:
    """Seconds for all of it, many at once."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(submission: Submission) -> None:
        async with slots:
            await store.ingest([submission])

    todo = work(learners)
    began = time.perf_counter()
    await asyncio.gather(*map(one, todo))
    return time.perf_counter() - began


async def deliver(store: Store, turns: int) -> float:
    """Seconds for so many leases, all delivered."""
    began = time.perf_counter()
    for turn in range(turns):
        now = 2**50 + turn
        for lease in await store.lease(now=now, ttl=60_000_000, limit=8):
            done = [Settlement(one.target, one.version, "delivered") for one in lease.desired]
            await store.settle(lease, done, now=now, ready_at=now)
    return time.perf_counter() - began


async def measure(store: Store, learners: int) -> dict[str, float]:
    await store.open()
    try:
        await take_in(store, learners)  # so that both know the learners
        found = {"take in": await take_in(store, learners), "deliver": await deliver(store, 200)}
        began = time.perf_counter()
        await store.backlog()
        return {**found, "gauges": time.perf_counter() - began}
    finally:
        await store.close()


async def sqlite(folder: Path, statements: int, desired: int) -> list[dict[str, float]]:
    empty = await measure(SqliteStore(folder / "empty.db"), desired // 5)
    filled = SqliteStore(folder / "filled.db")
    await filled.upgrade()
    with closing(sqlite3.connect(folder / "filled.db")) as connection:
        for command in filling("sqlite", statements, desired):
            connection.execute(command)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = (folder / "filled.db").stat().st_size
    print(f"SQLite: {size / 1e9:.2f} GB")
    return [empty, await measure(filled, desired // 5)]


async def postgres(dsn: str, statements: int, desired: int) -> list[dict[str, float]]:
    empty = await measure(PostgresStore(dsn), desired // 5)
    connection = await asyncpg.connect(dsn)
    try:
        for command in filling("postgres", statements, desired):
            await connection.execute(command)
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
    finally:
        await connection.close()
    print(f"PostgreSQL: {size / 1e9:.2f} GB")
    return [empty, await measure(PostgresStore(dsn), desired // 5)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bench_growth", description=__doc__)
    parser.add_argument("--statements", type=int, default=_STATEMENTS)
    parser.add_argument("--desired", type=int, default=_DESIRED)
    asked = parser.parse_args()
    print(f"{asked.statements:,} statement ids, {asked.desired:,} desired states")
    with tempfile.TemporaryDirectory() as folder, start_database() as database:
        found = {
            "SQLite": asyncio.run(sqlite(Path(folder), asked.statements, asked.desired)),
            "PostgreSQL": asyncio.run(postgres(database.dsn, asked.statements, asked.desired)),
        }
    for name, (empty, filled) in found.items():
        for step, seconds in empty.items():
            title = f"{name}, {step}: {1_000 * filled[step]:,.0f} ms filled"
            show(title, {"empty": seconds, "filled": filled[step]}, "empty")


if __name__ == "__main__":
    main()
