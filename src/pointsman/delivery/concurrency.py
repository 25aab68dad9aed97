"""How many deliveries may be under way at once: adapts to how the platform takes them. No I/O.

The quota says how many requests go in a minute; how many must be under way for that depends on how
long the platform takes. More of them are tried while the limit is what holds deliveries up. If
latency then rises about as much as the limit did, the platform works on no more of them at once,
and the limit goes back. A slow platform that takes many requests side by side is not a busy one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

#: where it begins, if the ceiling allows it
_START = 16
#: whatever happens, so many may be under way
_FLOOR = 4
#: factors: until the platform was seen to be busy for the first time, and after that
_FIRST_GROWTH, _GROWTH = 2.0, 1.25
#: of the growth of the limit, the part that latency may grow by
_TOLERANCE = 0.5
#: after the platform was busy, or failed, the limit stays for so many rounds
_HOLD = 6
#: answers that a round takes at least
_LEAST_ANSWERS = 8
#: of the limit, the part that must be used before a higher one is tried
_USED = 0.75
#: the next ones wait in line for about so many seconds, so that no place is free while they are
#: leased
_AHEAD = 0.025
#: how fast the usual latency follows
_NEWEST = 1 / 8


@dataclass(slots=True)
class AdaptiveLimit:
    """The decision. A round is about as many answers as may be under way."""

    ceiling: int
    limit: float = 0.0
    _growth: float = _FIRST_GROWTH
    #: the limit and the mean latency before it was raised last
    _before: tuple[float, float] | None = None
    _hold: int = 0
    _was_full: bool = False
    _latencies: list[float] = field(default_factory=list)
    #: answers of requests that were sent before the limit changed say nothing of the new one
    _stale: int = 0

    def __post_init__(self) -> None:
        self.limit = float(min(_START, self.ceiling))

    def held_up(self, sending: int) -> None:
        """A delivery waits for the limit, while so many requests are not waiting for the quota."""
        self._was_full = self._was_full or sending >= _USED * self.limit

    def answered(self, seconds: float) -> None:
        """The platform took so long for one request."""
        if self._stale > 0:
            self._stale -= 1
            return
        self._latencies.append(seconds)
        if len(self._latencies) >= max(_LEAST_ANSWERS, self.limit):
            self._end_round(sum(self._latencies) / len(self._latencies))

    def failed(self) -> None:
        """No answer, or none to the point: half of it, once for all that was under way."""
        if self._stale > 0:
            self._stale -= 1
            return
        self._growth = _GROWTH
        self._hold = _HOLD
        self._change(max(_FLOOR, self.limit / 2))
        self._before = None

    def _end_round(self, latency: float) -> None:
        before, self._before = self._before, None
        if before is not None and self._is_busy(before, latency):
            self._growth = _GROWTH
            self._hold = _HOLD
            self._change(before[0])
        elif self._hold:
            self._hold -= 1
            self._start_round()
        elif self._was_full and self.limit < self.ceiling:
            self._before = self.limit, latency
            self._change(max(self.limit + 1, self.limit * self._growth))
        else:
            self._start_round()

    def _is_busy(self, before: tuple[float, float], latency: float) -> bool:
        limit, earlier = before
        return latency > earlier * (1 + _TOLERANCE * (self.limit / limit - 1))

    def _change(self, limit: float) -> None:
        self._stale = round(self.limit)
        self.limit = min(limit, self.ceiling)
        self._start_round()

    def _start_round(self) -> None:
        self._latencies.clear()
        self._was_full = False


class ConcurrencyLimit:
    """What the dispatcher asks before it begins another delivery. `ceiling` is never exceeded.

    What hangs in an outage goes on until its timeout. When the outage is seen, and again when it is
    over, what is under way stops counting towards the limit, and counts for the ceiling alone.
    While the platform is out there is no limit but the ceiling: the breaker says when one goes.
    """

    def __init__(self, ceiling: int) -> None:
        self._ceiling = ceiling
        self._limit = AdaptiveLimit(ceiling)
        self._under_way = 0
        #: of an earlier round than `_round`; begun before an outage began or ended
        self._set_aside = 0
        self._round = 0
        self._is_out = False
        self._round_began = float("-inf")
        #: deliveries under way that wait for the quota: the platform is not what holds them up
        self.waiting = 0
        self._changed = asyncio.Event()
        #: those who wait to begin, in order
        self._line: deque[asyncio.Future[int]] = deque()
        #: seconds that answers take of late
        self._latency: float | None = None

    @property
    def limit(self) -> int:
        """Deliveries that may be under way now."""
        return int(self._limit.limit)

    @property
    def free(self) -> int:
        """Deliveries that may be begun now."""
        room = self._ceiling - self._under_way - self._set_aside
        return max(0, room if self._is_out else min(room, self.limit - self._under_way))

    @property
    def in_line(self) -> int:
        """Deliveries that wait to begin."""
        return len(self._line)

    @property
    def room(self) -> int:
        """Deliveries that may come now, to begin or to wait in line until others end."""
        return max(0, self.free + self._ahead - self.in_line)

    @property
    def _ahead(self) -> int:
        """As many as end in a moment, as far as is known."""
        if self._is_out or self._latency is None:
            return 0
        return int(self.limit * min(1.0, _AHEAD / max(self._latency, 1e-9)))

    async def begin(self) -> int:
        """Wait in line until one more may be begun, and count it; what `end` needs to know."""
        if self.free and not self._line:
            return self._begin()
        place: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        self._held_up()
        try:
            return await place
        except asyncio.CancelledError:
            if not place.cancelled():
                self.end(place.result())
            elif place in self._line:
                self._line.remove(place)
                self._changed.set()
            raise

    async def wait_for_room(self) -> None:
        """Wait until one more may begin, or half of those in line have begun."""
        while not self.free and self.room <= self._ahead // 2:
            self._held_up()
            self._changed.clear()
            await self._changed.wait()

    def end(self, begun_in: int) -> None:
        """One that was begun is over; `begun_in` is what `begin` returned."""
        if begun_in == self._round:
            self._under_way -= 1
        else:
            self._set_aside -= 1
        self._let_begin()

    def _begin(self) -> int:
        self._under_way += 1
        return self._round

    def _held_up(self) -> None:
        self._limit.held_up(self._under_way - self.waiting)

    def _let_begin(self) -> None:
        """Those who are first in line, as many as may, and tell who waits for room."""
        while self._line and self.free:
            place = self._line.popleft()
            if not place.done():  # else it was cancelled just now
                place.set_result(self._begin())
        self._changed.set()

    def platform_changed(self, now: float, *, is_out: bool) -> None:
        """An outage began or ended, at `now` on the monotonic clock."""
        self._is_out = is_out
        self._round += 1
        self._round_began = now
        self._set_aside += self._under_way
        self._under_way = 0
        self._latency = None
        self._let_begin()

    def answered(self, seconds: float, *, sent_at: float) -> None:
        """The platform took so long for one request; `sent_at` is on the monotonic clock."""
        if self._says_something(sent_at):
            self._limit.answered(seconds)
            usual = seconds if self._latency is None else self._latency
            self._latency = usual + _NEWEST * (seconds - usual)
        self._let_begin()

    def failed(self, *, sent_at: float) -> None:
        """The platform gave no answer to one request."""
        if self._says_something(sent_at):
            self._limit.failed()

    def _says_something(self, sent_at: float) -> bool:
        """In an outage no latency is measured, and what was sent before its end came through it."""
        return not self._is_out and sent_at >= self._round_began
