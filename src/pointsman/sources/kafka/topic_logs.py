"""Asks the cluster which log each topic is, for an offset counts in one log only."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, KafkaError, NoError, for_code
from aiokafka.protocol.metadata import MetadataRequest

from pointsman.sources.kafka.client import new_client
from pointsman.sources.kafka.metadata_request import NO_ID, TopicIdsRequest
from pointsman.sources.kafka.settings import KafkaSourceSettings

#: seconds that closing a connection may take
_CLOSING = 5.0


@dataclass(frozen=True, slots=True)
class TopicLog:
    """A topic as the cluster tells of it now."""

    #: see `log_id`; "" where the topic can't be read
    log_id: str
    #: 0 where the topic can't be read
    partitions: int
    #: the name of Kafka's error, "" when all is well
    error: str = ""


def log_id(cluster_id: str | None, topic_id: bytes) -> str:
    """Cluster and topic, in the letters that Kafka's own tools print; a part may be empty."""
    topic = "" if topic_id == NO_ID else base64.urlsafe_b64encode(topic_id).decode().rstrip("=")
    return f"{cluster_id or ''}/{topic}"


def is_same_log(one: str, other: str) -> bool:
    """Whether two log ids may name the same log: what only one of them says does not part them."""
    parts = zip(one.partition("/")[::2], other.partition("/")[::2], strict=True)
    return all(first == second for first, second in parts if first and second)


class TopicLogs:
    """Reads the logs of topics; the connection of its own is made when it is first needed."""

    def __init__(self, settings: KafkaSourceSettings) -> None:
        self._settings = settings
        self._client: AIOKafkaClient | None = None
        self._lock = asyncio.Lock()

    async def read(self, topics: Sequence[str]) -> dict[str, TopicLog]:
        """Each of `topics`. Raises `KafkaError` and `OSError` when no broker answers."""
        async with self._lock:
            try:
                if self._client is None:
                    self._client = new_client(
                        self._settings, f"pointsman-{self._settings.name}-topics"
                    )
                    await self._client.bootstrap()
                return await self._ask(self._client, topics)
            except BaseException:
                await self.close()
                raise

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(client.close(), _CLOSING)

    async def _ask(self, client: AIOKafkaClient, topics: Sequence[str]) -> dict[str, TopicLog]:
        node = client.get_random_node()
        if node is None:
            raise KafkaConnectionError("the cluster names no broker")
        try:
            answer = await client.send(node, TopicIdsRequest(topics))
            rows = [
                (error, topic, topic_id, partitions)
                for error, topic, topic_id, _, partitions, *_ in answer.topics
            ]
        except NotImplementedError:  # before Kafka 2.8 topics have no ids
            answer = await client.send(
                node, MetadataRequest(list(topics), allow_auto_topic_creation=False)
            )
            rows = [
                (error, topic, NO_ID, partitions) for error, topic, _, partitions in answer.topics
            ]
        return {
            topic: TopicLog(log_id(answer.cluster_id, topic_id), len(partitions))
            if for_code(error) is NoError
            else TopicLog("", 0, for_code(error).__name__)
            for error, topic, topic_id, partitions in rows
        }
