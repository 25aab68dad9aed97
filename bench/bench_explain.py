"""How long a story takes in a store of many statements: `python -m bench.bench_explain`.

Both stores are filled in bulk, with bodies, index, history, state and dead letters as the daemon
would have written them; half an hour for 10 million, so not part of `make bench`. CPU and time of
one story are of this process, beside a daemon that has the store open; a command takes its start in
addition, which is measured too. With `--folder` the filled SQLite store is kept, and used again.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from bench.filled_store import EACH, fill_postgres, fill_sqlite, learner
from demo.children import Child
from demo.database import start_database
from pointsman import wiring
from pointsman.cli.wait import Awaited, wait
from pointsman.config import Settings, load
from pointsman.domain.clock import SystemClock
from pointsman.store.sqlite import SqliteStore
from pointsman.store.sqlite.soundness import note_of
from pointsman.story import Question

_STATEMENTS, _ROUNDS, _STARTS = 10_000_000, 15, 5
_CONFIG = """
allow_weak_secrets = true
[http]
port = 18093
[store]
url = "{url}"
[platform]
url = "http://127.0.0.1:1"
api_key = "key"
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[learners.tokens]
inline = {{ "ana@example.com" = "token" }}
[[rules]]
activity = "https://content.example.com/{{topic}}"
topic_id = "{{topic}}"
"""


@dataclass
class _Taken:
    """Milliseconds, by what was asked."""

    cpu: dict[str, list[float]] = field(default_factory=dict)
    wall: dict[str, list[float]] = field(default_factory=dict)

    def add(self, what: str, cpu: float, wall: float) -> None:
        self.cpu.setdefault(what, []).append(1_000 * cpu)
        self.wall.setdefault(what, []).append(1_000 * wall)

    def show(self) -> None:
        for what, cpu in self.cpu.items():
            wall = self.wall[what]
            print(
                f"  {statistics.median(cpu):6.0f} ms CPU (least {min(cpu):.0f}),"
                f" {statistics.median(wall):6.0f} ms (least {min(wall):.0f},"
                f" first {wall[0]:.0f})  {what}",
                flush=True,
            )


def _questions(who: str) -> dict[str, Question]:
    return {
        "a learner": Question(who),
        "a learner's topic": Question(who, topic="t1"),
        "a learner's course, of which nothing is known": Question(who, course="c"),
        "a learner's activity": Question(who, activity="https://content.example.com/t1"),
        "somebody of whom nothing is known": Question(f"no-{who}"),
    }


async def _measure(settings: Settings, learners: int, taken: _Taken) -> None:
    store = wiring.store(settings, SystemClock(), beside=True)
    await store.open()
    try:
        teller = wiring.teller(settings, store, SystemClock())
        for number in range(_ROUNDS):
            for what, question in _questions(learner(number * 7_919 % learners)).items():
                cpu, wall = time.process_time(), time.perf_counter()
                story = await teller.tell(question, limit=30)
                taken.add(what, time.process_time() - cpu, time.perf_counter() - wall)
                if what == "a learner" and not (story.events and story.standings):
                    raise RuntimeError(f"nothing is told of {question}")
    finally:
        await store.close()


def _commands(config: Path, taken: _Taken) -> None:
    """Whole processes, from their start to their end."""
    explain = ["explain", "--learner", learner(7), "--topic", "t1", "--config", str(config)]
    for _ in range(_STARTS):
        for words in (explain, ["--version"]):
            before, began = _cpu_of_children(), time.perf_counter()
            command = [sys.executable, "-m", "pointsman", *words]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            what = f"pointsman {words[0]}, with the start of its process"
            taken.add(what, _cpu_of_children() - before, time.perf_counter() - began)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def _daemon(config: Path) -> Iterator[None]:
    """A daemon that has the store open."""
    command = [sys.executable, "-m", "pointsman", "run", "--config", str(config)]
    with config.with_suffix(".log").open("wb") as log:
        child = Child(command, output=log)
        try:
            wait(Awaited.DAEMON, config, timeout=600)
            yield
        finally:
            child.terminate()
            child.wait()


def _report(config: Path, statements: int, title: str) -> None:
    taken = _Taken()
    with _daemon(config):
        asyncio.run(_measure(load(config), statements // EACH, taken))
        _commands(config, taken)
    print(f"{title}: {statements:,} statements of {statements // EACH:,} learners", flush=True)
    taken.show()


def _sqlite(folder: Path, statements: int) -> None:
    path, config = folder / "filled.db", folder / "sqlite.toml"
    config.write_text(_CONFIG.format(url="sqlite:///filled.db"))
    if not path.exists():
        asyncio.run(SqliteStore(path).upgrade())
        _timed("SQLite", lambda: fill_sqlite(path, statements))
    # closed in order: a daemon reads all of another file first
    path.with_name(f"{path.name}.lock").write_text(note_of(path))
    _report(config, statements, f"SQLite, {path.stat().st_size / 1e9:.1f} GB")


def _postgres(folder: Path, statements: int) -> None:
    config = folder / "postgres.toml"
    with start_database(fsync=False) as database:
        config.write_text(_CONFIG.format(url=database.dsn))
        asyncio.run(wiring.store(load(config), SystemClock(), beside=True).upgrade())
        _timed("PostgreSQL", lambda: asyncio.run(fill_postgres(database.dsn, statements)))
        size = asyncio.run(_size(database.dsn))
        _report(config, statements, f"PostgreSQL, {size / 1e9:.1f} GB")


async def _size(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        size: int = await connection.fetchval("SELECT pg_database_size(current_database())")
        return size
    finally:
        await connection.close()


def _timed(title: str, fill: Callable[[], None]) -> None:
    began = time.perf_counter()
    fill()
    print(f"{title} is filled after {time.perf_counter() - began:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bench_explain", description=__doc__)
    parser.add_argument("--sqlite", type=int, default=_STATEMENTS, metavar="STATEMENTS")
    parser.add_argument("--postgres", type=int, default=_STATEMENTS, metavar="STATEMENTS")
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        if asked.sqlite:
            _sqlite(folder, asked.sqlite)
        if asked.postgres:
            _postgres(folder, asked.postgres)


if __name__ == "__main__":
    main()
