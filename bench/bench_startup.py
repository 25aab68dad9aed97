"""What `pointsman --help` costs, in the CPU of `--help` of a typer app with two empty commands."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

from bench.timing import show

_ROUNDS = 9
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
_COMMANDS = {
    "a typer app with two empty commands": [sys.executable, "-c", _EMPTY, "--help"],
    "pointsman --help": [sys.executable, "-m", "pointsman", "--help"],
    "pointsman check --help": [sys.executable, "-m", "pointsman", "check", "--help"],
    "pointsman run --help": [sys.executable, "-m", "pointsman", "run", "--help"],
}


def main() -> None:
    taken: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for _ in range(_ROUNDS):
        for name, command in _COMMANDS.items():
            taken[name].append(_cpu_seconds(command))
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    show("CPU until the help is shown", medians, next(iter(_COMMANDS)))


def _cpu_seconds(command: list[str]) -> float:
    """User and system time of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
