"""What happened in a simulation, second by second: latencies, requests and the backlog."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.domain.clock import Clock

#: what a request carries at the most
CLASSES = ("completion", "progress", "nothing")


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
    #: how long completions took of each source, by the name before the learner's number
    by_source: dict[str, Series] = field(default_factory=dict)
    #: when requests were answered, by the most urgent that they carried
    requests: dict[str, array[float]] = field(
        default_factory=lambda: {name: array("d") for name in CLASSES}
    )
    _last_answer: float = 0.0
    _waited: bool = False
    #: the longest time without an answer while there was something to send
    longest_pause: float = 0.0
    waiting: Callable[[], int] = int
    #: (time, learners with something to send)
    backlog: list[tuple[float, int]] = field(default_factory=list)

    def record(self, record: DeliveryRecord) -> None:
        """A hook for the dispatcher."""
        now = self.clock.monotonic()
        carries = "progress" if record.latencies else "nothing"
        for latency in record.latencies:
            if latency.completion_seconds is not None:
                self.completions.add(now, latency.completion_seconds)
                source = record.outcome.learner.rpartition("-")[0]
                self.by_source.setdefault(source, Series()).add(now, latency.completion_seconds)
                carries = "completion"
            else:
                self.progress.add(now, latency.seconds)
        if record.outcome.requests:
            self.requests[carries].extend([now] * record.outcome.requests)
        if record.latencies:
            if self._waited:
                self.longest_pause = max(self.longest_pause, now - self._last_answer)
            self._last_answer, self._waited = now, self.waiting() > 0


def percentile(sorted_values: Sequence[float], part: float) -> float:
    """The nearest rank; 0 of nothing."""
    if not sorted_values:
        return 0.0
    return sorted_values[min(len(sorted_values) - 1, int(part * len(sorted_values)))]
