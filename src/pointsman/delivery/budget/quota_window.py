"""When a request may be sent: the pace, the log of what was sent, and the platform's word. Pure.

Requests are spread evenly, and no stretch of a window's length ever holds more than the limits, so
it does not matter where the platform's fixed window lies, or who opened it. Nothing waits for an
end that may have been guessed wrong: with work waiting, the next request goes as soon as every
platform that fits what was seen would take it (docs/scheduling.md, "Windows").
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits, Reservation
from pointsman.delivery.budget.platform_window import PlatformWindow
from pointsman.delivery.budget.sent_log import SentLog
from pointsman.delivery.budget.site_part import SitePart

#: of the window, the part that may be sent ahead of the pace; PACE keeps so much free in any window
_REQUESTS_IN_HAND = 0.005
_POINTS_IN_HAND = 0.01


@dataclass(slots=True)
class QuotaWindow:
    """The books of one who sends alone, or of all replicas together."""

    limits: QuotaLimits
    log: SentLog = field(init=False)
    #: what the platform's headers say
    told: PlatformWindow = field(init=False)
    #: what others take, where we give way to them
    site: SitePart | None = field(init=False)
    #: until when what was sent has used up the pace, of requests and of points
    requests_due: float = 0.0
    points_due: float = 0.0
    #: nothing is sent before this: the platform said so
    blocked_until: float = 0.0

    def __post_init__(self) -> None:
        self.log = SentLog(self.limits)
        self.told = PlatformWindow(self.limits.window)
        self.site = SitePart(self.limits) if self.limits.is_adaptive else None

    def reconfigure(self, limits: QuotaLimits) -> None:
        """Other limits from now on, of a window as long as before."""
        self.limits = self.log.limits = limits
        if not limits.is_adaptive:
            self.site = None
        elif self.site is None:
            self.site = SitePart(limits)
        else:
            self.site.limits = limits

    def next_at(self, now: float, points: int) -> float:
        """The earliest time at which a request of so many points may be sent."""
        request, cost = self._paces(1, points)
        window = self.limits.window
        return max(
            self.requests_due - max(0.0, _REQUESTS_IN_HAND * window - request),
            self.points_due - max(0.0, _POINTS_IN_HAND * window - cost),
            self.room_at(now, points),
        )

    def room_at(self, now: float, points: int) -> float:
        """The same for one that has waited for the pace."""
        return max(
            self.blocked_until,
            self.told.next_at(now, points),
            now if self.site is None else self.site.next_at(now, points),
            self.log.next_at(now, points),
        )

    def reserve(self, now: float, points: int) -> Reservation:
        """Spend it; only at a time that `next_at` gave."""
        reservation = Reservation(points, now)
        self.log.hold(now, reservation, 1, points)
        self.spend(now, 1, points)
        return reservation

    def spend(self, at: float, requests: int, points: int) -> None:
        """So many go out then, and are on their way already for the log."""
        request, cost = self._paces(requests, points)
        self.requests_due = max(at, self.requests_due) + request
        self.points_due = max(at, self.points_due) + cost
        self.told.spend(points)
        if self.site is not None:
            self.site.sent(at, requests, points)

    def give_back(self, now: float, requests: int, points: int) -> None:
        """So many did not go out after all, and the log knows it."""
        request, cost = self._paces(requests, points)
        self.requests_due -= request
        self.points_due -= cost
        self.told.spend(-points)
        if self.site is not None:
            self.site.sent(min(now, self.site.sent_at), -requests, -points)

    def settle(
        self,
        now: float,
        reservation: Reservation,
        *,
        points_left: int | None = None,
        resets_in: float | None = None,
        is_answer: bool = True,
    ) -> None:
        """An answer came, or none will; `points_left` and `resets_in` are the platform's."""
        self.log.hold(now, reservation, 0, 0)
        sent_at, points = reservation.sent_at, reservation.points
        self.log.count(now, 1, points)
        if is_answer:
            self.log.note_time(now, now - sent_at)
        if points_left is None:
            return
        # what the answer is about is in its own count
        uncounted = self.log.maybe_counted_since(sent_at) - points
        before = self.told.end
        if self.told.read(sent_at, now, points_left - uncounted, resets_in) and self.site:
            self.site.read(
                now,
                self.told.end,
                is_new=not before.meets(self.told.end),
                points_left=points_left,
                points=points,
                under_way=self.log.all_on_the_way,
            )

    def throttle(self, now: float, retry_after: float | None) -> None:
        """The platform turned a request away: nothing goes until it says, or its window ends."""
        if retry_after is None:
            over = self.told.is_over(now)
            retry_after = self.limits.window if over else self.told.end.not_after - now
        if self.site is not None:
            self.site.throttled()
        self.block(now, retry_after)

    def block(self, now: float, seconds: float) -> None:
        """The platform asks to be left alone for so long."""
        self.blocked_until = max(self.blocked_until, now + seconds)

    def left(self, now: float) -> QuotaLeft:
        """What may still be spent now."""
        if now < self.blocked_until:
            return QuotaLeft(0, 0)
        left = self.log.left(now)
        told = self.told.left(now)
        return QuotaLeft(left.points if told > left.points else int(told), left.requests)

    def _paces(self, requests: int, points: int) -> tuple[float, float]:
        """Seconds of the pace that requests of so many points use up, as such and by their points.

        It is paid before a request is sent (the generic cell rate algorithm), so that neither pace
        is ever ahead by more than is in hand.
        """
        lasts = self.log.lasts
        return requests * lasts / self.limits.requests, points * lasts / self.limits.points
