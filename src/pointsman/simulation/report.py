"""The figures of a simulation: for a table, for JSON, and for assertions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pointsman.simulation.recorder import CLASSES, Series, percentile
from pointsman.simulation.run import Outcome


@dataclass(frozen=True, slots=True)
class Latency:
    """How long things took from their arrival to the platform's yes, in seconds."""

    count: int
    p50: float
    p95: float
    p99: float
    longest: float

    @classmethod
    def of(cls, seconds: list[float]) -> Latency:
        ordered = sorted(seconds)
        p50, p95, p99 = (percentile(ordered, part) for part in (0.5, 0.95, 0.99))
        return cls(len(ordered), p50, p95, p99, ordered[-1] if ordered else 0.0)


@dataclass(frozen=True, slots=True)
class Report:
    """What a simulation came to. Times in seconds."""

    name: str
    learners: int
    duration: float
    completions: Latency
    #: how old progress was when the platform had it: from the first change that it did not have
    progress: Latency
    #: requests a second, in all and by the most urgent that they carried
    requests_per_second: float
    by_class: dict[str, float]
    #: what it would take to send each input by itself
    naive_per_second: float
    #: of what the instance allows in this time
    quota_used: float
    #: answers of HTTP 429, and those that our own requests alone would have caused
    throttled: int
    throttled_by_us: int
    #: while there was something to send
    longest_pause: float
    #: learners who waited, at most and at the end
    backlog_most: int
    backlog_last: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def report_of(name: str, outcome: Outcome) -> Report:
    """All of a simulation in figures."""
    scenario, recorder, counts = outcome.scenario, outcome.recorder, outcome.platform.counts
    duration = max(1e-9, outcome.duration)
    backlog = [waiting for _, waiting in recorder.backlog] or [0]
    return Report(
        name=name,
        learners=outcome.learners,
        duration=duration,
        completions=latency_of(recorder.completions),
        progress=latency_of(recorder.progress),
        requests_per_second=counts.requests / duration,
        by_class={name: len(recorder.requests[name]) / duration for name in CLASSES},
        naive_per_second=outcome.naive_requests / duration,
        quota_used=counts.requests / (scenario.limits.requests_per_minute * duration / 60),
        throttled=counts.throttled,
        throttled_by_us=counts.throttled_by_us,
        longest_pause=recorder.longest_pause,
        backlog_most=max(backlog),
        backlog_last=backlog[-1],
    )


def latency_of(series: Series, begin: float = 0.0, end: float = float("inf")) -> Latency:
    """Of what arrived in between, seconds since the beginning."""
    return Latency.of(series.between(begin, end))
