"""What was sent, for as long as the platform may still count it. Pure: times come in as arguments.

The platform counts a request at some moment between its sending and its answer, in a fixed window
that we can't see. Whatever the window, a request that is sent now can only share it with those that
are counted less than a window ago. So the log needs no window of its own: no end of one can be
wrong, and nothing is forgotten or carried over when the platform's ends.

How long a platform takes says little of when it counts; that it took longer than for others does.
So a request is taken to be counted at its answer, less the shortest time that any took lately.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits

#: what is answered in the same part of so many seconds counts together, by the last of it: many
#: thousand answers of a minute are a long list for what is done every quarter of a second
_TOGETHER = 0.02
#: (when they were answered at the latest, requests, points)
Counted: TypeAlias = tuple[float, int, int]


@dataclass(slots=True)
class OnTheWay:
    """What one sender has on its way. Since `heard_at` nobody heard of it."""

    heard_at: float
    requests: int
    points: int


@dataclass(slots=True)
class SentLog:
    """Requests and points of the last window's length. Times in seconds, on one clock."""

    limits: QuotaLimits
    #: seconds whose answers are counted together, as if they were answered at the end of them; 0
    #: counts each by itself
    piece: float = 0.0
    #: after so many windows without a word of it, nothing is on its way any more
    lost_after: float = 10.0
    #: the oldest first
    counted: deque[Counted] = field(default_factory=deque)
    #: by who sends: a process has each request by itself, and a replica all of its requests
    on_the_way: dict[Hashable, OnTheWay] = field(default_factory=dict)
    #: times to an answer, the shortest and the longest, in this length of a window and in the one
    #: before
    times: tuple[float, float] | None = None
    times_before: tuple[float, float] | None = None
    times_until: float = 0.0
    #: of all that counts, on its way or answered
    requests: int = 0
    points: int = 0
    #: of what is on its way
    _requests_on_the_way: int = 0
    _points_on_the_way: int = 0

    @property
    def lasts(self) -> float:
        """Seconds for which what was counted may fill the platform's window."""
        return self.limits.window + self.limits.guard + self.piece

    @property
    def all_on_the_way(self) -> tuple[int, int]:
        """Requests that are not answered yet, and their points."""
        return self._requests_on_the_way, self._points_on_the_way

    def hold(self, now: float, sender: Hashable, requests: int, points: int) -> tuple[int, int]:
        """So much of this sender is on its way from now on; how much more that is than before."""
        before = self.on_the_way.pop(sender, None)
        more = requests, points
        if before is not None:
            more = requests - before.requests, points - before.points
        self.requests += more[0]
        self.points += more[1]
        self._requests_on_the_way += more[0]
        self._points_on_the_way += more[1]
        if requests or points:
            self.on_the_way[sender] = OnTheWay(now, requests, points)
        return more

    def count(self, answered_at: float, requests: int, points: int) -> None:
        """So many were answered then, or may have been."""
        at = answered_at - answered_at % self.piece if self.piece else answered_at
        later: list[Counted] = []
        while self.counted and self.counted[-1][0] > at:
            later.append(self.counted.pop())
        same = (0.0, 0, 0)
        if self.counted and self.counted[-1][0] // _TOGETHER == at // _TOGETHER:
            same = self.counted.pop()
        self.counted.append((at, same[1] + requests, same[2] + points))
        self.counted.extend(reversed(later))
        self.requests += requests
        self.points += points

    def note_time(self, now: float, seconds: float) -> None:
        """The platform took so long for an answer."""
        if now >= self.times_until:
            self.times_before, self.times = self.times, None
            self.times_until = now + self.limits.window
        least, most = self.times or (seconds, seconds)
        self.times = min(least, seconds), max(most, seconds)

    def restore(self, counted: Iterable[Counted]) -> None:
        """Take over what other processes sent."""
        for one in sorted(counted):
            self.count(*one)

    def next_at(self, now: float, points: int) -> float:
        """When a request of so many points can't overdraw any window, at the earliest."""
        self.forget(now)
        limits = self.limits
        requests_over = self.requests + 1 - limits.requests
        points_over = self.points + min(points, limits.points) - limits.points
        if requests_over <= 0 and points_over <= 0:
            return now
        lasts = self.lasts - self.least_time
        for answered_at, requests, spent in self.counted:
            requests_over -= requests
            points_over -= spent
            if requests_over <= 0 and points_over <= 0:
                return max(now, answered_at + lasts)
        return now + lasts  # what is on its way may be counted now

    def left(self, now: float) -> QuotaLeft:
        """What may be sent now at once."""
        self.forget(now)
        lasts = self.lasts - self.least_time
        requests, points = self.requests, self.points
        for answered_at, over, spent in self.counted:
            if answered_at + lasts > now:
                break
            requests -= over
            points -= spent
        return QuotaLeft(
            max(0, self.limits.points - points), max(0, self.limits.requests - requests)
        )

    def maybe_counted_since(self, moment: float) -> int:
        """Points of what is on its way, or was answered then or later."""
        points = self._points_on_the_way
        for answered_at, _, spent in reversed(self.counted):
            if answered_at + self.piece < moment:
                break
            points += spent
        return points

    def entries(self, now: float) -> list[Counted]:
        """What `restore` takes; what is on its way counts as answered now."""
        self.forget(now)
        requests, points = self.all_on_the_way
        under_way = [(now, requests, points)] if requests else []
        return [*self.counted, *under_way]

    @property
    def least_time(self) -> float:
        """Seconds that the platform took lately for whatever it answered first; 0 at first."""
        known = [least for least, _ in filter(None, (self.times, self.times_before))]
        return min(*known, self.limits.window / 2) if known else 0.0

    @property
    def longest_time(self) -> float:
        """Seconds that it took lately for whatever it answered last; 0 at first."""
        return max((most for _, most in filter(None, (self.times, self.times_before))), default=0)

    def forget(self, now: float) -> None:
        """What the platform can't count any more."""
        while self.on_the_way:
            sender, known = next(iter(self.on_the_way.items()))
            lost_at = known.heard_at + self.lost_after * self.limits.window
            if lost_at > now:
                break
            self.hold(now, sender, 0, 0)
            self.count(lost_at, known.requests, known.points)
        while self.counted and self.counted[0][0] + self.lasts <= now:
            _, requests, points = self.counted.popleft()
            self.requests -= requests
            self.points -= points
