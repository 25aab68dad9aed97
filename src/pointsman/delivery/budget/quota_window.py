"""The platform's fixed quota window, in memory. Pure: every time comes in as an argument.

The platform's window starts at the first request it receives and lasts for a fixed time; it does
not roll. We can't see that moment. It lies between our sending of the window's first request and
the first answer, so a new window is opened one length after the first answer, and for a guard
before the earliest possible end nothing is sent, lest it arrive in the next window. What is on its
way at the end, or was answered after the earliest end, counts in both.

Requests are spread evenly. A spread that fits one window never exceeds the limit in any stretch of
that length, so even a platform whose window started elsewhere, by the customer's own site, is not
overdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits, Reservation

#: added to the end of a window, so that two clocks that agree can't round to different sides
_HAIR = 0.01
#: of the window, the part that may be sent ahead of the pace; PACE keeps so much free in any window
_REQUESTS_IN_HAND = 0.005
_POINTS_IN_HAND = 0.01
#: reset times within this of our own reckoning only repeat it, rounded
_TOLERANCE = 2.0


@dataclass(slots=True)
class QuotaWindow:
    """The books of the current window."""

    limits: QuotaLimits
    number: int = 0
    opened_at: float = 0.0
    ends_at: float = 0.0
    points: int = 0
    requests: int = 0
    #: until when what was sent has used up the pace, of requests and of points
    requests_due: float = 0.0
    points_due: float = 0.0
    #: nothing is sent before this: the platform said so
    blocked_until: float = 0.0
    _answered: bool = False
    _on_the_way: set[Reservation] = field(default_factory=set)
    _late_points: int = 0
    _late_requests: int = 0

    def restore(self, now: float, ends_at: float, points: int, requests: int) -> None:
        """Go on in a window that another process opened; what it had set aside counts as spent."""
        if ends_at > now:
            self.opened_at = min(now, ends_at - self.limits.window)
            self.ends_at, self.points, self.requests = ends_at, points, requests
            self.number += 1

    def next_at(self, now: float, points: int) -> float:
        """The earliest time at which a request of so many points may be sent."""
        request, cost = self._paces(points)
        window = self.limits.window
        at = max(
            now,
            self.blocked_until,
            self.requests_due - max(0.0, _REQUESTS_IN_HAND * window - request),
            self.points_due - max(0.0, _POINTS_IN_HAND * window - cost),
        )
        if at >= self.ends_at:
            return at
        fits = self.requests < self.limits.requests and self.points + points <= self.limits.points
        if fits and at <= self._last_safe():
            return at
        return max(at, self.ends_at)

    def reserve(self, now: float, points: int) -> Reservation:
        """Spend it; only at a time that `next_at` gave."""
        if now >= self.ends_at:
            self._open(now)
        self.points += points
        self.requests += 1
        request, cost = self._paces(points)
        self.requests_due = max(now, self.requests_due) + request
        self.points_due = max(now, self.points_due) + cost
        reservation = Reservation(points, self.number)
        self._on_the_way.add(reservation)
        return reservation

    def settle(
        self,
        now: float,
        reservation: Reservation,
        *,
        points_left: int | None = None,
        resets_in: float | None = None,
    ) -> None:
        """An answer came, or none will; `points_left` and `resets_in` are the platform's."""
        self._on_the_way.discard(reservation)
        if reservation.window != self.number:
            return
        if not self._answered:
            self._answered = True
            self.ends_at = max(self.ends_at, now + self.limits.window + _HAIR)
        if now >= self.opened_at + self.limits.window:
            self._late_points += reservation.points
            self._late_requests += 1
        if resets_in is not None and abs(now + resets_in - self.ends_at) > _TOLERANCE:
            self.ends_at = now + min(resets_in, self.limits.window + _TOLERANCE)
            self.opened_at = self.ends_at - self.limits.window
        if points_left is not None:
            on_the_way = sum(sent.points for sent in self._on_the_way)
            self.points = max(self.points, self.limits.points - max(0, points_left - on_the_way))

    def throttle(self, now: float, retry_after: float | None) -> None:
        """The platform turned a request away: the window is spent, whatever our books say."""
        wait = retry_after if retry_after is not None else max(1.0, self.ends_at - now)
        self.blocked_until = max(self.blocked_until, now + wait)
        self.ends_at = self.blocked_until

    def block(self, now: float, seconds: float) -> None:
        """The platform asks to be left alone for so long; the window runs on."""
        self.blocked_until = max(self.blocked_until, now + seconds)

    def left(self, now: float) -> QuotaLeft:
        """What may still be spent in this window."""
        if now < self.blocked_until:
            return QuotaLeft(0, 0)
        if now >= self.ends_at:
            return QuotaLeft(self.limits.points, self.limits.requests)
        return QuotaLeft(
            max(0, self.limits.points - self.points),
            max(0, self.limits.requests - self.requests),
        )

    def _open(self, now: float) -> None:
        self.number += 1
        self.opened_at = now
        self.ends_at = now + self.limits.window + _HAIR
        self.points = self._late_points + sum(sent.points for sent in self._on_the_way)
        self.requests = self._late_requests + len(self._on_the_way)
        self._late_points = self._late_requests = 0
        self._answered = False

    def _last_safe(self) -> float:
        return min(self.opened_at + self.limits.window, self.ends_at) - self.limits.guard

    def _paces(self, points: int) -> tuple[float, float]:
        """Seconds of the pace that a request of so many points uses up, as one and by its points.

        It is paid before the request is sent (the generic cell rate algorithm), so that neither
        pace is ever ahead by more than is in hand.
        """
        usable = self.limits.window - self.limits.guard
        return usable / self.limits.requests, points * usable / self.limits.points
