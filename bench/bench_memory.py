"""What much waiting state costs: a daemon's memory, and the time to pick the next learner.

`python -m bench.bench_memory`. SQLite with 1,000, 100,000 and a million desired states that are not
delivered, five to a learner. The daemon's delivery is paused, so that all of them wait; its memory
is the most that was resident until it had taken statements in. Then the next learner is leased from
the same stores, without a daemon.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.bench_http import PLAYER, daemon, measure
from bench.post_load import Job
from bench.results import Spread, record
from pointsman.domain.clock import SystemClock, micros
from pointsman.domain.pauses import Pause
from pointsman.store.named_sql import load
from pointsman.store.sqlite import SqliteStore

_SIZES = (1_000, 100_000, 1_000_000)
_DAEMONS, _ROUNDS, _LEASES, _STATEMENTS = 3, 7, 20, 1_600
_SQL = load("bench", "growth.sql")
_COMMAND = "python -m bench.bench_memory"


def _name(size: int) -> str:
    return f"{size:,} states wait"


async def _fill(path: Path, size: int) -> None:
    """Make a store in which so many states wait, and pause delivery."""
    store = SqliteStore(path)
    await store.open()
    await store.pause(Pause(None, micros(SystemClock().now()), "a benchmark"))
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        for name in ("dirty_desired", "dirty_learners"):
            connection.execute(_SQL[name].replace(":desired", str(size)))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _most_resident(folder: Path, store: Path, number: int) -> float:
    """Megabytes that a daemon on this store had at most until it had taken statements in."""
    with daemon(folder, f"sqlite:///{store}") as (pid, port):
        measure(pid, Job(port, _STATEMENTS, 0, 64, [(PLAYER, "")], 500, "known", number))
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    most = re.search(r"VmHWM:\s+(\d+) kB", status)
    if most is None:
        raise RuntimeError(f"no VmHWM in {status}")
    return int(most[1]) * 1024 / 1e6


async def _pick(store: SqliteStore) -> tuple[float, float]:
    """Microseconds of CPU, and of time, for a lease of the next learner."""
    cpu, began = time.process_time(), time.perf_counter()
    for _ in range(_LEASES):
        leases = await store.lease(now=micros(SystemClock().now()), ttl=3_600_000_000, limit=1)
        if len(leases) != 1:
            raise RuntimeError(f"{len(leases)} learners were leased")
    cpu, taken = time.process_time() - cpu, time.perf_counter() - began
    return cpu * 1e6 / _LEASES, taken * 1e6 / _LEASES


async def _picks(paths: Mapping[str, Path]) -> dict[str, list[tuple[float, float]]]:
    """The same for each store, by rounds in turn."""
    stores = {name: SqliteStore(path) for name, path in paths.items()}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in paths}
    for store in stores.values():
        await store.open()
    for number in range(_ROUNDS + 1):
        for name, store in stores.items():
            microseconds = await _pick(store)
            if number:  # the first one warms up
                taken[name].append(microseconds)
    for store in stores.values():
        await store.close()
    return taken


def main() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        stores = {_name(size): folder / f"{size}.db" for size in _SIZES}
        for size, path in zip(_SIZES, stores.values(), strict=True):
            asyncio.run(_fill(path, size))
        resident: dict[str, list[float]] = {name: [] for name in stores}
        for number in range(_DAEMONS):
            for waiting, path in stores.items():
                resident[waiting].append(_most_resident(folder, path, number))
        smallest = _name(_SIZES[0])
        record(
            "Memory of a daemon, SQLite: resident",
            smallest,
            {waiting: Spread.of(each) for waiting, each in resident.items()},
            command=_COMMAND,
            unit="MB",
        )
        picks = asyncio.run(_picks(stores))
        for place, unit in enumerate(("CPU", "time")):
            record(
                f"Leasing the next learner, SQLite: {unit}",
                smallest,
                {
                    waiting: Spread.of([each[place] for each in took])
                    for waiting, took in picks.items()
                },
                command=_COMMAND,
            )


if __name__ == "__main__":
    main()
