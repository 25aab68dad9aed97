"""What serializers and connectors of Kafka put around a message is taken off, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from pointsman.domain.errors import InputRefused
from pointsman.domain.log_positions import Position
from pointsman.sources.batch import BatchReader, LogMessage
from pointsman.sources.envelopes import unwrapped
from pointsman.sources.players import LaunchCache
from tests.support.manual_clock import ManualClock
from tests.support.xapi_factory import statement

PLAIN = json.dumps(statement()).encode()
SEVERAL = json.dumps([statement(), statement()]).encode()
FRAME = b"\x00\x00\x00\x00\x07"


def connect(payload: object) -> bytes:
    """As JsonConverter writes it with schemas.enable = true."""
    schema = {"type": "string", "optional": False}
    return json.dumps({"schema": schema, "payload": payload}).encode()


@pytest.mark.parametrize("inside", [PLAIN, SEVERAL])
@pytest.mark.parametrize(
    "wrapped",
    [
        lambda inside: FRAME + inside,
        lambda inside: json.dumps(inside.decode()).encode(),
        lambda inside: connect(json.loads(inside)),
        lambda inside: connect(inside.decode()),
        lambda inside: FRAME + connect(inside.decode()),
        lambda inside: json.dumps({"payload": json.loads(inside)}).encode(),
        lambda inside: b" \n" + connect(json.loads(inside)),
        lambda inside: connect(json.dumps(inside.decode())),
    ],
)
def test_what_is_around_a_message_is_taken_off(wrapped: object, inside: bytes) -> None:
    """Confluentinc's JsonSchemaSerializer, Kafka Connect, Debezium's outbox without expansion."""
    assert callable(wrapped)
    message = wrapped(inside)
    assert json.loads(unwrapped(message)) == json.loads(inside)
    batch = BatchReader().message(
        LogMessage("lessons", message, "topic t, partition 0, offset 1", Position("", "t", 0, 2))
    )
    assert (len(batch.items), batch.invalid) == (len(json.loads(b"[%s]" % inside.strip(b"[]"))), ())


@pytest.mark.parametrize(
    "message",
    [
        PLAIN,
        SEVERAL,
        b"",
        b"{}",
        b'"a text"',
        b'"\\ud83d {"',
        b'{"schema": 1',
        json.dumps({"schema": {}, "payload": {}, "op": "c"}).encode(),
        json.dumps({"schema": {}}).encode(),
        json.dumps({**statement(), "payload": {}}).encode(),
    ],
)
def test_what_has_nothing_around_it_is_the_very_same(message: bytes) -> None:
    assert unwrapped(message) is message


@pytest.mark.parametrize("inside", [b"", b"\x02\x1aana", b"\x00\x0a\x03ana", b"ana"])
def test_what_is_framed_and_no_json_says_what_it_is(inside: bytes) -> None:
    with pytest.raises(InputRefused, match=r"schema registry's .*schema 7.*Avro and Protobuf"):
        unwrapped(FRAME + inside)


def test_layers_have_an_end() -> None:
    message = PLAIN.decode()
    for _ in range(6):
        message = json.dumps(message)
    assert unwrapped(message.encode()).startswith(b'"')


@pytest.mark.parametrize("wrapped", [bytes, lambda inside: connect(inside.decode())])
async def test_the_launch_is_known_that_a_wrapped_message_names(wrapped: Any) -> None:
    asked: list[str] = []

    class Store:
        async def named_documents(
            self, _resources: Sequence[str], names: Sequence[str]
        ) -> dict[Any, Any]:
            asked.extend(names)
            return {}

    registration = "0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11"
    message = wrapped(json.dumps(statement(context={"registration": registration})).encode())
    store: Any = Store()
    await LaunchCache(store, ManualClock()).prepare([message])
    assert asked == [registration]
