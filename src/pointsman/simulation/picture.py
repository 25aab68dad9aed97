"""Draws simulations over time: latency, freshness, the backlog, and requests by class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pointsman.domain.errors import ConfigError
from pointsman.simulation.recorder import CLASSES, Series, percentile
from pointsman.simulation.run import Outcome

_BINS = 60
_COLORS = {"completion": "#1b7837", "progress": "#5aae61", "nothing": "#b2182b"}


def draw(outcomes: Sequence[tuple[str, Outcome]], path: Path) -> None:
    """One picture, SVG or PNG by the name's ending, a line for each simulation.

    Raises `ConfigError` without matplotlib, the extra `simulate`.
    """
    try:
        from matplotlib import rc_context  # noqa: PLC0415 - an extra
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigError(
            f"a picture needs matplotlib: pip install 'pointsman[simulate]' ({error})"
        ) from None
    # letters stay letters: an SVG is small, and can be searched
    style: Any = {"svg.fonttype": "none", "svg.hashsalt": "pointsman", "font.size": 9}
    with rc_context(style):
        _draw(Figure(figsize=(9, 8), layout="constrained"), outcomes, path)


def _draw(figure: Any, outcomes: Sequence[tuple[str, Outcome]], path: Path) -> None:
    latency, freshness, backlog, requests = figure.subplots(4, 1, sharex=True)
    for name, outcome in outcomes:
        _lines(latency, name, outcome, outcome.recorder.completions)
        _lines(freshness, name, outcome, outcome.recorder.progress)
        times = [time / 60 for time, _ in outcome.recorder.backlog]
        backlog.plot(times, [waiting for _, waiting in outcome.recorder.backlog], label=name)
    _label(latency, "completions: seconds\nto the platform", log=True)
    _label(freshness, "progress: seconds\nto the platform", log=True)
    _label(backlog, "learners who wait")
    _requests(requests, outcomes)
    requests.set_xlabel("minutes")
    figure.savefig(path, dpi=120, metadata={"Date": None} if path.suffix == ".svg" else None)


def _lines(axes: Any, name: str, outcome: Outcome, series: Series) -> None:
    bins = _binned(series, outcome.duration)
    times = [(number + 0.5) * outcome.duration / _BINS / 60 for number in range(_BINS)]
    for part, style, word in ((0.5, ":", "median"), (0.99, "-", "p99")):
        values = [percentile(one, part) if one else None for one in bins]
        axes.plot(times, values, style, label=f"{name}, {word}")


def _binned(series: Series, duration: float) -> list[list[float]]:
    """How long things took, by when they arrived, sorted."""
    bins: list[list[float]] = [[] for _ in range(_BINS)]
    for at, seconds in zip(series.at, series.seconds, strict=True):
        place = int((at - seconds) / duration * _BINS)
        if 0 <= place < _BINS:
            bins[place].append(seconds)
    return [sorted(one) for one in bins]


def _requests(axes: Any, outcomes: Sequence[tuple[str, Outcome]]) -> None:
    """Of one simulation by class; of several, each one's sum."""
    for name, outcome in outcomes:
        width = outcome.duration / _BINS
        times = [(number + 0.5) * width / 60 for number in range(_BINS)]
        counts = {one: [0] * _BINS for one in CLASSES}
        for one in CLASSES:
            for at in outcome.recorder.requests[one]:
                if at < outcome.duration:
                    counts[one][int(at / width)] += 1
        rates = {one: [count / width for count in counts[one]] for one in CLASSES}
        if len(outcomes) == 1:
            axes.stackplot(
                times,
                *rates.values(),
                labels=list(rates),
                colors=[_COLORS[one] for one in rates],
                alpha=0.8,
            )
        else:
            axes.plot(times, [sum(rate) for rate in zip(*rates.values(), strict=True)], label=name)
    limits = {outcome.scenario.limits.requests_per_minute / 60 for _, outcome in outcomes}
    for limit in limits:
        axes.axhline(limit, color="#762a83", linestyle="--", label="the instance's quota")
    _label(axes, "requests a second")


def _label(axes: Any, words: str, *, log: bool = False) -> None:
    axes.set_ylabel(words)
    if log:
        axes.set_yscale("log")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="upper right", fontsize="small", ncols=3)
