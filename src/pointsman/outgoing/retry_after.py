"""Reads `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date of HTTP or ISO 8601. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: a wait that is longer is cut to this, seconds
LONGEST_WAIT = 3_600.0
_SECONDS = re.compile(r"[0-9]{1,300}(\.[0-9]{0,20})?")


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait, from 0 up to `LONGEST_WAIT`; None where it says nothing that makes sense.

    A date is compared with the server's own `Date` where there is one, else with `now`.
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_WAIT)
    until = _date(text)
    if until is None:
        return None
    seconds = until - (_date(headers.get("Date", "").strip()) or now)
    return min(seconds, LONGEST_WAIT) if seconds >= 0 else None


def _date(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
