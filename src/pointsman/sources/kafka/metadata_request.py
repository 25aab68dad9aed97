"""Kafka's Metadata request, version 10: the first that tells the id of a topic (KIP-516).

aiokafka speaks up to version 5. The shapes are those of Kafka's MetadataRequest.json and
MetadataResponse.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

#: a topic id that says nothing: the broker does not know ids, or has no such topic
NO_ID = bytes(16)
_NAME = CompactString("utf-8")
_TAGS = ("tags", TaggedFields)


class _Uuid(AbstractType):  # type: ignore[misc] # aiokafka has no types
    """16 bytes as they are."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(len(NO_ID))


class _MetadataResponse10(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", _NAME), ("port", Int32), ("rack", _NAME), _TAGS
            ),
        ),
        ("cluster_id", _NAME),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _NAME),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        _TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                _TAGS,
            ),
        ),
        ("cluster_authorized_operations", Int32),
        _TAGS,
    )


class _MetadataRequest10(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse10
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _NAME), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _TAGS,
    )


class TopicIdsRequest(Request[_MetadataRequest10]):  # type: ignore[misc]
    """Asks about `topics`, and makes none of them; `with_rights` also what we may do with them.

    Sending it raises `NotImplementedError` where the broker is older than Kafka 2.8.
    """

    API_KEY = 3

    def __init__(self, topics: Sequence[str], *, with_rights: bool = False) -> None:
        self._topics = topics
        self._with_rights = with_rights

    def build(self, request_struct_class: type[_MetadataRequest10]) -> _MetadataRequest10:
        topics: list[tuple[bytes, str, dict[int, bytes]]] = [
            (NO_ID, topic, {}) for topic in self._topics
        ]
        return request_struct_class(topics, False, False, self._with_rights, {})  # noqa: FBT003 - by order
