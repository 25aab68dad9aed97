"""Counts what this process takes in and sends, for the numbers that only a running daemon has.

Bounded in time and size, and gone with the process; what lasts is in the store and the metrics.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.domain.clock import Clock
from pointsman.domain.records import Receipt, Submission

#: seconds that count as now, and over which latencies are looked at
MINUTE, RECENT = 60.0, 600.0
_MOST = 5_000


@dataclass(slots=True)
class Hits:
    """How often, and when last; seconds since the epoch."""

    count: int = 0
    last: float | None = None

    def add(self, count: int, at: float) -> None:
        self.count += count
        self.last = at


@dataclass(frozen=True, slots=True)
class Spent:
    """What one turn paid."""

    at: float
    learner: str
    points: int
    requests: int


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of seconds; all are None where nothing was measured."""

    count: int
    median: float | None = None
    p95: float | None = None
    slowest: float | None = None


@dataclass(slots=True)
class Tally:
    """Fed by the hooks of intake and delivery."""

    clock: Clock
    sources: defaultdict[str, Hits] = field(default_factory=lambda: defaultdict(Hits))
    rules: defaultdict[str, Hits] = field(default_factory=lambda: defaultdict(Hits))
    _inputs: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_MOST))
    _spent: deque[Spent] = field(default_factory=lambda: deque(maxlen=_MOST))
    _fresh: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_MOST))
    _completions: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_MOST))

    def received(self, submissions: Sequence[Submission], receipts: Sequence[Receipt]) -> None:
        """Submissions that were stored."""
        now = self.clock.now()
        for submission, receipt in zip(submissions, receipts, strict=True):
            count = sum(receipt.outcomes.values()) + receipt.duplicates
            self.sources[submission.source].add(count, now)
            self._inputs.append((now, count))
            rules = [item.decision.rule for item in submission.items]
            for rule in set(rules):
                if rule:
                    self.rules[rule].add(rules.count(rule), now)

    def delivered(self, record: DeliveryRecord) -> None:
        """One learner's turn."""
        now, outcome = self.clock.now(), record.outcome
        if outcome.requests:
            self._spent.append(Spent(now, outcome.learner, outcome.points, outcome.requests))
        for latency in record.latencies:
            self._fresh.append((now, latency.seconds))
            if latency.completion_seconds is not None:
                self._completions.append((now, latency.completion_seconds))

    def inputs_of_the_minute(self) -> int:
        since = self.clock.now() - MINUTE
        return sum(count for at, count in self._inputs if at >= since)

    def states_of_the_minute(self) -> int:
        """Desired states that the platform took."""
        since = self.clock.now() - MINUTE
        return sum(at >= since for at, _ in self._fresh)

    def spent(self) -> tuple[int, int]:
        """Points and requests that were sent in the last minute."""
        since = self.clock.now() - MINUTE
        recent = [one for one in self._spent if one.at >= since]
        return sum(one.points for one in recent), sum(one.requests for one in recent)

    def spenders(self, count: int) -> list[tuple[str, int, int]]:
        """(learner, points, requests) of the last minute, who spent most first."""
        since = self.clock.now() - MINUTE
        points: Counter[str] = Counter()
        requests: Counter[str] = Counter()
        for one in self._spent:
            if one.at >= since:
                points[one.learner] += one.points
                requests[one.learner] += one.requests
        return [(who, spent, requests[who]) for who, spent in points.most_common(count)]

    def freshness(self) -> Percentiles:
        """From the arrival of a change to the platform's yes."""
        return _percentiles(self._fresh, self.clock.now() - RECENT)

    def completions(self) -> Percentiles:
        """The same of completions."""
        return _percentiles(self._completions, self.clock.now() - RECENT)


def _percentiles(measured: deque[tuple[float, float]], since: float) -> Percentiles:
    seconds = sorted(value for at, value in measured if at >= since)
    if not seconds:
        return Percentiles(0)
    last = len(seconds) - 1
    return Percentiles(
        len(seconds), seconds[last // 2], seconds[min(last, round(0.95 * last))], seconds[last]
    )
