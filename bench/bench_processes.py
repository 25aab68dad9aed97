"""One daemon and three of them on one PostgreSQL and one port, and where the time goes.

`python -m bench.bench_processes`. Load, daemons and database share this machine's cores, so the
daemons are also measured with a fifth of a core each: then there is room for three, as on a machine
with more cores. CPU is of all daemons, of the database's processes and of the load. While the load
runs, the database is asked again and again what its transactions wait for.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import asyncpg
import uvloop

from bench.bench_http import PLAYER, cpu_seconds, daemon, post
from bench.cpu_share import limited
from bench.database_cpu import cpu_with_children, postmaster
from bench.post_load import Job
from bench.results import Spread, record
from demo.database import start_database
from demo.processes import free_port

_ROUNDS, _STATEMENTS, _LEARNERS, _SHARE = 5, 3_200, 500, 0.2
_FLEETS = {"one process": 1, "three processes": 3}
#: statements in a body, 0 for one that is no array; and connections, enough to spread evenly
_LOADS = {"single posts": (0, 192), "batches of 100": (100, 32)}
_COMMAND = "python -m bench.bench_processes"
#: seconds between two looks at what transactions wait for
_LOOK = 0.01
_ACTIVITY = """
SELECT coalesce(wait_event_type, 'runs') FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""


@dataclass(frozen=True, slots=True)
class _Round:
    """Microseconds for each statement; the share of looks at transactions that saw a lock."""

    time: float
    daemons: float
    database: float
    load: float
    waits: float


class _Looks:
    """What each transaction was doing, by looks from a thread, while the block runs."""

    def __init__(self, dsn: str) -> None:
        self._dsn, self._ended = dsn, threading.Event()
        self._thread = threading.Thread(target=lambda: uvloop.run(self._look()))
        self.seen: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    async def _look(self) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            while not self._ended.wait(_LOOK):
                self.seen.update(row[0] for row in await connection.fetch(_ACTIVITY))
        finally:
            await connection.close()

    @property
    def waits(self) -> float:
        """Of all transactions that were under way, those that waited for another one's lock."""
        return self.seen["Lock"] / max(1, self.seen.total())


def _one_round(pids: Sequence[int], server: int, dsn: str, job: Job) -> _Round:
    daemons, database = sum(map(cpu_seconds, pids)), cpu_with_children(server)
    with _Looks(dsn) as looks:
        done = post(job)
    daemons = sum(map(cpu_seconds, pids)) - daemons
    database = cpu_with_children(server) - database
    each = 1e6 / job.statements
    return _Round(
        done["seconds"] * each,
        daemons * each,
        database * each,
        done["cpu"] * each,
        looks.waits,
    )


def _show(title: str, rounds: Mapping[str, Sequence[_Round]]) -> None:
    one = next(iter(rounds))
    record(
        f"Processes on PostgreSQL, {title}: speed",
        one,
        {name: Spread.of([1e6 / each.time for each in taken]) for name, taken in rounds.items()},
        command=_COMMAND,
        unit="statements/s",
    )
    record(
        f"Processes on PostgreSQL, {title}: CPU of a statement",
        f"{one}: the daemons",
        {
            f"{name}: {who}": Spread.of([getattr(each, part) for each in taken])
            for name, taken in rounds.items()
            for who, part in (
                ("the daemons", "daemons"),
                ("PostgreSQL", "database"),
                ("the load", "load"),
            )
        },
        command=_COMMAND,
    )
    for name, taken in rounds.items():
        waits = Spread.of([100 * each.waits for each in taken])
        print(f"{title}, {name}: {waits.median:g} % of transactions waited for a lock", flush=True)


def _measure(
    fleets: Mapping[str, tuple[Sequence[int], int]], dsn: str, first: int
) -> dict[str, dict[str, list[_Round]]]:
    """By load and by fleet, its process ids and port; rounds are numbered on from `first`."""
    server = uvloop.run(postmaster(dsn))
    taken: dict[str, dict[str, list[_Round]]] = {
        load: {name: [] for name in fleets} for load in _LOADS
    }
    for number in range(first, first + _ROUNDS + 1):
        for load, (batch, connections) in _LOADS.items():
            for name, (pids, port) in fleets.items():
                senders = [(PLAYER, "")]
                job = Job(
                    port, _STATEMENTS, batch, connections, senders, _LEARNERS, "known", number
                )
                measured = _one_round(pids, server, dsn, job)
                if number > first:  # the first one warms up
                    taken[load][name].append(measured)
    return taken


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        dsn = stack.enter_context(start_database()).dsn
        fleets = {}
        for name, count in _FLEETS.items():
            port = free_port()
            pids = [stack.enter_context(daemon(folder, dsn, port))[0] for _ in range(count)]
            fleets[name] = (pids, port)
        for load, rounds in _measure(fleets, dsn, 0).items():
            _show(load, rounds)
        everybody = [pid for pids, _ in fleets.values() for pid in pids]
        if not all([stack.enter_context(limited(pid, _SHARE)) for pid in everybody]):  # noqa: C419 - each of them
            print("no right to make cgroups: with a share of a core each, nothing is measured")
            return
        for load, rounds in _measure(fleets, dsn, _ROUNDS + 1).items():
            _show(f"{load}, {_SHARE:g} of a core each", rounds)


if __name__ == "__main__":
    main()
