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
from dataclasses import dataclass, field

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits, Reservation

#: a request that nobody heard of for so many windows is not on its way any more
_LOST = 11


@dataclass(slots=True)
class SentLog:
    """Requests and points of the last window's length. Times in seconds on the monotonic clock."""

    limits: QuotaLimits
    #: (when it was answered, points), the oldest first
    _answered: deque[tuple[float, int]] = field(default_factory=deque)
    _points: int = 0
    #: (when it was sent, points) of those that are on their way
    _on_the_way: dict[Reservation, tuple[float, int]] = field(default_factory=dict)
    #: times to an answer, the shortest and the longest, in this length of a window and in the one
    #: before
    _times: tuple[float, float] | None = None
    _times_before: tuple[float, float] | None = None
    _times_until: float = 0.0

    @property
    def lasts(self) -> float:
        """Seconds for which what was counted may fill the platform's window."""
        return self.limits.window + self.limits.guard

    @property
    def on_the_way(self) -> tuple[int, int]:
        """Requests that are not answered yet, and their points."""
        return len(self._on_the_way), sum(points for _, points in self._on_the_way.values())

    def sent(self, now: float, reservation: Reservation) -> None:
        """A request goes out."""
        self._on_the_way[reservation] = now, reservation.points
        self._points += reservation.points

    def answered(self, now: float, reservation: Reservation, *, is_answer: bool) -> float | None:
        """When it was sent; None for one that is not known. `is_answer`: the platform said it."""
        known = self._on_the_way.pop(reservation, None)
        if known is None:
            return None
        sent_at, points = known
        self._answered.append((now, points))
        if is_answer:
            self._note_time(now, now - sent_at)
        return sent_at

    def restore(self, entries: list[tuple[float, int]]) -> None:
        """Take over (when it was answered at the latest, points) of another process."""
        self._answered.extend(sorted(entries))
        self._points += sum(points for _, points in entries)

    def next_at(self, now: float, points: int) -> float:
        """When a request of so many points can't overdraw any window, at the earliest."""
        self._forget(now)
        limits = self.limits
        requests_over = len(self._answered) + len(self._on_the_way) + 1 - limits.requests
        points_over = self._points + min(points, limits.points) - limits.points
        if requests_over <= 0 and points_over <= 0:
            return now
        lasts = self.lasts - self.least_time
        at = now
        for answered_at, spent in self._answered:
            at = max(now, answered_at + lasts)
            requests_over -= 1
            points_over -= spent
            if requests_over <= 0 and points_over <= 0:
                return at
        return now + lasts  # what is on its way may be counted now

    def left(self, now: float) -> QuotaLeft:
        """What may be sent now at once."""
        self._forget(now)
        lasts = self.lasts - self.least_time
        requests, points = len(self._answered) + len(self._on_the_way), self._points
        for answered_at, spent in self._answered:
            if answered_at + lasts > now:
                break
            requests -= 1
            points -= spent
        return QuotaLeft(
            max(0, self.limits.points - points), max(0, self.limits.requests - requests)
        )

    def maybe_counted_since(self, moment: float) -> int:
        """Points of what is on its way, or was answered then or later."""
        points = sum(spent for _, spent in self._on_the_way.values())
        for answered_at, spent in reversed(self._answered):
            if answered_at < moment:
                break
            points += spent
        return points

    def entries(self, now: float) -> list[tuple[float, int]]:
        """What `restore` takes; what is on its way counts as answered now."""
        self._forget(now)
        return [*self._answered, *((now, points) for _, points in self._on_the_way.values())]

    @property
    def least_time(self) -> float:
        """Seconds that the platform took lately for whatever it answered first; 0 at first."""
        known = [least for least, _ in filter(None, (self._times, self._times_before))]
        return min(*known, self.limits.window / 2) if known else 0.0

    @property
    def longest_time(self) -> float:
        """Seconds that it took lately for whatever it answered last; 0 at first."""
        return max((most for _, most in filter(None, (self._times, self._times_before))), default=0)

    def _note_time(self, now: float, seconds: float) -> None:
        if now >= self._times_until:
            self._times_before, self._times = self._times, None
            self._times_until = now + self.limits.window
        least, most = self._times or (seconds, seconds)
        self._times = min(least, seconds), max(most, seconds)

    def _forget(self, now: float) -> None:
        while self._answered and self._answered[0][0] + self.lasts <= now:
            self._points -= self._answered.popleft()[1]
        while self._on_the_way:
            reservation, (sent_at, points) = next(iter(self._on_the_way.items()))
            if sent_at + _LOST * self.limits.window > now:
                return
            del self._on_the_way[reservation]
            self._points -= points
