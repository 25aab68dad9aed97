"""A daemon on PostgreSQL beside one on SQLite, which take the same load over HTTP in turn.

`python -m bench.bench_postgres`. CPU is of the daemon's process, without the database server; time
is from the first request to the last answer, with the server on the same machine.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.bench_http import PLAYER, daemon, measure
from bench.post_load import Job
from bench.results import Spread, record
from demo.database import start_database

_ROUNDS, _STATEMENTS, _LEARNERS = 5, 3_200, 500
#: statements in a body, 0 for one that is no array; and connections
_LOADS = {"single posts": (0, 64), "batches of 100": (100, 32)}


def _name(load: str, store: str) -> str:
    return f"{load}, {store}"


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        urls = {
            "SQLite": "sqlite:///bench.db",
            "PostgreSQL": stack.enter_context(start_database()).dsn,
        }
        daemons = {}
        for store, url in urls.items():
            (folder / store).mkdir()
            daemons[store] = stack.enter_context(daemon(folder / store, url))
        taken: dict[str, list[tuple[float, float]]] = {
            _name(load, store): [] for load in _LOADS for store in urls
        }
        for number in range(_ROUNDS + 1):
            for load, (batch, connections) in _LOADS.items():
                for store, (pid, port) in daemons.items():
                    senders = [(PLAYER, "")]
                    job = Job(
                        port, _STATEMENTS, batch, connections, senders, _LEARNERS, "known", number
                    )
                    microseconds = measure(pid, job)
                    if number:  # the first one warms up
                        taken[_name(load, store)].append(microseconds)
    for load in _LOADS:
        for place, unit in enumerate(("CPU", "time")):
            record(
                f"PostgreSQL beside SQLite, {load}: {unit} of a statement",
                _name(load, "SQLite"),
                {
                    name: Spread.of([each[place] for each in taken[name]])
                    for name in (_name(load, store) for store in urls)
                },
                command="python -m bench.bench_postgres",
            )


if __name__ == "__main__":
    main()
