"""The quota window that replicas share: what each reports, and what it may send. Pure.

It is the same model as that of one process (quota_window.py), by the store's clock. A replica
reports what was answered, and how much it has on its way or in hand; so a report that is heard
twice does no harm, and what a replica did not use is free again. A slot is a place in the line of
all replicas, and counts as sent from the moment it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Self, TypeVar

import orjson

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits, Reservation
from pointsman.delivery.budget.quota_window import QuotaWindow
from pointsman.delivery.budget.stored_window import load_books, plain_books
from pointsman.domain.clock import MICROSECONDS, micros
from pointsman.platforms.base import RateReading
from pointsman.store.base import Window

T = TypeVar("T")

#: answers are counted together by pieces of so many seconds
PIECE = 0.25
#: what a replica has counts as answered when it was silent for so many windows
_SILENT = 1.0
#: a slot that begins later is confirmed before it is used: it waits in the line
FRESH = 0.5
#: a clock that is off by more seconds has been set
JUMP = 0.5
#: seconds; a platform that wants to be left alone for longer is asked again after this
_LONGEST_BLOCK = 3_600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request. Times in seconds."""

    #: so long before the report
    ago: float
    #: so long after it was sent
    took: float
    points: int
    rate: RateReading = field(default_factory=RateReading)
    #: the platform said it; it was not only given up
    is_answer: bool = True
    is_throttled: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """Of one replica: answers since its last one, and what it has on its way or in hand."""

    replica: str
    answers: tuple[Answer, ...] = ()
    requests: int = 0
    points: int = 0
    #: one of those waits in the line
    waits: bool = False


@dataclass(frozen=True, slots=True)
class SlotRequest:
    """So many slots; the first of `least` points, and each of `usual` where that costs no time.

    None of them if the first would come later than in so many seconds; the others begin within
    `ahead` seconds from now.
    """

    requests: int
    least: int
    usual: int
    within: float
    ahead: float = 0.1


@dataclass(frozen=True, slots=True)
class SlotGrant:
    """When the slots begin, in seconds from the decision. Together they have so many points."""

    starts: tuple[float, ...] = ()
    points: int = 0


class SharedWindow:
    """The books of all replicas. Their clock is the store's, less what that was set forward by."""

    def __init__(self, limits: QuotaLimits) -> None:
        self.books = QuotaWindow(limits)
        self.books.log.piece = PIECE
        self.books.log.lost_after = _SILENT
        #: (when, points) of the slot for which a replica waits, if it was given long before
        self.line: dict[str, tuple[float, int]] = {}
        self.now = 0.0
        #: seconds
        self.set_forward_by = 0.0

    @classmethod
    def read(cls, text: str, limits: QuotaLimits) -> Self:
        """What `write` made of it; "" is a window of which nothing is known."""
        window = cls(limits)
        if text:
            stored = orjson.loads(text)
            load_books(window.books, stored)
            line = stored.get("line", {}).items()
            window.line = {replica: (at, points) for replica, (at, points) in line}
            window.now = stored.get("now", 0.0)
            window.set_forward_by = stored.get("set_forward_by", 0.0)
        return window

    def write(self) -> str:
        plain = plain_books(self.books, self.now)
        waiting = {one: self.line[one] for one in self.line if one in self.books.log.on_the_way}
        fields = {"now": self.now, "set_forward_by": self.set_forward_by, "line": waiting}
        return orjson.dumps(fields | plain).decode()

    def move_to(self, now: float, *, set_by: float = 0.0) -> None:
        """The store's clock shows this, in Unix seconds, and somebody is known to have set it."""
        self.set_forward_by += set_by
        at = now - self.set_forward_by
        if self.now - at > JUMP:  # it was set back, and the time in between is not known
            self.set_forward_by -= self.now - at
        self.now = max(self.now, now - self.set_forward_by)
        self.books.blocked_until = min(self.books.blocked_until, self.now + _LONGEST_BLOCK)

    def hear(self, report: Report) -> None:
        """What a replica says of itself; the rest of what it was given is free again."""
        if not report.waits:
            self.line.pop(report.replica, None)
        more = self.books.log.hold(self.now, report.replica, report.requests, report.points)
        answered = len(report.answers), sum(answer.points for answer in report.answers)
        unused = [max(0, -gained - done) for gained, done in zip(more, answered, strict=True)]
        if any(unused):
            self.books.give_back(self.now, *unused)
        for answer in report.answers:
            self._settle(answer)

    def _settle(self, answer: Answer) -> None:
        rate, answered_at = answer.rate, self.now - answer.ago
        self.books.settle(
            answered_at,
            Reservation(answer.points, answered_at - answer.took),
            points_left=rate.points_left,
            resets_in=rate.resets_in,
            is_answer=answer.is_answer,
        )
        if answer.is_throttled:
            self.books.throttle(answered_at, rate.retry_after)
        elif rate.retry_after:
            self.books.block(answered_at, rate.retry_after)

    def grant(self, replica: str, request: SlotRequest) -> SlotGrant:
        """Slots, each as early as all that was given before allows."""
        starts: list[float] = []
        total = 0
        while len(starts) < request.requests:
            points = request.usual if starts else request.least
            at = self._next_at(points)
            if at - self.now > (request.ahead if starts else request.within):
                break
            if points < request.usual and self._next_at(request.usual) <= at:
                points = request.usual
            self._add(replica, 1, points)
            if at - self.now > FRESH:
                # not the pace of then: whoever waits may go away
                self.books.spend(self.now, 1, points)
                self.line[replica] = at, points
            else:
                self.books.spend(at, 1, points)
            starts.append(at - self.now)
            total += points
        return SlotGrant(tuple(starts), total)

    def confirm(self, replica: str, points: int) -> float:
        """Seconds until a slot may be used that was given long ago; 0 for now.

        It has waited for the pace. What the platform said since is to be heeded, but not those who
        got in line later.
        """
        at, known = self.line.pop(replica, (self.now, points))
        self.line[replica] = at, known
        later = [one for one, (begins, _) in self.line.items() if begins >= at]
        room_at = self._without(later, lambda: self.books.room_at(self.now, points))
        if room_at <= self.now:
            del self.line[replica]
        else:
            self.line[replica] = room_at, known
        return max(0.0, room_at - self.now)

    def left(self) -> QuotaLeft:
        """What may be sent now, by those who don't wait already."""
        return self._without(self.line, lambda: self.books.left(self.now))

    def _without(self, replicas: Collection[str], ask: Callable[[], T]) -> T:
        """The answer as if these did not wait in the line."""
        on_the_way = self.books.log.on_the_way
        waiting = [(one, self.line[one][1]) for one in replicas if one in on_the_way]
        for one, points in waiting:
            self._add(one, -1, -points)
            self.books.told.spend(-points)
        answer = ask()
        for one, points in waiting:
            self._add(one, 1, points)
            self.books.told.spend(points)
        return answer

    def summary(self) -> Window:
        """What commands and pages show of it."""
        log = self.books.log
        last = self.now if log.on_the_way else log.counted[-1][0] if log.counted else -log.lasts
        ends_at = max(0.0, last + log.lasts + self.set_forward_by)
        return Window(micros(ends_at), log.points, log.requests)

    def _next_at(self, points: int) -> float:
        return max(self.now, self.books.next_at(self.now, points))

    def _add(self, replica: str, requests: int, points: int) -> None:
        log = self.books.log
        known = log.on_the_way.get(replica)
        if known is None:
            log.hold(self.now, replica, requests, points)
        else:
            log.hold(known.heard_at, replica, known.requests + requests, known.points + points)


@dataclass(frozen=True, slots=True)
class StoreClock:
    """By how much the store's clock was ahead of a replica's, between two bounds, in seconds."""

    at_least: float
    at_most: float
    #: how far forward it was known to be set then
    set_forward_by: float

    @classmethod
    def seen(cls, now: int, asked_at: float, here: float, set_forward_by: float) -> StoreClock:
        """It showed `now` (microseconds) at some time between those two of ours."""
        seconds = now / MICROSECONDS
        return cls(seconds - here, seconds - asked_at, set_forward_by)

    def set_since(self, before: StoreClock | None) -> float:
        """By how many seconds somebody has set it since, and nobody has noticed."""
        if before is None:
            return 0.0
        noticed = self.set_forward_by - before.set_forward_by
        at_least = self.at_least - before.at_most - noticed
        at_most = self.at_most - before.at_least - noticed
        return at_least if at_least > JUMP else min(0.0, at_most) if at_most < -JUMP else 0.0
