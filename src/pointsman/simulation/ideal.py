"""What other ways of sending would come to, and the bound: one request in each slot of the quota.

No way of sending can do better than the bound: it has the whole quota, no guard, knows at once what
happens, and loses no time between slots.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from pointsman.domain.targets import is_urgent
from pointsman.simulation.recorder import Series
from pointsman.simulation.workload import LearnerTrack, WorkloadNumbers, tracks


@dataclass(slots=True)
class _Waiting:
    """What a learner waits with: when its first change came, and its first urgent one."""

    since: float = float("inf")
    urgent_since: float = float("inf")
    progress: list[float] = field(default_factory=list)
    completions: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ideal:
    """What came of it. `used` is the part of the slots that had something to send."""

    completions: Series
    progress: Series
    requests_per_second: float


#: (first change, first urgent change) -> what is smaller goes first
Order = Callable[[float, float], tuple[float, float]]


def urgent_first(since: float, urgent_since: float) -> tuple[float, float]:
    """Completions and statuses by arrival, then progress by arrival."""
    return urgent_since, since


def first_come(since: float, urgent_since: float) -> tuple[float, float]:
    """Whoever has waited for longest, whatever it is."""
    return min(since, urgent_since), 0.0


def run_slots(
    numbers: WorkloadNumbers,
    *,
    requests_per_minute: float,
    duration: float,
    latency: float,
    order: Order,
    gather: float = 0.0,
) -> Ideal:
    """Send for a learner in each slot; nobody before having waited for `gather` seconds."""
    learners = tracks(numbers)
    waiting = [_Waiting() for _ in learners]
    events = [(track.next_change(), number) for number, track in enumerate(learners)]
    heapq.heapify(events)
    ready: list[tuple[tuple[float, float], int]] = []
    result = Ideal(Series(), Series(), 0.0)
    slot, sent = 60 / requests_per_minute, 0
    for step in range(int(duration / slot)):
        now = step * slot
        while events and events[0][0] + gather <= now:
            _, number = heapq.heappop(events)
            _collect(learners[number], waiting[number], now)
            one = waiting[number]
            heapq.heappush(ready, (order(one.since, one.urgent_since), number))
            if one.urgent_since == float("inf"):
                heapq.heappush(events, (learners[number].next_completion(), number))
        while ready:
            key, number = heapq.heappop(ready)
            one = waiting[number]
            if key == order(one.since, one.urgent_since) and one.since < float("inf"):
                _collect(learners[number], one, now)
                _deliver(one, now + latency, result)
                waiting[number] = _Waiting()
                heapq.heappush(events, (learners[number].next_change(), number))
                sent += 1
                break
    return Ideal(result.completions, result.progress, sent / duration)


def _collect(track: LearnerTrack, waiting: _Waiting, now: float) -> None:
    started: set[object] = set()
    for at, change in track.changes_until(now):
        waiting.since = min(waiting.since, at)
        if change.value == 100:  # noqa: PLR2004 - a topic that is complete
            waiting.completions.append(at)
        elif change.target not in started:
            started.add(change.target)
            if not waiting.progress or is_urgent(change.target, change.value):
                waiting.progress.append(at)
        if is_urgent(change.target, change.value):
            waiting.urgent_since = min(waiting.urgent_since, at)


def _deliver(waiting: _Waiting, at: float, result: Ideal) -> None:
    for arrived in waiting.completions:
        result.completions.add(at, at - arrived)
    for arrived in waiting.progress:
        result.progress.add(at, at - arrived)
