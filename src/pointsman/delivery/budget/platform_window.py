"""What the platform's headers tell of its window: how much is left of it, and until when at most.

The reset time comes in whole seconds, rounded up or down, from now or by the server's clock. So the
end is known as a range, which every answer of the same window narrows. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from pointsman.domain.frozen import record

#: a reset time in whole seconds, less that of the server's `Date`, is off by so much at most: the
#: end is not before the first, and not after the second
_EARLIER, _LATER = 2.0, 1.0


@record
class WindowEnd:
    """The end of a window: not before the one, not after the other, on the monotonic clock."""

    not_before: float
    not_after: float

    def meets(self, other: WindowEnd) -> bool:
        """Whether both may be of the same window."""
        return self.not_before <= other.not_after and other.not_before <= self.not_after

    def narrowed(self, other: WindowEnd) -> WindowEnd:
        """What both say."""
        return WindowEnd(
            max(self.not_before, other.not_before), min(self.not_after, other.not_after)
        )


def window_end(sent_at: float, now: float, resets_in: float | None, window: float) -> WindowEnd:
    """The end of the window in which a request was counted, by its answer.

    What makes no sense is taken for not said: the window that was open when the request was counted
    ends within its length.
    """
    anything = WindowEnd(sent_at, now + window)
    if resets_in is None:
        return anything
    said = WindowEnd(sent_at + resets_in - _EARLIER, now + resets_in + _LATER)
    return anything.narrowed(said) if anything.meets(said) else anything


@dataclass(slots=True)
class PlatformWindow:
    """The newest window that the platform told of, and the points that are left of it."""

    window: float
    end: WindowEnd = field(default_factory=lambda: WindowEnd(-math.inf, -math.inf))
    #: the platform's last word, less what was sent since
    points_left: float = math.inf
    #: of the requests whose answers were of this window
    newest_sent_at: float = -math.inf

    def is_over(self, now: float) -> bool:
        """Whether it has surely ended."""
        return now >= self.end.not_after

    def spend(self, points: int) -> None:
        """A request goes out."""
        self.points_left -= points

    def read(self, sent_at: float, now: float, points_left: int, resets_in: float | None) -> bool:
        """An answer to a request that was sent then; whether it was of this window, or a new one.

        `points_left` are what it said, less what it may not have counted yet.
        """
        end = window_end(sent_at, now, resets_in, self.window)
        if not self.is_over(sent_at) and end.meets(self.end):
            self.end = self.end.narrowed(end)
            self.points_left = min(self.points_left, points_left)
        elif sent_at > self.newest_sent_at and end.not_after > self.end.not_after:
            self.end = end
            self.points_left = points_left
        else:
            return False  # it came late
        self.newest_sent_at = max(self.newest_sent_at, sent_at)
        return True

    def next_at(self, now: float, points: int) -> float:
        """When it has room for so many points, at the earliest."""
        if self.is_over(now) or self.points_left >= points:
            return now
        return self.end.not_after

    def left(self, now: float) -> float:
        """Points that are left as far as the platform told; infinite without a word on now."""
        return math.inf if self.is_over(now) else max(0.0, self.points_left)
