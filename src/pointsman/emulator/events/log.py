"""Keeps the events in the order of their times, and reads pages of them.

A page begins where the cursor says: behind an event, not at a number. So pages neither repeat nor
skip what stood there, however much is added meanwhile. An event that comes late stands where its
time belongs: whoever has read past that place sees it only when reading that time again.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pointsman.emulator.catalogue import Course
from pointsman.emulator.events.kinds import EventKind
from pointsman.emulator.events.record import PlatformEvent

#: how many events are kept: the newest
MOST = 200_000
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """Which events; times in microseconds since 1970, both ends belong to the span."""

    kinds: frozenset[EventKind]
    #: of courses; else of learning paths
    of_courses: bool
    per_page: int
    start: int | None = None
    end: int | None = None
    content: str | None = None
    user: str | None = None
    #: the event that the page comes after
    after: Key | None = None
    newest_first: bool = True

    def takes(self, event: PlatformEvent, now: float) -> bool:
        return (
            event.shown_from <= now
            and event.kind in self.kinds
            and isinstance(event.content, Course) == self.of_courses
            and (self.content is None or event.content.id == self.content)
            and (self.user is None or event.learner.id == self.user)
        )


@dataclass(frozen=True, slots=True)
class FeedPage:
    events: tuple[PlatformEvent, ...]
    #: of all pages
    total: int
    has_more: bool


def _key(event: PlatformEvent) -> Key:
    return event.key


class EventLog:
    """The newest events, oldest first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._events: list[PlatformEvent] = []
        #: those since the last save
        self.unsaved: list[PlatformEvent] = []
        self.added = 0

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[PlatformEvent]:
        return iter(self._events)

    def add(self, event: PlatformEvent) -> None:
        insort(self._events, event, key=_key)
        self.added = max(self.added, event.number)
        self.unsaved.append(event)
        if len(self._events) > self._most:
            del self._events[: len(self._events) - self._most]

    def load(self, events: Iterable[PlatformEvent]) -> None:
        """Put back what was saved."""
        for event in events:
            self.add(event)
        self.unsaved.clear()

    def page(self, query: FeedQuery, now: float) -> FeedPage:
        """`now` is in Unix seconds: what is shown from later on is not there yet."""
        events = self._events
        begin = 0 if query.start is None else bisect_left(events, (query.start, 0), key=_key)
        end = len(events)
        if query.end is not None:
            end = bisect_left(events, (query.end + 1, 0), key=_key)
        matching = [event for event in events[begin:end] if query.takes(event, now)]
        total = len(matching)
        if query.newest_first:
            if query.after is not None:
                del matching[bisect_left(matching, query.after, key=_key) :]
            page = matching[-query.per_page :][::-1]
        else:
            if query.after is not None:
                del matching[: bisect_right(matching, query.after, key=_key)]
            page = matching[: query.per_page]
        return FeedPage(tuple(page), total, has_more=len(matching) > len(page))
