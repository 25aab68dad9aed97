"""Parses the times and lengths of time that options take, and formats times for tables."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import typer

_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_time(text: str) -> int:
    """Microseconds since the epoch of `7d`, `12h`, or an ISO 8601 date or time (UTC if not said).

    Raises `typer.BadParameter`.
    """
    if ago := _AGO.fullmatch(text):
        return round((time.time() - float(ago[1]) * _SECONDS[ago[2]]) * 1e6)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time; write 7d, 12h, 2026-11-01 or 2026-11-01T08:00:00Z"
        ) from None
    return round((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1e6)


def parse_duration(text: str) -> float:
    """Seconds of `30d`, `12h`, `90m` or `45s`. Raises `typer.BadParameter`."""
    if duration := _AGO.fullmatch(text):
        return float(duration[1]) * _SECONDS[duration[2]]
    raise typer.BadParameter(f"{text!r} is no length of time; write 30d, 12h, 90m or 45s")


def iso_time(micros: int) -> str:
    """ISO 8601, in UTC."""
    return datetime.fromtimestamp(micros // 1_000_000, UTC).isoformat()
