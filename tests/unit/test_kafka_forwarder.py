"""Statements that go to a topic: validated, answered with their ids, and passed on as they came."""

from __future__ import annotations

import json
import uuid
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import Forbidden, InputRefused
from pointsman.sources.batch import BatchReader
from pointsman.sources.kafka_forwarder import KafkaForwarder
from pointsman.statements import StatementsRefused
from pointsman.statements.adapters import Path, Webhook
from tests.support.launch_factory import REGISTRATION, launch
from tests.support.statement_ids import IDS


def said(number: int | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "actor": {"mbox": "mailto:ana@example.com"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": "https://content.example.com/t"},
    }
    return made if number is None else {"id": str(uuid.UUID(int=number)), **made}


class Topic:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.dead_letters: list[tuple[str, bytes, str, str]] = []
        self.headers: list[dict[str, bytes]] = []
        self.forwarder = KafkaForwarder(self.write, SystemClock(), self.keep_dead_letter)

    async def post(self, source: str, body: bytes, **more: Any) -> list[str]:
        """Forward a request; the ids that it is answered with."""
        return (await self.forwarder.accept(BatchReader().request(source, body, **more))).ids

    async def keep_dead_letter(self, source: str, body: bytes, reason: str, origin: str) -> None:
        self.dead_letters.append((source, body, reason, origin))

    async def write(self, body: bytes, headers: list[tuple[str, bytes]]) -> None:
        self.bodies.append(body)
        self.headers.append(dict(headers))


async def test_a_body_with_ids_is_passed_on_byte_for_byte() -> None:
    topic = Topic()
    body = json.dumps([said(1), said(2)], indent=3).encode()
    ids = await topic.post("player", body)
    assert ids == [str(uuid.UUID(int=1)), str(uuid.UUID(int=2))]
    assert topic.bodies == [body]
    assert topic.headers[0]["source"] == b"player"
    assert int(topic.headers[0]["received_at"]) > 10**15


@given(st.lists(st.one_of(st.none(), st.integers(1, 10**9)), max_size=5), st.booleans())
async def test_whoever_reads_the_topic_finds_the_ids_that_were_answered(
    numbers: list[int | None], alone: bool
) -> None:
    topic = Topic()
    numbers = list(dict.fromkeys(numbers))
    statements = [said(number) for number in numbers]
    body = statements[0] if alone and len(statements) == 1 else statements
    ids = await topic.post("player", json.dumps(body).encode())
    assert len(ids) == len(statements)
    if not statements:
        assert topic.bodies == []
        return
    found = json.loads(topic.bodies[0])
    found = found if isinstance(found, list) else [found]
    assert [one["id"] for one in found] == ids


async def test_a_put_has_the_id_of_its_address() -> None:
    topic = Topic()
    name = str(uuid.UUID(int=7))
    await topic.post("p", json.dumps(said()).encode(), put_id=name)
    assert json.loads(topic.bodies[0])["id"] == name
    other = json.dumps(said(8)).encode()
    with pytest.raises(InputRefused, match="is not the statementId"):
        await topic.post("p", other, put_id=name)


async def test_what_is_invalid_is_refused_and_not_written() -> None:
    topic = Topic()
    wrong = json.dumps([said(1), {"verb": 1}]).encode()
    with pytest.raises(StatementsRefused):
        await topic.post("player", wrong)
    with pytest.raises(InputRefused):
        await topic.post("player", b"no json")
    assert topic.bodies == []


async def test_whoever_reads_the_topic_finds_the_launch_of_a_player_that_named_none() -> None:
    topic = Topic()
    statements = [said(), said(2) | {"context": {"registration": REGISTRATION}}]
    body = json.dumps(statements).encode()
    mine = launch(activity="https://content.example.com/t")
    ids = await topic.post("launch", body, launch=mine)
    found = json.loads(topic.bodies[0])
    assert [one["id"] for one in found] == ids
    assert {one["context"]["registration"] for one in found} == {REGISTRATION}
    with pytest.raises(Forbidden, match="statement 0"):
        await topic.post("launch", body, launch=launch())
    assert len(topic.bodies) == 1


async def test_what_is_told_as_statements_is_passed_on_byte_for_byte_and_is_the_same_again() -> (
    None
):
    topic = Topic()
    adapter = Webhook("lms", IDS, Path.parse("user"), Path.parse("url"), "https://lms.example.com")
    body = b'{"user": "ana@example.com", "url": "https://content.example.com/t"}'
    for _ in range(2):
        statements = adapter.statements(body)
        await topic.forwarder.accept(BatchReader().statements("lms", statements))
        assert topic.bodies[-1] == orjson.dumps(statements)
    assert topic.bodies[0] == topic.bodies[1]


async def test_what_was_not_understood_goes_to_the_store_and_not_to_the_topic() -> None:
    topic = Topic()
    await topic.forwarder.keep_dead_letter(
        "scorm", b"<xml/>", "is XML", "POST /scorm-cloud/postback"
    )
    assert topic.dead_letters == [("scorm", b"<xml/>", "is XML", "POST /scorm-cloud/postback")]
    assert topic.bodies == []
