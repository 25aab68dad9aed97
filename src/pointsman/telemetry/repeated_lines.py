"""Lets a warning or error through once, then ever more seldom with a count. For any logger."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from dataclasses import dataclass

from pointsman.domain.clock import Clock

#: seconds between a line and its first reminder; twice as long after each, up to the last
_FIRST, _LONGEST = 10.0, 3600.0
#: lines that are told apart; the one not seen for longest is forgotten first
_LINES = 1_000
#: a line that was not met for so many of its pauses begins again
_QUIET = 2.0
#: loggers whose lines are records of single events, each of which counts
_RECORDS = frozenset({"pointsman.delivery"})
#: numbers that name something
_NAMES = frozenset({"partition"})
#: what differs between two lines that say the same: numbers that stand alone, and addresses of
#: objects; a number within a name, an address or a time does not
_VARIES = re.compile(r"(?<![\w.:/-])\d+(?:\.\d+)?(?![\w.:/-])|0x[0-9a-fA-F]+")


@dataclass(slots=True)
class _Line:
    """When it was let through last, and met last, in monotonic seconds."""

    shown_at: float
    met_at: float
    pause: float = _FIRST
    held_back: int = 0


class RepeatedLines(logging.Filter):
    """A filter for a handler: lines from warnings upwards that say the same are held back.

    Two lines say the same when they come from one logger, at one level, with the same words and
    the same names in them, whatever numbers they tell. What is let through after others were held
    back says how many: `held_back` in lines of our own, words at the end of others.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._lines: OrderedDict[tuple[str, ...], _Line] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or record.name in _RECORDS:
            return True
        now = self._clock.monotonic()
        key = _key(record)
        line = self._lines.get(key)
        if line is None or now - line.met_at > _QUIET * line.pause:
            held_back = 0 if line is None else line.held_back
            self._lines[key] = _Line(now, now)
            self._lines.move_to_end(key)
            if len(self._lines) > _LINES:
                self._lines.popitem(last=False)
        else:
            self._lines.move_to_end(key)
            line.met_at = now
            if now - line.shown_at < line.pause:
                line.held_back += 1
                return False
            held_back, line.held_back = line.held_back, 0
            line.shown_at, line.pause = now, min(_LONGEST, line.pause * 2)
        if held_back:
            _say_how_many(record, held_back)
        return True


def _key(record: logging.LogRecord) -> tuple[str, ...]:
    event = record.msg
    if isinstance(event, dict):  # of structlog
        words = [
            f"{name}={value if name in _NAMES else _without_numbers(value)}"
            for name, value in sorted(event.items())
            if name in _NAMES or (isinstance(value, str) and name != "timestamp")
        ]
    else:
        words = [_without_numbers(record.getMessage())]
    return record.name, record.levelname, *words


def _without_numbers(text: str) -> str:
    return _VARIES.sub("#", text)


def _say_how_many(record: logging.LogRecord, held_back: int) -> None:
    if isinstance(record.msg, dict):
        record.msg = {**record.msg, "held_back": held_back}
    else:
        record.msg = f"{record.getMessage()} ({held_back} more like it since the last such line)"
        record.args = ()
