"""What happened in a simulation, second by second: latencies, requests and the backlog."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.domain.clock import Clock


@dataclass(slots=True)
class Series:
    """When each of many things was done, and how long it took, in seconds."""

    at: array[float] = field(default_factory=lambda: array("d"))
    seconds: array[float] = field(default_factory=lambda: array("d"))

    def add(self, at: float, seconds: float) -> None:
        self.at.append(at)
        self.seconds.append(seconds)

    def between(self, begin: float, end: float) -> list[float]:
        """How long those took that arrived from `begin` until before `end`."""
        return [
            seconds
            for at, seconds in zip(self.at, self.seconds, strict=True)
            if begin <= at - seconds < end
        ]


@dataclass(slots=True)
class Recorder:
    """Is told of every delivery."""

    clock: Clock
    completions: Series = field(default_factory=Series)
    progress: Series = field(default_factory=Series)
    #: requests by the most urgent that they carried, and when each was answered
    requests: Counter[str] = field(default_factory=Counter)
    answers: array[float] = field(default_factory=lambda: array("d"))
    #: (time, learners with something to send)
    backlog: list[tuple[float, int]] = field(default_factory=list)

    def record(self, record: DeliveryRecord) -> None:
        """A hook for the dispatcher."""
        now = self.clock.monotonic()
        carries = "progress"
        for latency in record.latencies:
            if latency.completion_seconds is not None:
                self.completions.add(now, latency.completion_seconds)
                carries = "completion"
            else:
                self.progress.add(now, latency.seconds)
        if record.outcome.requests:
            self.requests[carries if record.latencies else "nothing"] += record.outcome.requests
            self.answers.append(now)


def percentile(sorted_values: Sequence[float], part: float) -> float:
    """The nearest rank; 0 of nothing."""
    if not sorted_values:
        return 0.0
    return sorted_values[min(len(sorted_values) - 1, int(part * len(sorted_values)))]
