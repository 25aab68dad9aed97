"""Repeated runs, taken in turn, so that a machine that drifts drifts for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from pointsman.process import tune_interpreter


def rounds_of(jobs: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each job, one of each in turn; the first round warms up and is left out."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    tune_interpreter()
    for number in range(rounds + 1):
        for name, job in jobs.items():
            began = time.process_time()
            job()
            if number:
                seconds[name].append(time.process_time() - began)
    return seconds


def show(title: str, taken: Mapping[str, float], reference: str) -> None:
    """A line for each job: how often the reference fits into it."""
    print(title)
    for name, seconds in taken.items():
        print(f"  {seconds / taken[reference]:8.2f}  {name}")
