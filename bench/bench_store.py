"""Group commit beside an idle and a busy event loop; a bare executemany in an idle loop = 1.

The trap: each small step of SQLite gives the interpreter lock up, and beside a busy loop wins it
back only after a switch interval (docs/design.md, "The interpreter lock").
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from bench.results import Spread, record
from bench.timing import show
from pointsman.domain.records import Change, Decision, InputOutcome, Item, Submission
from pointsman.domain.targets import Recipient, Target, TargetKind
from pointsman.process import tune_interpreter
from pointsman.store.sqlite import SqliteStore

_STATEMENTS = 10_000
_WAITING = 200
_ROUNDS = 5
_BODY = b"x" * 1_200


def submissions(*, keys: bool) -> list[Submission]:
    """With the `keys` of a usual statement: authority, verb, learner, activity, registration."""
    made = []
    for number in range(_STATEMENTS):
        statement_id = str(uuid.uuid4())
        topic = Target(TargetKind.TOPIC_PROGRESS, f"topic-{number % 7}")
        change = Change(
            Recipient.learner(f"learner-{number % 500}"),
            topic,
            number % 101,
            number,
            statement_id,
            "rule",
        )
        decision = Decision(InputOutcome.APPLIED, rule="rule", changes=(change,))
        found = (1, 10 + number % 3, 100 + number % 500, 1_000 + number % 7, 10_000 + number % 900)
        item = Item(statement_id, number, None, decision, found if keys else ())
        made.append(Submission("bench", _BODY, number, (item,)))
    return made


async def through_the_store(*, threaded: bool, busy: bool, keys: bool) -> float:
    tune_interpreter()
    done = False

    async def burn() -> None:
        while not done:
            until = time.perf_counter() + 0.001
            while time.perf_counter() < until:
                pass
            await asyncio.sleep(0)

    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "bench.db", threaded=threaded)
        await store.open()
        slots = asyncio.Semaphore(_WAITING)

        async def one(submission: Submission) -> None:
            async with slots:
                await store.ingest([submission])

        work = submissions(keys=keys)
        burner = asyncio.create_task(burn()) if busy else None
        began = time.perf_counter()
        await asyncio.gather(*map(one, work))
        taken = time.perf_counter() - began
        done = True
        if burner is not None:
            await burner
        await store.close()
    return taken


def bare() -> float:
    """The same number of id rows, a hundred a commit, and nothing else to do."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, n) WITHOUT ROWID")
        rows = [(str(uuid.uuid4()), number) for number in range(_STATEMENTS)]
        began = time.perf_counter()
        for start in range(0, _STATEMENTS, 100):
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO ids VALUES (?, ?)", rows[start : start + 100])
            connection.execute("COMMIT")
        taken = time.perf_counter() - began
        connection.close()
    return taken


def written() -> float:
    """The same bodies, a hundred to each write, and each write on the disk before the next."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "bodies").open("wb") as file:
        began = time.perf_counter()
        for _ in range(0, _STATEMENTS, 100):
            file.write(_BODY * 100)
            file.flush()
            os.fdatasync(file.fileno())
        return time.perf_counter() - began


def beside_bare_writes() -> None:
    """Record the time and the CPU of a commit's statement beside writing its body."""
    jobs: dict[str, Callable[[], float]] = {
        "write and fdatasync": written,
        "the store, writer thread": lambda: asyncio.run(
            through_the_store(threaded=True, busy=False, keys=True)
        ),
    }
    cpu: dict[str, list[float]] = {name: [] for name in jobs}
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(_ROUNDS):
        for name, job in jobs.items():
            before = time.process_time()
            taken[name].append(job() * 1e6 / _STATEMENTS)
            cpu[name].append((time.process_time() - before) * 1e6 / _STATEMENTS)
    for unit, values in (("time", taken), ("CPU", cpu)):
        record(
            f"The SQLite store: {unit} of a statement",
            "write and fdatasync",
            {name: Spread.of(each) for name, each in values.items()},
            command="python -m bench.bench_store",
        )


def main() -> None:
    beside_bare_writes()

    def run(*, threaded: bool, busy: bool, keys: bool = True) -> float:
        return asyncio.run(through_the_store(threaded=threaded, busy=busy, keys=keys))

    show(
        f"{_STATEMENTS} statements, {_WAITING} waiting at once; bare executemany = 1",
        {
            "bare executemany, idle loop": bare(),
            "writer thread, idle loop": run(threaded=True, busy=False),
            "writer thread, idle loop, no keys": run(threaded=True, busy=False, keys=False),
            "writer thread, busy loop": run(threaded=True, busy=True),
            "writer thread, busy loop, no keys": run(threaded=True, busy=True, keys=False),
            "in the loop's thread, idle loop": run(threaded=False, busy=False),
            "in the loop's thread, busy loop": run(threaded=False, busy=True),
        },
        "bare executemany, idle loop",
    )


if __name__ == "__main__":
    main()
