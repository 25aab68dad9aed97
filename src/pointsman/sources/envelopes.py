"""Takes a message out of what Kafka's serializers and connectors put around it. Pure.

A schema registry's JSON has five bytes in front: 0 and the schema's number. Kafka Connect's
JsonConverter writes an object of schema and payload, and a table's column of JSON as a text.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from pointsman.domain.errors import InputRefused
from pointsman.statements import write_json

_MAGIC = b"\x00"
#: the byte 0, and the number of the schema
_FRAME = 5
_JSON = re.compile(rb"\s*[\[{]")
_WRAPPED = re.compile(rb'\s*(?:"|\{\s*"(?:schema|payload)"\s*:)')
_CONNECT = frozenset({"schema", "payload"})
#: a text in a payload in a frame, and one more
_LAYERS = 4


def unwrapped(message: bytes) -> bytes:
    """What is inside; the very message where there is nothing around it.

    Raises `InputRefused` for a frame around what is no JSON, and for a payload that is too deep.
    """
    for _ in range(_LAYERS):
        inner = _inside(message)
        if inner is None:
            break
        message = inner
    return message


def _inside(message: bytes) -> bytes | None:
    if message.startswith(_MAGIC):
        return _without_frame(message)
    if _WRAPPED.match(message) is None:
        return None
    try:
        value: Any = orjson.loads(message)
    except orjson.JSONDecodeError:  # which is told where it is read
        return None
    if isinstance(value, dict) and value.keys() <= _CONNECT and "payload" in value:
        value = value["payload"]
        return value.encode() if isinstance(value, str) else write_json(value)
    if isinstance(value, str) and _JSON.match(text := value.encode()):
        return text
    return None


def _without_frame(message: bytes) -> bytes:
    inside = message[_FRAME:]
    if len(message) > _FRAME and _JSON.match(inside):
        return inside
    schema = int.from_bytes(message[1:_FRAME], "big")
    raise InputRefused(
        f"the message begins with the byte 0, as a schema registry's do (schema {schema}), and "
        "what follows is no JSON; Avro and Protobuf are not read: have it written as JSON, with a "
        "schema or without"
    )
