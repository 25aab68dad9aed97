"""The quota's headers, in every spelling that a server might choose."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from pointsman.platforms.base import RateReading
from pointsman.platforms.helium.rate_headers import read_rate

#: 2026-01-05T00:00:00Z
NOW = 1_767_571_200.0


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("45", 45),
        ("0", 0),
        ("45.5", 45.5),
        (" 45 ", 45),
        ("1767571245", 45),
        ("1767571245.5", 45.5),
        ("1767571245500", 45.5),
        ("2026-01-05T00:00:45Z", 45),
        ("2026-01-05T00:00:45.500Z", 45.5),
        ("2026-01-05T00:00:45+00:00", 45),
        ("2026-01-05T01:00:45+01:00", 45),
        ("2026-01-05T00:00:45", 45),
        ("2026-01-05 00:00:45", 45),
        ("20260105T000045Z", 45),
        ("Mon, 05 Jan 2026 00:00:45 GMT", 45),
        ("Mon, 05 Jan 2026 01:00:45 +0100", 45),
        ("Monday, 05-Jan-26 00:00:45 GMT", 45),
        ("Mon Jan  5 00:00:45 2026", 45),
        ("3600", 3600),
        ("45s", 45),
        ("1m30s", 90),
        ("1h0m0s", 3600),
        ("500ms", 0.5),
        ("6m0.5s", 360.5),
    ],
)
@pytest.mark.parametrize("name", ["X-RateLimit-Reset", "Retry-After"])
def test_a_reset_time_is_read_however_it_is_spelled(name: str, reset: str, seconds: float) -> None:
    reading = read_rate({name: reset}, NOW)
    assert (reading.resets_in if name != "Retry-After" else reading.retry_after) == seconds


@pytest.mark.parametrize(
    "reset",
    [
        "",
        " ",
        "soon",
        "60 s",
        "s",
        "30s1m",
        "PT1M",
        "-1",
        "-inf",
        "inf",
        "nan",
        "1e400",
        "1767571199",
        "1767571199999",
        "2026-01-04T23:59:59Z",
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "Mon, 05 Jan 99999 00:00:45 GMT",
        "Mon, 32 Jan 2026 00:00:45 GMT",
        ",",
    ],
)
@pytest.mark.parametrize("name", ["X-RateLimit-Reset", "Retry-After"])
def test_a_reset_time_that_makes_no_sense_says_nothing(name: str, reset: str) -> None:
    assert read_rate({name: reset}, NOW) == RateReading()


@pytest.mark.parametrize("pause", ["3601", "86400", "1767575000", "2026-01-06T00:00:00Z"])
def test_whoever_wants_to_be_left_alone_for_hours_is_asked_again_after_one(pause: str) -> None:
    assert read_rate({"Retry-After": pause}, NOW) == RateReading(retry_after=3600.0)
    assert read_rate({"X-RateLimit-Reset": pause}, NOW) == RateReading()


@pytest.mark.parametrize("pause", ["86401", "99999999", "1000000000000", "2027-01-06T00:00:00Z"])
def test_a_pause_of_more_than_a_day_is_not_meant(pause: str) -> None:
    assert read_rate({"Retry-After": pause}, NOW) == RateReading()


def test_a_pause_that_the_body_asks_for_counts_where_no_header_does() -> None:
    assert read_rate({}, NOW, asked=7.0).retry_after == 7.0
    assert read_rate({"Retry-After": "9"}, NOW, asked=7.0).retry_after == 9.0
    assert read_rate({"Retry-After": "soon"}, NOW, asked=7.0).retry_after == 7.0


@pytest.mark.parametrize(
    ("remaining", "points"),
    [
        ("99000", 99_000),
        ("0", 0),
        ("12.7", 12),
        (" 12 ", 12),
        ("-3", 0),
        ("1e3", 1000),
        ("", None),
        ("many", None),
        ("12 points", None),
        ("1,000", None),
        ("nan", None),
        ("inf", None),
        ("-inf", None),
    ],
)
def test_the_points_that_are_left_are_a_whole_number_or_nothing(
    remaining: str, points: int | None
) -> None:
    assert read_rate({"X-RateLimit-Remaining": remaining}, NOW) == RateReading(points)


@pytest.mark.parametrize(
    "moment",
    [
        "Mon, 05 Jan 99999999999999999999 00:00:45 GMT",
        "Mon, 05 Jan 2026 99999999999999999999:00:45 GMT",
        "Mon, 05 Jan 2026 00:00:45 +99999999999999999999",
    ],
)
@pytest.mark.parametrize("name", ["Date", "X-RateLimit-Reset", "Retry-After"])
def test_a_date_of_huge_numbers_says_nothing(name: str, moment: str) -> None:
    assert read_rate({name: moment}, NOW) == RateReading()


def test_an_answer_without_headers_says_nothing() -> None:
    assert read_rate({}, NOW) == RateReading()


def test_all_of_the_headers_are_read_together_whatever_the_case_of_their_names() -> None:
    headers = CIMultiDict(
        {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1767571245", "retry-after": "3"}
    )
    assert read_rate(headers, NOW) == RateReading(5, 45, 3)


@pytest.mark.parametrize("off", [-86_400, -90, 0, 90, 86_400])
@pytest.mark.parametrize("spelling", ["{0:.0f}", "{0:.0f}000", "{1:%Y-%m-%dT%H:%M:%SZ}"])
def test_a_time_of_day_counts_from_the_servers_own_clock(off: int, spelling: str) -> None:
    reset = NOW + off + 45
    headers = {
        "Date": f"{datetime.fromtimestamp(NOW + off, UTC):%a, %d %b %Y %H:%M:%S GMT}",
        "X-RateLimit-Reset": spelling.format(reset, datetime.fromtimestamp(reset, UTC)),
    }
    assert read_rate(headers, NOW).resets_in == 45


def test_seconds_from_now_need_no_clock() -> None:
    headers = {"Date": "Mon, 05 Jan 2026 12:00:00 GMT", "X-RateLimit-Reset": "45"}
    assert read_rate(headers, NOW).resets_in == 45


def test_a_date_that_makes_no_sense_leaves_our_own_clock() -> None:
    headers = {"Date": "yesterday", "X-RateLimit-Reset": "1767571245"}
    assert read_rate(headers, NOW).resets_in == 45


#: texts that look like numbers and dates, and any other that a header can carry
TEXTS = st.one_of(
    st.text(st.characters(codec="latin-1"), max_size=40),
    st.text("0123456789-+:.,TZeE ", max_size=30),
    st.text("MonTueJanFb, 0123456789:-+GMT()", max_size=40),
    st.floats().map(str),
    st.integers().map(str),
    st.datetimes().map(datetime.isoformat),
)


@settings(max_examples=200)
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_no_header_can_do_harm(date: str, remaining: str, reset: str, retry: str) -> None:
    headers = {
        "Date": date,
        "X-RateLimit-Remaining": remaining,
        "X-RateLimit-Reset": reset,
        "Retry-After": retry,
    }
    reading = read_rate(headers, NOW)
    assert reading.points_left is None or reading.points_left >= 0
    assert reading.resets_in is None or 0 <= reading.resets_in <= 3600
    assert reading.retry_after is None or 0 <= reading.retry_after <= 3600


@pytest.mark.parametrize(
    ("text", "points"),
    [
        *(("0", 0), ("-3", 0), ("7.5", 7), ("1e400", None), ("nan", None), ("many", None)),
        *((str(2**63), 1_000_000_000), ("1e300", 1_000_000_000)),
    ],
)
def test_points_that_are_left_fit_into_a_column_of_a_store(text: str, points: int | None) -> None:
    assert read_rate({"X-RateLimit-Remaining": text}, 0.0).points_left == points
