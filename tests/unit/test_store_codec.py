"""Desired state as rows: what is written is read again, whichever store keeps it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.desired_state import Attempt, Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.targets import (
    CourseStatus,
    ReadBackKind,
    ReadBackPlace,
    Recipient,
    Target,
    TargetKind,
    Value,
)
from pointsman.store.desired_codec import COLUMNS, IMPORTED, MOVED, DesiredCodec, column_type
from pointsman.store.postgres import rows as postgres
from pointsman.store.sqlite import rows as sqlite

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9)
numbers = st.integers(0, 2**53)
values: st.SearchStrategy[Value] = st.integers(0, 100) | st.sampled_from(list(CourseStatus)).map(
    lambda status: status.value
)
targets = st.builds(Target, st.sampled_from(list(TargetKind)), texts)
recipients = st.builds(Recipient.learner, texts) | st.builds(Recipient.meeting, texts)
places = st.builds(ReadBackPlace, st.sampled_from(list(ReadBackKind)), texts)


@st.composite
def desired(draw: st.DrawFn) -> Desired:
    code = draw(st.none() | st.sampled_from(list(ParkCode)))
    return Desired(
        recipient=draw(recipients),
        target=draw(targets),
        value=draw(values),
        version=draw(numbers),
        occurred_at=draw(numbers),
        statement_id=draw(texts),
        rule=draw(texts),
        since=draw(numbers),
        changed_at=draw(numbers),
        after=draw(st.lists(targets, max_size=2).map(tuple)),
        attempts=draw(st.lists(st.builds(Attempt, texts, values, numbers), max_size=2).map(tuple)),
        delivered_version=draw(numbers),
        delivered_value=draw(st.none() | values),
        failures=draw(numbers),
        parked="" if code is None else "why",
        park_code=code,
        read_back=draw(st.none() | places),
    )


@pytest.mark.parametrize("codec", [sqlite.CODEC, postgres.CODEC])
@given(record=desired())
def test_a_record_is_read_as_it_was_written(codec: DesiredCodec, record: Desired) -> None:
    row: dict[str, Any] = dict(zip(IMPORTED, codec.imported_row(record), strict=True))
    assert codec.decode(row) == record
    moved = dict(zip(MOVED, codec.moved_row(record), strict=True))
    assert moved == {name: row[name] for name in MOVED}


@given(recipient=recipients)
def test_a_recipient_is_the_same_after_it_was_text(recipient: Recipient) -> None:
    assert Recipient.from_text(str(recipient)) == recipient


@given(place=places)
def test_a_place_is_the_same_after_it_was_text(place: ReadBackPlace) -> None:
    assert ReadBackPlace.from_text(str(place)) == place


def test_every_field_of_desired_state_is_a_column() -> None:
    names = {field.name for field in fields(Desired)} - {"recipient", "target"}
    assert names | {"learner", "kind", "key"} == set(COLUMNS)
    assert {name for name in COLUMNS if column_type(name) == "integer"} == {
        *(
            "version",
            "occurred_at",
            "since",
            "changed_at",
            "delivered_version",
            "failures",
            "retry_at",
            "fresh_within",
            "deadline",
            "reset_at",
        ),
    }


def test_what_a_replica_of_the_version_before_parked_has_no_code_yet() -> None:
    record = Desired(
        Recipient.learner("ana"), Target(TargetKind.TOPIC_PROGRESS, "t"), 5, 1, 0, "s", "r", 0, 0
    )
    row = dict(zip(IMPORTED, postgres.CODEC.imported_row(record), strict=True))
    assert postgres.CODEC.decode({**row, "parked": "token: none"}).park_code is ParkCode.UNKNOWN
