"""Reads what was played of a recording (xAPI video profile, version 1.0).

`played-segments` are the stretches that were played in one session, "0.002[.]2.417[,]5[.]10", in
seconds; the length and the threshold of completion are in the context. Other recordings' players
use the same extensions.
"""

from __future__ import annotations

import math
import re
from typing import Any

from pointsman.domain.evidence import Coverage, Span
from pointsman.domain.records import Reading
from pointsman.statements.extension_numbers import ReadingRefused, number
from pointsman.statements.statement import Statement

_EXTENSIONS = "https://w3id.org/xapi/video/extensions/"
_PLAYED = f"{_EXTENSIONS}played-segments"
_LENGTH = f"{_EXTENSIONS}length"
_THRESHOLD = f"{_EXTENSIONS}completion-threshold"
#: `progress`, 0..1
PROGRESS = f"{_EXTENSIONS}progress"
#: seconds; a year
_MAX_SECONDS = 31_536_000
#: seconds are counted on a little before the beginning by some
_SEGMENT = re.compile(r"\s*(-?\d+(?:\.\d+)?)\[\.\](-?\d+(?:\.\d+)?)\s*")
_MAX_SEGMENTS = 10_000
#: what players write who don't know it yet
_UNSET = (None, "", 0)


def coverage(statement: Statement) -> Coverage | None:
    """What was played, and of how much; None where none of that is said.

    Raises:
        ReadingRefused: a part of that makes no sense, so the whole says nothing: spans of a
            recording whose length is not known would complete nothing, whatever is claimed.
    """
    result, context = statement.result, statement.context
    result_extensions = (result.extensions if result else None) or {}
    context_extensions = (context.extensions if context else None) or {}
    if (
        _PLAYED not in result_extensions
        and _LENGTH not in context_extensions
        and _THRESHOLD not in context_extensions
    ):
        return None
    length = _optional_number(context_extensions, _LENGTH, _MAX_SECONDS)
    threshold = _optional_number(context_extensions, _THRESHOLD, 1)
    spans = (
        _spans(result_extensions[_PLAYED]) if result_extensions.get(_PLAYED) is not None else None
    )
    if spans is None and length is None and threshold is None:
        return None
    return Coverage(spans, length or math.inf, threshold or 1.0)


def _optional_number(extensions: dict[str, Any], name: str, most: int) -> float | None:
    value = extensions.get(name)
    # a boolean is no number here, although False is 0
    if value in _UNSET and not isinstance(value, bool):
        return None
    return number(Reading.COVERAGE, f"context.extensions[{name}]", value, most) or None


def _spans(value: Any) -> tuple[Span, ...]:
    where = f"result.extensions[{_PLAYED}]"
    if not isinstance(value, str):
        raise ReadingRefused(
            Reading.COVERAGE,
            where,
            f'must be text such as "0[.]2.4[,]5[.]10", not {str(value)[:80]!r}',
        )
    pieces = value.split("[,]") if value.strip() else []
    if len(pieces) > _MAX_SEGMENTS:
        raise ReadingRefused(
            Reading.COVERAGE, where, f"must hold at most {_MAX_SEGMENTS:,} segments"
        )
    return tuple(_span(where, piece) for piece in pieces)


def _span(where: str, piece: str) -> Span:
    match = _SEGMENT.fullmatch(piece)
    start, end = map(float, match.groups()) if match else (math.nan, math.nan)
    if not (abs(start) <= _MAX_SECONDS and abs(end) <= _MAX_SECONDS):
        raise ReadingRefused(
            Reading.COVERAGE,
            where,
            'must be segments such as "5[.]10", in seconds, joined by [,]; '
            f"one of them is {piece[:80]!r}",
        )
    return start, end
