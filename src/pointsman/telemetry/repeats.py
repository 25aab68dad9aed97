"""Says which occurrences of a repeated event are worth a line: the first, then ever fewer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock

from pointsman.domain.clock import Clock

#: seconds after the first line until the second; it doubles up to the longest
_FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 3_600.0
#: events that are remembered; the one that is quiet for longest is forgotten first
_MOST_KEYS = 1_000


@dataclass(slots=True)
class _Event:
    #: since the last line
    times: int
    line_at: float
    pause: float


class Repeats:
    """Counts events by a key, in any thread. One that was quiet for two hours begins again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._events: OrderedDict[Hashable, _Event] = OrderedDict()

    def times(self, key: Hashable) -> int | None:
        """How often it happened since its last line, now included; None where no line is due."""
        now = self._clock.monotonic()
        with self._lock:
            return self._times(key, now)

    def _times(self, key: Hashable, now: float) -> int | None:
        event = self._events.get(key)
        if event is None or now - event.line_at > 2 * _LONGEST_PAUSE:
            self._events[key] = _Event(0, now, _FIRST_PAUSE)
            if len(self._events) > _MOST_KEYS:
                self._events.popitem(last=False)
            return 1
        self._events.move_to_end(key)
        event.times += 1
        if now - event.line_at < event.pause:
            return None
        times, event.times = event.times, 0
        event.line_at, event.pause = now, min(2 * event.pause, _LONGEST_PAUSE)
        return times

    def forget(self, key: Hashable) -> bool:
        """It is over: the next one is a first again. Returns whether there was any."""
        with self._lock:
            return self._events.pop(key, None) is not None
