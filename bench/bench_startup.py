"""What it costs to start: `--help`, `check`, and `run` until it is ready.

`python -m bench.bench_startup`. The reference is `--help` of a typer app with two empty commands.
CPU is of a process from its start to its end, and of `run` to its first answer at /readyz.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.bench_http import cpu_seconds, daemon
from bench.results import Spread, record

_ROUNDS = 7
_EMPTY = """
import typer

app = typer.Typer()


@app.command()
def one() -> None:
    "One."


@app.command()
def two() -> None:
    "Two."


app()
"""
_REFERENCE = "a typer app with two empty commands"
_COMMANDS = {
    _REFERENCE: [sys.executable, "-c", _EMPTY, "--help"],
    "pointsman --help": [sys.executable, "-m", "pointsman", "--help"],
    "pointsman check --help": [sys.executable, "-m", "pointsman", "check", "--help"],
    "pointsman run --help": [sys.executable, "-m", "pointsman", "run", "--help"],
}
_CHECK = [sys.executable, "-m", "pointsman", "check", "--config"]


def _until_end(command: list[str]) -> tuple[float, float]:
    """Seconds of CPU of a process, user and system, and of time."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    taken = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, taken


def _until_ready(folder: Path) -> tuple[float, float]:
    """The same of a daemon, whose store is there already."""
    began = time.perf_counter()
    with daemon(folder, "sqlite:///bench.db") as (pid, _):
        return cpu_seconds(pid), time.perf_counter() - began


def main() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        jobs: dict[str, Callable[[], tuple[float, float]]] = {
            name: partial(_until_end, command) for name, command in _COMMANDS.items()
        }
        _until_ready(folder)  # which writes the file that is checked
        jobs["pointsman check"] = partial(_until_end, [*_CHECK, str(folder / "pointsman.toml")])
        jobs["pointsman run, until it is ready"] = partial(_until_ready, folder)
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
        for number in range(_ROUNDS + 1):
            for title, job in jobs.items():
                seconds = job()
                if number:  # the first one warms up
                    taken[title].append(seconds)
    for place, unit in enumerate(("CPU", "time")):
        record(
            f"Start-up: {unit}",
            _REFERENCE,
            {
                name: Spread.of([1e3 * each[place] for each in rounds])
                for name, rounds in taken.items()
            },
            command="python -m bench.bench_startup",
            unit="ms",
        )


if __name__ == "__main__":
    main()
