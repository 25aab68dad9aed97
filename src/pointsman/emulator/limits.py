"""The platform's quota: one fixed window over all requests of the instance, in points and requests.

A window opens with the first request and lasts 60 seconds; it does not roll. Pure: the caller
says what time it is, in seconds of a monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass

#: seconds
WINDOW = 60.0


@dataclass(frozen=True, slots=True)
class InstanceLimits:
    """The published limits of an instance."""

    points_per_minute: int = 100_000
    requests_per_minute: int = 2_500
    points_per_request: int = 1_000


@dataclass(frozen=True, slots=True)
class QuotaReading:
    """What is left of the open window; `resets_in` is in seconds, None when none is open."""

    points_left: int
    requests_left: int
    resets_in: float | None


class Quota:
    """The books of the newest window."""

    def __init__(self, limits: InstanceLimits) -> None:
        self.limits = limits
        self._opened_at: float | None = None
        self._points = 0
        self._requests = 0

    def admit(self, at: float) -> bool:
        """Count a request; False when the window has no more of them.

        Every request counts, the ones that are refused later on included.
        """
        self._open(at)
        if self._requests >= self.limits.requests_per_minute:
            return False
        self._requests += 1
        return True

    def spend(self, at: float, points: int) -> bool:
        """Charge an admitted request; False, and nothing charged, when the points don't suffice.

        Latency may have carried it into a later window, which it then opens.
        """
        self._open(at)
        if self._points + points > self.limits.points_per_minute:
            return False
        self._points += points
        return True

    def steal(self, at: float, requests: int, points: int) -> None:
        """Another client of the instance spends so much, as far as there is so much."""
        self._open(at)
        self._requests = min(self.limits.requests_per_minute, self._requests + requests)
        self._points = min(self.limits.points_per_minute, self._points + points)

    def reading(self, at: float) -> QuotaReading:
        if self._opened_at is None or not self._is_open(at):
            return QuotaReading(
                self.limits.points_per_minute, self.limits.requests_per_minute, None
            )
        return QuotaReading(
            self.limits.points_per_minute - self._points,
            self.limits.requests_per_minute - self._requests,
            self._opened_at + WINDOW - at,
        )

    def _open(self, at: float) -> None:
        if not self._is_open(at):
            self._opened_at, self._points, self._requests = at, 0, 0

    def _is_open(self, at: float) -> bool:
        return self._opened_at is not None and at < self._opened_at + WINDOW
