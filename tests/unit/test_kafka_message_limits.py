"""A message may hold more statements than a request; what is beyond its own limit is named."""

from __future__ import annotations

import json
import uuid
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.errors import InputRefused
from pointsman.domain.log_positions import Position
from pointsman.sources.batch import BatchReader, LogMessage
from pointsman.statements import Limits
from tests.support.xapi_factory import statement

#: more than HTTP's limit of one request
MANY = 1_500


def statements(count: int) -> list[dict[str, Any]]:
    return [{**statement(), "id": str(uuid.UUID(int=number))} for number in range(1, count + 1)]


def message(body: Any, most: int | None, content_type: str | None = None) -> LogMessage:
    return LogMessage(
        "events",
        body if isinstance(body, bytes) else json.dumps(body).encode(),
        "topic t, partition 0, offset 7",
        Position("g", "t", 0, 8),
        content_type=content_type,
        max_statements=most,
    )


def test_an_array_of_more_statements_than_https_limit_is_taken_whole() -> None:
    batch = BatchReader(Limits()).message(message(statements(MANY), 10_000))
    assert (len(batch.items), batch.invalid, batch.left_over) == (MANY, (), ())


def test_of_an_array_of_1500_only_the_bad_items_are_invalid() -> None:
    body = statements(MANY)
    body[3] = {"verb": 1}
    body[1_400] = {"actor": "?"}
    batch = BatchReader(Limits()).message(message(body, 10_000))
    assert len(batch.items) == MANY - 2
    assert [one.index for one in batch.invalid] == [3, 1_400]


def test_what_is_beyond_the_limit_is_left_over_in_parts_that_a_replay_takes() -> None:
    body = statements(25)
    reader = BatchReader(Limits(max_statements=10))
    batch = reader.message(message(body, 12))
    assert [one.statement_id for one in batch.items] == [one["id"] for one in body[:12]]
    assert [(part.first, part.last) for part in batch.left_over] == [(12, 21), (22, 24)]
    assert {part.reason for part in batch.left_over} == {
        "the message has 25 statements; at most 12 are taken of one (max_statements of its source)"
    }
    again = [reader.message(message(part.body, None)) for part in batch.left_over]
    names = [one.statement_id for part in again for one in part.items]
    assert names == [one["id"] for one in body[12:]]


@given(count=st.integers(0, 40), most=st.integers(1, 20), at_once=st.integers(1, 20))
def test_nothing_of_a_message_is_dropped(count: int, most: int, at_once: int) -> None:
    body = statements(count)
    batch = BatchReader(Limits(max_statements=at_once)).message(message(body, most))
    left = [one for part in batch.left_over for one in orjson.loads(part.body)]
    assert [*(one.statement_id for one in batch.items), *(one["id"] for one in left)] == [
        one["id"] for one in body
    ]
    assert all(len(orjson.loads(part.body)) <= at_once for part in batch.left_over)


def test_a_message_without_a_limit_of_its_own_has_that_of_http() -> None:
    with pytest.raises(InputRefused, match=r"at most 10 are taken at once \(http.max_statements\)"):
        BatchReader(Limits(max_statements=10)).message(message(statements(11), None))


def test_a_request_keeps_the_limit_of_http() -> None:
    with pytest.raises(InputRefused, match="at most 1000"):
        BatchReader(Limits()).request("players", json.dumps(statements(1_001)).encode())
