"""What the customer's own site takes of the quota, by the headers, and what is left for us. Pure.

All that others spend shows in `X-RateLimit-Remaining`, less what we know of our own. Requests are
in no header: a request of the site is taken to cost as many points as the platform grants for one,
until there is no quota for us although points are left. What the site may still want in this window
is what it wanted in the hungriest of the last windows, or what it would get to at the pace of now.
The rest is ours, more of it the later in the window, and never more than our share.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from pointsman.delivery.budget.base import PACE, QuotaLimits
from pointsman.delivery.budget.platform_window import WindowEnd

#: windows that are remembered
_MEMORY = 60
#: what others want is taken to be so many times what was seen, and more the fewer windows were seen
_CAUTION, _OF_FEW = 1.1, 3.0
#: fewer windows say nothing of what others take at most
_FEW = 5
#: of the quota, what is left free: the last answer is older than what others do now
_MARGIN = 0.02
#: however much others take, we may send this part
_FLOOR = 0.02
#: seconds from which on the pace of others in this window says something, and is remembered
_LEAST_TIME, _SURE_TIME = 3.0, 10.0
#: of the quota, the part that is spent on asking how much others took meanwhile
_ASKING = 0.01


@dataclass(slots=True)
class SitePart:
    """Parts of the whole quota, from 0 to 1. Times in seconds on the monotonic clock."""

    limits: QuotaLimits
    #: of the newest window that the platform told of
    end: WindowEnd | None = None
    #: of all that was sent in it, and of what was answered
    requests: int = 0
    points: int = 0
    counted_points: int = 0
    sent_at: float = float("-inf")
    read_at: float = 0.0
    #: what others have taken in it, and points of theirs
    taken: float = 0.0
    others_points: int = 0
    #: points of one request of theirs
    cost: float = field(init=False)
    #: what others took in each of the last windows, and their pace when it was highest
    earlier: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_MEMORY))
    pace: float = 0.0

    def __post_init__(self) -> None:
        self.cost = max(1.0, self.limits.total_points / self.limits.total_requests)

    def sent(self, now: float, requests: int, points: int) -> None:
        """Requests of ours go out."""
        self.sent_at = now
        self.requests += requests
        self.points += points

    def read(
        self,
        now: float,
        end: WindowEnd,
        *,
        is_new: bool,
        points_left: int,
        points: int,
        under_way: tuple[int, int],
    ) -> None:
        """An answer of the window that ends then; `points` is what it cost.

        `under_way` are the other requests, and their points, that are still to be answered.
        """
        if is_new:
            if self.end is not None:
                self.earlier.append((self.taken, self.pace))
            self.requests, self.points = under_way[0] + 1, under_way[1] + points
            self.counted_points, self.taken, self.pace, self.others_points = 0, 0.0, 0.0, 0
        self.counted_points += points
        if now < self.read_at and not is_new:
            return  # another replica's answer was newer
        self.end, self.read_at = end, now
        others = self.limits.total_points - points_left - self.counted_points
        self.others_points = max(0, others)
        of_requests = self.others_points / self.cost / self.limits.total_requests
        self.taken = min(1.0, max(self.others_points / self.limits.total_points, of_requests))
        elapsed = now - (end.not_after - self.limits.window)
        if elapsed >= _SURE_TIME:
            self.pace = max(self.pace, self.taken / elapsed)

    def throttled(self) -> None:
        """No quota, though points are left: the requests of others cost less than we thought."""
        requests = self.limits.total_requests - self.requests
        if self.others_points and requests > 0:
            self.cost = max(1.0, min(self.cost, self.others_points / requests / _CAUTION))

    def allowed(self, now: float) -> float:
        """The part of the quota that may be ours in this window, by now."""
        share = self.limits.share
        if self.end is None or now >= self.end.not_after:
            return share * PACE
        wanted = max(self._wanted(self.end.not_after), 1 - share - self.taken)
        return max(_FLOOR, min(share * PACE, 1 - self.taken - wanted - _MARGIN))

    def _wanted(self, ends_at: float) -> float:
        """What others may take until the end of the window, since it was said what they took."""
        left = ends_at - self.read_at
        elapsed = self.limits.window - left
        pace = self._highest_pace
        if elapsed >= _LEAST_TIME:
            # they come at random: so many may be missing in what was seen
            requests = self.taken * self.limits.total_requests
            some = 2 * math.sqrt(requests) / self.limits.total_requests
            pace = max(pace, (self.taken + some) / elapsed)
        trend = _CAUTION * pace * left
        if len(self.earlier) < _FEW:
            return trend
        most = max(taken for taken, _ in self.earlier)
        bound = (_CAUTION + _OF_FEW / len(self.earlier)) * most - self.taken
        return trend if bound <= 0 else min(trend, bound)

    @property
    def _highest_pace(self) -> float:
        return max([self.pace, *(pace for _, pace in self.earlier)])

    def next_at(self, now: float, points: int) -> float:
        """When a request of so many points leaves others what they want, at the earliest."""
        allowed = self.allowed(now)
        limits = self.limits
        over = max(
            (self.requests + 1) / limits.total_requests - allowed,
            (self.points + points) / limits.total_points - allowed,
        )
        if over <= 0 or self.end is None or now >= self.end.not_after:
            return now
        # without an answer now and then nobody knows how much others took
        ask_every = limits.window / (limits.total_requests * _ASKING)
        return max(now, min(self.end.not_after, self.sent_at + ask_every))
