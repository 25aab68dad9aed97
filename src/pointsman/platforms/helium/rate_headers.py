"""The quota's headers: `X-RateLimit-Remaining`, `X-RateLimit-Reset`, `Retry-After`.

The platform's page says "the time at which they reset" and no more, so every usual spelling is
read: seconds or milliseconds since the epoch, seconds from now, an ISO 8601 or an HTTP date.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pointsman.platforms.base import RateReading

#: a window lasts a minute; whatever claims more is not a reset time that can be used
_LONGEST = 3600.0
#: numbers above are seconds since the epoch, and above that milliseconds
_EPOCH_SECONDS = 1e8
_EPOCH_MILLISECONDS = 1e11


def read_rate(headers: Mapping[str, str], now: float) -> RateReading:
    """What the headers say; `now` is our clock, Unix seconds; the server's `Date` outranks it."""
    server_now = _date(headers.get("Date")) or now
    return RateReading(
        points_left=_whole(headers.get("X-RateLimit-Remaining")),
        resets_in=_seconds_until(headers.get("X-RateLimit-Reset"), server_now),
        retry_after=_seconds_until(headers.get("Retry-After"), server_now),
    )


def _whole(text: str | None) -> int | None:
    try:
        return max(0, int(float(text))) if text else None
    except (ValueError, OverflowError):
        return None


def _seconds_until(text: str | None, server_now: float) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        moment = _date(text)
        if moment is None:
            return None
        number = moment
    if number > _EPOCH_MILLISECONDS:
        number /= 1000
    seconds = number - server_now if number > _EPOCH_SECONDS else number
    return seconds if 0 <= seconds <= _LONGEST else None


def _date(text: str | None) -> float | None:
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
