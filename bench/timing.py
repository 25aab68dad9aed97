"""Medians of repeated runs, taken in turn, so that a machine that drifts drifts for all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def medians(jobs: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Seconds of each job, the median of `rounds`, one of each in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            began = time.perf_counter()
            job()
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def show(title: str, taken: Mapping[str, float], reference: str) -> None:
    """A line for each job: how often the reference fits into it."""
    print(title)
    for name, seconds in taken.items():
        print(f"  {seconds / taken[reference]:8.2f}  {name}")
