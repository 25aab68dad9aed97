"""What values of a body stand for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pointsman.statements.adapters import json_values
from pointsman.statements.data_types import Timestamp

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, None),
        ("", None),
        ("NaN", None),
        (0, 0.0),
        ("0.45", 0.45),
        (" +.5e1 ", 5.0),
        (7.5, 7.5),
    ],
)
def test_a_number_may_be_a_text_and_nan_says_nothing(value: Any, found: float | None) -> None:
    assert json_values.number(value) == found


@pytest.mark.parametrize(
    "value", [True, "many", [], {}, "inf", 10**400, "5_0", "\u0665\u0660", "1 0", "50%", "0x10"]
)
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="must be a number"):
        json_values.number(value)


@pytest.mark.parametrize(
    ("value", "yes", "found"),
    [
        (None, (), None),
        (True, (), True),
        (0, (), False),
        ("False", (), False),
        ("done", ("DONE", "passed"), True),
        ("open", ("done",), False),
        (3, ("3",), True),
        (None, ("done",), None),
    ],
)
def test_yes_and_no(value: Any, yes: tuple[str, ...], found: bool | None) -> None:
    assert json_values.boolean(value, yes) is found


@pytest.mark.parametrize(("value", "yes"), [("done", ()), (2, ()), ([], ()), ({}, ("done",))])
def test_neither_yes_nor_no_is_refused(value: Any, yes: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="must be"):
        json_values.boolean(value, yes)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, None),
        ("", None),
        ("2025-10-06T10:05:00+02:00", "2025-10-06T10:05:00+02:00"),
        ("2025-10-06T10:05:00.123Z", "2025-10-06T10:05:00.123Z"),
        ("2025-10-06 10:05:00", "2025-10-06T10:05:00Z"),
        ("2025-10-06T10:05:00-00:00", "2025-10-06T10:05:00Z"),
        (1_759_745_100, "2025-10-06T10:05:00Z"),
        (1_759_745_100.25, "2025-10-06T10:05:00.250000Z"),
        (1_759_745_100_250, "2025-10-06T10:05:00.250000Z"),
        ("1759745100", "2025-10-06T10:05:00Z"),
        (1_759_745_100_250_000, "2025-10-06T10:05:00.250000Z"),
        ("2025-10-06 10:05:00 UTC", "2025-10-06T10:05:00Z"),
        ("2025-10-06T10:05:00 GMT", "2025-10-06T10:05:00Z"),
        ("Mon, 06 Oct 2025 10:05:00 GMT", "2025-10-06T10:05:00Z"),
        ("Mon, 6 Oct 2025 12:05:00 +0200", "2025-10-06T10:05:00Z"),
    ],
)
def test_times_in_all_spellings_become_timestamps(value: Any, found: str | None) -> None:
    assert json_values.timestamp(value) == found


@pytest.mark.parametrize(
    "value",
    [
        "2025-10-06",
        "2025-02-30T10:00:00Z",
        "Mon, 31 Feb 2025 10:05:00 GMT",
        "Mon, 06 Oct 2025 at 10:05",
        "2025-10-06 10:05:00 CET",
        "10/06/2025 10:05 AM",
        "soon",
        -1,
        1e18,
        [],
        True,
    ],
)
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="must be a time"):
        json_values.timestamp(value)


@given(JSON | st.floats())
def test_whatever_comes_is_read_or_refused_in_words(value: Any) -> None:
    for read in (json_values.number, json_values.boolean, json_values.timestamp):
        try:
            read(value)
            said = "must be"
        except ValueError as error:
            said = str(error)
        assert said.startswith("must be")


@given(st.floats() | st.integers() | st.datetimes().map(str) | st.text())
def test_every_timestamp_that_is_read_is_one_of_xapi(value: Any) -> None:
    try:
        made = json_values.timestamp(value)
    except ValueError:
        return
    assert made is None or TypeAdapter(Timestamp).validate_python(made) == made


def test_the_later_of_two_is_later_whatever_their_offsets() -> None:
    assert json_values.later("2025-01-01T10:00:00+02:00", "2025-01-01T09:00:00Z") == (
        "2025-01-01T09:00:00Z"
    )
    assert json_values.later(None, "2025-01-01T09:00:00") == "2025-01-01T09:00:00"
    assert json_values.later(None, None) is None
