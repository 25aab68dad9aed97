"""Messages of a log that are read together say the same as each by itself."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.log_positions import Position
from pointsman.domain.records import Submission
from pointsman.mapping import ConfiguredIdentity, Mapper, Rule, Template
from pointsman.sources.batch import LogMessage
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.refused_learners import RefusedLearners
from pointsman.statements import Limits
from pointsman.store.statement_conflicts import body_of, conflict_letter
from tests.support.manual_clock import ManualClock

RULE = Rule("topics", Template("http://example.com/{topic}"), topic_id=Template("{topic}"))


class NoStore:
    async def ingest(self, submissions: Sequence[Submission]) -> list[Any]:
        raise AssertionError(submissions)


def pipeline(refused: RefusedLearners | None = None) -> Pipeline:
    mapping = Mapper([RULE], ConfiguredIdentity())
    clock = ManualClock()
    return Pipeline(NoStore(), mapping, Limits(), clock, lambda *_: None, refused=refused)


def statement(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.UUID(int=number)),
        "actor": {"mbox": "mailto:ana@example.com"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": "http://example.com/one"},
        "result": {"score": {"scaled": 0.5, "raw": 12345678901234567890}},
        **changes,
    }


def written(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


ATTACHMENT = {
    "usageType": "http://example.com/usage",
    "display": {"en": "a file"},
    "contentType": "text/plain",
    "length": 1,
    "sha2": "0" * 64,
}
MULTIPART = (
    b"\r\n--x\r\nContent-Type: application/json\r\n\r\n" + written(statement(7)) + b"\r\n--x--\r\n"
)
#: (body, Content-Type): plain ones several times, so that they follow one another often
PLAIN = [
    (written(statement()), None),
    (written(statement(2)), None),
    (written(statement(2, result={"completion": True})), None),
    (written(statement(3, id=str(uuid.UUID(int=0xABC)).upper())), None),
    (written(statement(4)), "application/json; charset=utf-8"),
    (written(statement(5, object={"id": "http://elsewhere.example.com/"})), None),
    (written(statement(6, result={"extensions": {"http://x.example.com/": "1"}})), None),
]
OTHERS = [
    (written([statement(8), statement(9)]), None),
    (written([]), None),
    (written({**statement(), "id": None}), None),
    (written({key: value for key, value in statement().items() if key != "id"}), None),
    (written({"verb": 1}), None),
    (written(statement(10, attachments=[ATTACHMENT])), None),
    (written(statement(10, attachments=[ATTACHMENT])), "application/json"),
    (b" " + written(statement(11)), None),
    (b"", None),
    (b"{", None),
    (b'{"id":1,"id":2}', None),
    (b"\xff", None),
    (b"null", None),
    # parts of an array that is whole only when they come one after the other
    (b'{"a":[{}', None),
    (b'{}]},{"a":{},"b":{}}', None),
    (b"{},{}", None),
    (MULTIPART, None),
    (MULTIPART, "application/json"),
    (written(statement(12)), 'multipart/mixed; boundary="x"'),
]
KINDS = st.one_of(st.sampled_from(PLAIN), st.sampled_from(PLAIN), st.sampled_from(OTHERS))
PLACES = st.sampled_from([("t", 0), ("t", 0), ("t", 0), ("t", 1), ("u", 0)])
VERSIONS = st.sampled_from(["1.0.0", "1.0.0", "1.0.0", "2.0.0"])


@st.composite
def logs(draw: st.DrawFn) -> list[LogMessage]:
    messages = []
    for offset in range(draw(st.integers(1, 8))):
        body, content_type = draw(KINDS)
        topic, partition = draw(PLACES)
        messages.append(
            LogMessage(
                "bus",
                body,
                f"topic {topic}, partition {partition}, offset {offset}",
                Position("g", topic, partition, offset + 1, 1, "log", f"{offset} 0 0"),
                content_type=content_type,
                version=draw(VERSIONS),
                max_statements=1,
            )
        )
    return messages


def statements_of(submissions: Sequence[Submission]) -> list[Any]:
    """All that a store is told of each statement, and its letter if its id were taken."""
    return [
        (
            submission.source,
            submission.received_at,
            submission.version,
            submission.all_or_nothing,
            replace(item, index=None, keys=(), body=None, offset=None),
            sorted(item.keys),
            body_of(submission, item),
            conflict_letter(submission, item),
        )
        for submission in submissions
        for item in submission.items
    ]


def letters_of(submissions: Sequence[Submission]) -> list[Any]:
    return [letter for submission in submissions for letter in submission.dead]


def places_of(submissions: Sequence[Submission]) -> dict[Any, Position]:
    places: dict[Any, Position] = {}
    for submission in submissions:
        at = submission.position
        assert at is not None
        before = places.get((at.topic, at.partition))
        assert before is None or before.offset < at.offset
        places[at.topic, at.partition] = at
    return places


@given(logs())
def test_what_is_read_together_says_the_same_as_each_message_by_itself(
    messages: list[LogMessage],
) -> None:
    intake = pipeline()
    alone = [intake.read_message(message) for message in messages]
    together = intake.read_messages(messages)
    assert statements_of(together) == statements_of(alone)
    assert letters_of(together) == letters_of(alone)
    assert places_of(together) == places_of(alone)


def plain(number: int, **changes: Any) -> LogMessage:
    place = Position("g", "t", 0, number + 1)
    return replace(LogMessage("bus", written(statement(number)), "", place), **changes)


def test_statements_that_follow_one_another_share_a_submission_with_the_last_ones_place() -> None:
    (submission,) = pipeline().read_messages([plain(number) for number in range(3)])
    assert [item.offset for item in submission.items] == [0, 1, 2]
    assert submission.position == Position("g", "t", 0, 3)
    assert submission.body == b"".join(written(statement(number)) for number in range(3))


@pytest.mark.parametrize(
    "changes",
    [
        {"position": Position("g", "t", 1, 2)},
        {"position": Position("g", "u", 0, 2)},
        {"position": Position("g", "t", 0, 2, 5)},
        {"position": None},
        {"version": "2.0.0"},
        {"source": "other"},
        {"former_ids": {str(uuid.UUID(int=1)): "former"}},
        {"body": written([statement()])},
        {"body": written({"verb": 1})},
    ],
)
def test_what_is_of_another_kind_or_place_is_submitted_by_itself(changes: dict[str, Any]) -> None:
    submissions = pipeline().read_messages([plain(0), plain(1, **changes), plain(2)])
    assert [len(one.items) + len(one.dead) for one in submissions] == [1, 1, 1]


def test_where_somebody_is_refused_each_message_is_looked_at_by_itself() -> None:
    class Refused(RefusedLearners):
        def __init__(self) -> None:
            self.is_any = True

        def leave_out(self, batch: Any) -> Any:
            return replace(batch, items=())

    submissions = pipeline(Refused()).read_messages([plain(0), plain(1)])
    assert [one.items for one in submissions] == [(), ()]
    assert [one.position.offset for one in submissions if one.position] == [1, 2]
