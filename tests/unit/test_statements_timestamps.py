"""Timestamps: every form of ISO 8601 that has a time of day (1.0.3 Part 2 section 4.5)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pointsman.statements import Invalid, Limits, Valid, observe, parse
from pointsman.statements.observation import NoEffect
from tests.support.xapi_factory import new_id, statement, sub

FAR = 2**62


def read(timestamp: str, *, inner: bool = False) -> Valid | Invalid:
    sent = statement(object=sub(timestamp=timestamp)) if inner else statement(timestamp=timestamp)
    (item,) = parse(json.dumps(sent).encode(), Limits(), new_id=new_id).items
    return item


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-W48-6T10:00:00Z", datetime(2026, 11, 28, 10, tzinfo=UTC)),
        ("2026W486T100000Z", datetime(2026, 11, 28, 10, tzinfo=UTC)),
        ("2026-W53-7T10:00Z", datetime(2027, 1, 3, 10, tzinfo=UTC)),
        ("2026-332T10:00:00Z", datetime(2026, 11, 28, 10, tzinfo=UTC)),
        ("2026332T10Z", datetime(2026, 11, 28, 10, tzinfo=UTC)),
        ("2024-366T10:00:00Z", datetime(2024, 12, 31, 10, tzinfo=UTC)),
        ("2026-11-27T24:00:00Z", datetime(2026, 11, 28, tzinfo=UTC)),
        ("2026-12-31T24:00:00,00Z", datetime(2027, 1, 1, tzinfo=UTC)),
        ("20261127T24Z", datetime(2026, 11, 28, tzinfo=UTC)),
        ("2026-365T24:00+01:00", datetime(2027, 1, 1, tzinfo=timezone(timedelta(hours=1)))),
        ("2026-11-28T10:00:00", datetime(2026, 11, 28, 10, tzinfo=UTC)),
        # RFC 3339 section 5.6: T and Z may be small
        ("2026-11-28t10:00:00z", datetime(2026, 11, 28, 10, tzinfo=UTC)),
        ("2026-11-27t24:00z", datetime(2026, 11, 28, tzinfo=UTC)),
        # ISO 8601:2004 section 4.2.2.4: a fraction of the last of hour, minute and second
        ("2026-11-28T10.5Z", datetime(2026, 11, 28, 10, 30, tzinfo=UTC)),
        ("2026-11-28T10,25+01:00", datetime(2026, 11, 28, 9, 15, tzinfo=UTC)),
        ("2026-11-28T10:30.1Z", datetime(2026, 11, 28, 10, 30, 6, tzinfo=UTC)),
        ("20261128T1030,5Z", datetime(2026, 11, 28, 10, 30, 30, tzinfo=UTC)),
        ("2026-332T10.999999999999999999999Z", datetime(2026, 11, 28, 10, 59, 59, 999999, UTC)),
    ],
)
def test_each_form_is_the_point_in_time_that_it_names(timestamp: str, expected: datetime) -> None:
    item = read(timestamp)
    assert isinstance(item, Valid)
    seen = observe(item, FAR)
    assert not isinstance(seen, NoEffect)
    assert seen.occurred_at == expected.timestamp() * 1_000_000


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-02-30T10:00:00Z",
        "2026-366T10:00:00Z",
        "2026-000T10:00:00Z",
        "2026-W54-1T10:00:00Z",
        "2025-W53-1T10:00:00Z",
        "2026-W48-8T10:00:00Z",
        "2026-11-27T24:00:01Z",
        "2026-11-27T24:30Z",
        "2026-11-27T25:00Z",
        "9999-12-31T24:00:00Z",
        "2026-W48T10:00:00Z",
        "2026-11-27",
        "2026-11-27 10:00:00Z",
        "2026-11-27T10.5:30Z",
        "2026-11-27T10:30.5:10Z",
        "2026-11-27T10.Z",
        "2026-11-27T24.5Z",
    ],
)
@pytest.mark.parametrize("inner", [False, True])
def test_what_names_no_day_and_time_is_refused(timestamp: str, *, inner: bool) -> None:
    """In a statement inside a statement too."""
    item = read(timestamp, inner=inner)
    assert isinstance(item, Invalid)
    assert any("timestamp" in problem.field for problem in item.problems)
