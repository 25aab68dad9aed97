"""How replicas share one pace: slots in time, dealt in short slices. Pure.

Requests of all replicas together are spread evenly, and points are counted over the last window's
length, so that no stretch of that length, wherever it begins, holds more than the limits; nobody
need know when the platform's window opened. A slot is used when its time has come or soon after, or
never: so a replica that was frozen can't send what the others have made up for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import orjson

from pointsman.delivery.budget.base import QuotaLimits

MICROS = 1_000_000
#: a slice is about so long, and is dealt so long ahead at most
SLICE = 250_000
#: what was dealt is remembered by so long pieces of time
_PIECE = 250_000
#: a clock that is off by more has been set
JUMP = 3 * MICROS
#: reset times that differ by less are of the same window of the platform's
_SAME = 3 * MICROS
#: where so large a part of the points is free, so many times the average is dealt for a request
_GENEROUS = 3
#: how long a dear request keeps room for itself after it could have been sent
_HELD = MICROS
#: a platform that wants to be left alone for longer is asked again after this
_LONGEST_BLOCK = 3_600 * MICROS


@dataclass(frozen=True, slots=True)
class SharedPace:
    """What the store holds for all replicas. Times in microseconds of the store's own clock.

    Stored under these names. `dealt` are (start, requests, points) of pieces of the last window's
    length, the oldest first. `left` is what the platform last said, less what was dealt since; it
    counts until `left_until`.
    """

    requests_due: int = 0
    blocked_until: int = 0
    dealt: tuple[tuple[int, int, int], ...] = ()
    left: int = 0
    left_until: int = 0
    #: points that are kept free for a dear request, who sends it, and until when
    held: int = 0
    held_by: int = 0
    held_until: int = 0

    @classmethod
    def read(cls, text: str) -> Self:
        if not text:
            return cls()
        fields = orjson.loads(text)
        return cls(**{**fields, "dealt": tuple(map(tuple, fields["dealt"]))})

    def write(self) -> str:
        return orjson.dumps(self).decode()

    def without_expired(self, now: int, limits: QuotaLimits) -> Self:
        """What still counts at this time."""
        return replace(
            self, dealt=tuple(piece for piece in self.dealt if _expires_at(piece[0], limits) > now)
        )

    def without_jump(self, now: int, limits: QuotaLimits) -> Self:
        """The same, moved to the present where the store's clock has been set back since.

        What was dealt last was dealt at that clock's time, so what lies in the future tells how far
        it was set back. What was spent counts on for a window from now at most.
        """
        ahead = max((start for start, _, _ in self.dealt), default=0) - now
        pace = self.moved(-ahead) if ahead > JUMP else self
        # nothing was ever dealt, held or blocked further ahead than that
        soon, latest = now + _window(limits), now + max(_window(limits), _LONGEST_BLOCK)
        return replace(
            pace,
            requests_due=min(pace.requests_due, soon),
            blocked_until=min(pace.blocked_until, latest),
            left_until=min(pace.left_until, soon),
            held_until=min(pace.held_until, latest),
        )

    def moved(self, by: int) -> Self:
        """The same after the store's clock was set forward by so much."""
        return replace(
            self,
            requests_due=self.requests_due + by,
            blocked_until=self.blocked_until + by,
            dealt=tuple((start + by, requests, points) for start, requests, points in self.dealt),
            left_until=self.left_until + by,
            held_until=self.held_until + by,
        )

    @property
    def points(self) -> int:
        return sum(points for _, _, points in self.dealt)

    @property
    def requests(self) -> int:
        return sum(requests for _, requests, _ in self.dealt)

    def points_over_time(self, limits: QuotaLimits) -> Iterator[tuple[int, int]]:
        """(when, how many points count from then on), as what was dealt expires."""
        points = self.points
        yield 0, points
        for start, _, spent in self.dealt:
            points -= spent
            yield _expires_at(start, limits), points


@dataclass(frozen=True, slots=True)
class SlotRequest:
    """So many requests, the first of `first` points, the others of about `others` each."""

    #: which replica asks
    replica: int
    requests: int
    first: int
    others: int


@dataclass(frozen=True, slots=True)
class QuotaUpdate:
    """What the platform said since the last time, in microseconds from now."""

    points_left: int | None = None
    resets_in: int = 0
    blocked_for: int | None = None


@dataclass(frozen=True, slots=True)
class SlotGrant:
    """`requests` slots, the first in `starts_in` microseconds from the decision, `every` so many.

    None of them: ask again after `starts_in`. The next slice begins in `next_in` at the earliest.
    """

    requests: int
    points: int
    starts_in: int
    every: int
    next_in: int
    requests_left: int
    points_left: int


def apply_quota_update(pace: SharedPace, now: int, update: QuotaUpdate) -> SharedPace:
    """The pace after what the platform said."""
    if update.blocked_for is not None:
        pace = replace(pace, blocked_until=max(pace.blocked_until, now + update.blocked_for))
    if update.points_left is not None:
        until = now + update.resets_in
        same_window = now < pace.left_until and abs(until - pace.left_until) < _SAME
        left = min(pace.left, update.points_left) if same_window else update.points_left
        # an answer without a reset time says the same window's end ever later
        until = min(until, pace.left_until) if same_window else until
        pace = replace(pace, left=left, left_until=until)
    return pace


def grant_slots(
    pace: SharedPace, now: int, limits: QuotaLimits, request: SlotRequest
) -> tuple[SharedPace, SlotGrant]:
    """A slice of the time to come, if it is near enough."""
    pace = pace.without_jump(now, limits).without_expired(now, limits)
    first = min(request.first, limits.points)
    start = _start(pace, now, limits, first, request.replica)
    if start > now + SLICE:
        if first > pace.held or request.replica == pace.held_by or now >= pace.held_until:
            pace = replace(pace, held=first, held_by=request.replica, held_until=start + _HELD)
        return pace, _slice(pace, now, limits, 0, 0, start - SLICE)
    every = _every(limits)
    requests = max(1, min(request.requests, SLICE // every))
    room = max(first, _room(pace, now, limits, request.replica))
    # a slot without enough points is lost, and points that are left over are too
    others = request.others * (_GENEROUS if room > limits.points // _GENEROUS else 1)
    points = min(first + (requests - 1) * others, room)
    if request.replica == pace.held_by:
        pace = replace(pace, held=0, held_until=0)
    pace = replace(
        pace,
        requests_due=start + requests * every,
        dealt=_with(pace.dealt, now, requests, points),
        left=pace.left - points,
    )
    return pace, _slice(pace, now, limits, requests, points, start)


def quota_left(pace: SharedPace, now: int, limits: QuotaLimits) -> SlotGrant:
    """No slice; only what is left."""
    pace = pace.without_jump(now, limits).without_expired(now, limits)
    return _slice(pace, now, limits, 0, 0, now)


def _slice(
    pace: SharedPace, now: int, limits: QuotaLimits, requests: int, points: int, start: int
) -> SlotGrant:
    left = limits.points - pace.points
    if now < pace.left_until:
        left = min(left, pace.left)
    blocked = now < pace.blocked_until
    following = _start(pace, now, limits, 1, 0)
    return SlotGrant(
        requests,
        points,
        start - now,
        _every(limits),
        following - now,
        0 if blocked else max(0, limits.requests - pace.requests),
        0 if blocked else max(0, left),
    )


def _every(limits: QuotaLimits) -> int:
    return -(-_window(limits) // limits.requests)


def grace(limits: QuotaLimits) -> int:
    """Microseconds that a slot may still be used after its time: PACE keeps so much free."""
    return _window(limits) // 200


def _window(limits: QuotaLimits) -> int:
    return round(limits.window * MICROS)


def _expires_at(start: int, limits: QuotaLimits) -> int:
    """When a piece counts no longer: sent at the latest, what it dealt may be dealt earlier."""
    return start + _PIECE + _window(limits) + SLICE + grace(limits)


def _start(pace: SharedPace, now: int, limits: QuotaLimits, points: int, replica: int) -> int:
    """When a request of so many points may be sent at the earliest."""
    start = max(now, pace.requests_due, pace.blocked_until)
    if now < pace.left_until and pace.left < points:
        start = max(start, pace.left_until)
    room = limits.points - points - _held_by_others(pace, now, replica)
    if room < 0:  # it must wait for the one that holds, and ask again
        room = limits.points - points
        start = max(start, now + SLICE + _PIECE)
    free_at = (at for at, counted in pace.points_over_time(limits) if counted <= room)
    return max(start, next(free_at, start))


def _room(pace: SharedPace, now: int, limits: QuotaLimits, replica: int) -> int:
    """Points that may be dealt now."""
    room = limits.points - pace.points - _held_by_others(pace, now, replica)
    return min(room, pace.left) if now < pace.left_until else room


def _held_by_others(pace: SharedPace, now: int, replica: int) -> int:
    return pace.held if replica != pace.held_by and now < pace.held_until else 0


def _with(
    dealt: tuple[tuple[int, int, int], ...], now: int, requests: int, points: int
) -> tuple[tuple[int, int, int], ...]:
    start = now - now % _PIECE
    if dealt and dealt[-1][0] == start:
        _, known_requests, known_points = dealt[-1]
        return (*dealt[:-1], (start, known_requests + requests, known_points + points))
    return (*dealt, (start, requests, points))
