"""Keeps what the economy came to in bench/economy.json, and its tables in docs/benchmarks.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.economy_goals import Goal
from bench.results import PAGE
from pointsman.simulation.recorder import Series
from pointsman.simulation.report import latency_of

_RESULTS = PAGE.parents[1] / "bench" / "economy.json"
IMAGES = PAGE.parent / "images"
_BEGIN, _END = "<!-- economy: begin -->", "<!-- economy: end -->"
#: seconds: when the burst is, and from when on it is over for a cycle of all learners' progress
BURST, AFTER = (600.0, 900.0), (1_140.0, 1_780.0)

#: what a way of sending came to, in seconds but for requests a second
Figures = dict[str, float]

#: the figures of a way that its line has
_SHOWN = ("requests/s", "completions p50", "completions p99", "progress p99")


@dataclass(frozen=True, slots=True)
class _OfAWay:
    """A figure of a way must be at most `seconds`."""

    what: str
    workload: str
    figure: str
    seconds: float
    way: str = "pointsman, fresh"


_OF_WAYS = (
    _OfAWay("completions p99", "10,000 learners", "completions p99", 0.5),
    _OfAWay("progress p99", "10,000 learners", "progress p99", 372.0),
    _OfAWay("completions p99 of the burst", "10,000, a burst", "burst p99", 228.0),
    _OfAWay("completions p99 from 4 minutes after it", "10,000, a burst", "after p99", 1.0),
    _OfAWay("progress p99", "2,500 learners", "progress p99", 56.0),
    _OfAWay(
        "progress p99, thrifty",
        "1,000 learners",
        "progress p99",
        30.0,
        "pointsman, thrifty, 30 s",
    ),
)


def figures_of(requests: float, completions: Series, progress: Series) -> Figures:
    """All figures of one run."""
    done, partial = latency_of(completions), latency_of(progress)
    return {
        "requests/s": requests,
        "completions p50": done.p50,
        "completions p99": done.p99,
        "progress p99": partial.p99,
        "burst p99": latency_of(completions, *BURST).p99,
        "after p99": latency_of(completions, *AFTER).p99,
    }


def keep(kind: str, name: str, seed: int, figures: Mapping[str, float]) -> None:
    """Print what was measured, and keep it in place of what was measured before."""
    results = _read()
    rounded = {what: float(f"{value:.4g}") for what, value in figures.items()}
    results.setdefault(kind, {}).setdefault(name, {})[str(seed)] = rounded
    _RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{name}, seed {seed}: {rounded}", flush=True)


def write_page(goals: Sequence[Goal], workloads: Iterable[str]) -> None:
    """The page, with these tables in place of those between the two marks."""
    results = _read()
    ways, measured = results.get("ways", {}), results.get("goals", {})
    lines = [
        "| | goal: at most | the bound | measured, by seed | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in _OF_WAYS:
        values = _values(ways.get(f"{one.workload}: {one.way}", {}), one.figure)
        bounds = _values(ways.get(f"{one.workload}: the bound", {}), one.figure)
        if values and bounds:
            reached = _reached(max(values) <= one.seconds)
            if min(bounds) > one.seconds:
                reached = "missed; out of reach"
            lines.append(
                f"| {one.workload}: {one.what} | {one.seconds:g} s | {_shown(bounds)} s | "
                f"{_shown(values)} s | {reached} |"
            )
    for goal in goals:
        values = _values(measured.get(goal.name, {}), "measured")
        if values:
            limit = f"at least {goal.goal:g}" if goal.at_least else f"{goal.goal:g}"
            reached = _reached(all(map(goal.is_reached, values)))
            unit = f" {goal.unit}" if goal.unit else ""
            shown = f"{_shown(values)}{unit} | {reached}"
            lines.append(f"| {goal.name} | {limit}{unit} | {goal.bound} | {shown} |")
    lines += [
        "",
        "| workload | way | requests/s | completions p50 | p99 | progress p99 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for workload in workloads:
        for name, seeds in ways.items():
            if name.startswith(f"{workload}: "):
                worst = [
                    f"{max(_values(seeds, figure)):,.4g}"
                    for figure in (
                        "requests/s",
                        "completions p50",
                        "completions p99",
                        "progress p99",
                    )
                ]
                way = name.removeprefix(f"{workload}: ")
                lines.append(f"| {workload} | {way} | {worst[0]} | {' s | '.join(worst[1:])} s |")
    before, rest = PAGE.read_text(encoding="utf-8").split(_BEGIN)
    table = "\n".join(lines)
    page = f"{before}{_BEGIN}\n\n{table}\n\n{_END}{rest.split(_END)[1]}"
    PAGE.write_text(page, encoding="utf-8")


def _read() -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    results: dict[str, Any] = json.loads(_RESULTS.read_text()) if _RESULTS.exists() else {}
    return results


def _values(seeds: Mapping[str, Mapping[str, float]], figure: str) -> list[float]:
    return [seeds[seed][figure] for seed in sorted(seeds) if figure in seeds[seed]]


def _shown(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)


def _reached(reached: bool) -> str:
    return "reached" if reached else "missed"
