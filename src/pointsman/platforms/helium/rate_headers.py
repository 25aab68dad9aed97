"""The quota's headers: `X-RateLimit-Remaining`, `X-RateLimit-Reset`, `Retry-After`.

The platform's page says "the time at which they reset" and no more, so every usual spelling is
read: seconds or milliseconds since the epoch, seconds from now, also with units (`1m30s`), an ISO
8601 or an HTTP date.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from pointsman.platforms.base import RateReading

#: a window lasts a minute; whatever claims more is not a reset time that can be used
_LONGEST = 3600.0
#: whoever asks to be left alone is asked again after an hour; whoever names more than a day does
#: not mean it
_LONGEST_PAUSE, _NONSENSE = 3600.0, 86_400.0
#: more points than any window has; it has to fit into the column of a store
_MOST_POINTS = 1_000_000_000
#: numbers above are seconds since the epoch, and above that milliseconds
_EPOCH_SECONDS = 1e8
_EPOCH_MILLISECONDS = 1e11
#: as Go writes a duration
_WITH_UNITS = re.compile(
    r"(?=[0-9.])(?:([0-9]{1,4})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)s)?"
    r"(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)ms)?"
)
_UNITS = (3600, 60, 1, 0.001)


def read_rate(headers: Mapping[str, str], now: float, *, asked: float | None = None) -> RateReading:
    """What the headers say; `now` is our clock, Unix seconds; the server's `Date` outranks it.

    `asked` are the seconds that the body asks us to wait; a `Retry-After` outranks it.
    """
    server_now = http_date(headers.get("Date")) or now
    resets_in = _seconds_until(headers.get("X-RateLimit-Reset"), server_now)
    pause = _seconds_until(headers.get("Retry-After"), server_now)
    if pause is None:
        pause = asked
    return RateReading(
        points_left=_whole(headers.get("X-RateLimit-Remaining")),
        resets_in=resets_in if resets_in is not None and 0 <= resets_in <= _LONGEST else None,
        retry_after=(
            min(pause, _LONGEST_PAUSE) if pause is not None and 0 <= pause <= _NONSENSE else None
        ),
    )


def _whole(text: str | None) -> int | None:
    try:
        return min(max(0, int(float(text))), _MOST_POINTS) if text else None
    except (ValueError, OverflowError):
        return None


def _seconds_until(text: str | None, server_now: float) -> float | None:
    if not text:
        return None
    if (match := _WITH_UNITS.fullmatch(text.strip())) is not None:
        return sum(
            float(count or 0) * unit for count, unit in zip(match.groups(), _UNITS, strict=True)
        )
    try:
        number = float(text)
    except ValueError:
        moment = http_date(text)
        if moment is None:
            return None
        number = moment
    if number > _EPOCH_MILLISECONDS:
        number /= 1000
    seconds = number - server_now if number > _EPOCH_SECONDS else number
    return seconds if math.isfinite(seconds) else None


@lru_cache(maxsize=64)
def http_date(text: str | None) -> float | None:
    """A date of HTTP or ISO 8601, in Unix seconds; None for what is none.

    All answers of a second have the same.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
