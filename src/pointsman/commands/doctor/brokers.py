"""Asks each Kafka cluster of the configuration: topics, what we may do with them, and the lag."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace

from aiokafka import TopicPartition
from aiokafka.client import CoordinationType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    NoError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
    for_code,
)

from pointsman.config import Settings
from pointsman.doctor import Result
from pointsman.doctor.broker import READ, WRITE, BrokerFacts, TopicFacts, judge_broker
from pointsman.sources.kafka.client import new_admin, new_client, new_reader
from pointsman.sources.kafka.group_rights_request import GroupRightsRequest
from pointsman.sources.kafka.metadata_request import TopicIdsRequest
from pointsman.sources.kafka.settings import KafkaCluster

_NAME = "pointsman-doctor"
#: seconds for each of the questions, and for the ends of partitions
_ANSWER, _ENDS = 4.0, 3.0
_TROUBLES = (KafkaError, OSError, TimeoutError, ValueError)


@dataclass(frozen=True, slots=True)
class ClusterUse:
    """One section that uses a cluster."""

    section: str
    cluster: KafkaCluster
    topics: tuple[str, ...]
    operation: int
    group: str = ""


async def examine_brokers(settings: Settings) -> AsyncIterator[Result]:
    """All clusters at once; nothing where none is configured."""
    for facts in await asyncio.gather(*map(examine_cluster, _uses(settings))):
        for result in judge_broker(facts):
            yield result


def _uses(settings: Settings) -> Iterator[ClusterUse]:
    for source in settings.sources.kafka:
        yield ClusterUse("sources.kafka", source, source.topics, READ, source.group_id)
    if settings.http.kafka is not None:
        yield ClusterUse("http.kafka", settings.http.kafka, (settings.http.kafka.topic,), WRITE)
    if settings.delivery_events is not None:
        events = settings.delivery_events
        yield ClusterUse("delivery_events", events, (events.topic,), WRITE)


async def examine_cluster(use: ClusterUse) -> BrokerFacts:
    """What its brokers tell of its topics and its group."""
    facts = BrokerFacts(
        use.section, ",".join(use.cluster.bootstrap_servers), {}, use.operation, use.group
    )
    try:
        topics = await asyncio.wait_for(_topics(use), _ANSWER)
    except _TROUBLES as error:
        return replace(facts, problem=str(error) or f"no answer within {_ANSWER:g} s")
    facts = replace(facts, topics=topics)
    if not use.group:
        return facts
    try:
        positions = await asyncio.wait_for(_positions(use), _ANSWER)
    except _TROUBLES as error:
        return replace(facts, group_error=type(error).__name__)
    places = {
        place: position
        for place, position in positions.items()
        if place.topic in topics and not topics[place.topic].error and position >= 0
    }
    refused, ends = await _ends(use, places)
    return replace(
        facts,
        topics={
            name: replace(topic, error=TopicAuthorizationFailedError.__name__)
            if name in refused
            else topic
            for name, topic in topics.items()
        },
        lag={
            (place.topic, place.partition): max(0, end - places[place])
            for place, end in ends.items()
        },
    )


async def _topics(use: ClusterUse) -> dict[str, TopicFacts]:
    client = new_client(use.cluster, _NAME)
    try:
        await client.bootstrap()
        node = client.get_random_node()
        if node is None:
            raise KafkaConnectionError("the cluster names no broker")
        answer = await client.send(node, TopicIdsRequest(use.topics, with_rights=True))
        return {
            name: TopicFacts(
                "" if for_code(error) is NoError else for_code(error).__name__,
                len(partitions),
                # a topic that is told of can be described at least: without that bit nobody said
                operations if operations > 0 else None,
            )
            for error, name, _, _, partitions, operations, *_ in answer.topics
        }
    finally:
        with contextlib.suppress(*_TROUBLES):
            await client.close()


async def _positions(use: ClusterUse) -> Mapping[TopicPartition, int]:
    """As the brokers know them; the store's, which count, are at most a second ahead.

    Raises `GroupAuthorizationFailedError`.
    """
    admin = new_admin(use.cluster, _NAME)
    try:
        await admin.start()
        offsets = await admin.list_consumer_group_offsets(use.group)
        if await _may_not_join(use):
            raise GroupAuthorizationFailedError(use.group)
        return {place: row.offset for place, row in offsets.items()}
    finally:
        with contextlib.suppress(*_TROUBLES):
            await admin.close()


async def _may_not_join(use: ClusterUse) -> bool:
    """Whether the brokers say that READ of the group is not allowed; older ones do not tell."""
    client = new_client(use.cluster, _NAME)
    try:
        await client.bootstrap()
        node = await client.coordinator_lookup(CoordinationType.GROUP, use.group)
        answer = await client.send(node, GroupRightsRequest(use.group))
        operations = [row[-1] for row in answer.groups]
    except (NotImplementedError, *_TROUBLES):
        return False
    finally:
        with contextlib.suppress(*_TROUBLES):
            await client.close()
    return any(bits > 0 and not bits >> READ & 1 for bits in operations)


async def _ends(
    use: ClusterUse, places: Mapping[TopicPartition, int]
) -> tuple[set[str], dict[TopicPartition, int]]:
    """Topics that may not be read, and the ends of partitions, as fetching from them tells."""
    if not places:
        return set(), {}
    refused: set[str] = set()
    reader = new_reader(use.cluster, _NAME)
    ends: dict[TopicPartition, int] = {}
    try:
        async with asyncio.timeout(_ENDS):
            await reader.start()
            reader.assign(list(places))
            for place, position in places.items():
                reader.seek(place, position)
            while len(ends) < len(places):
                with contextlib.suppress(OffsetOutOfRangeError):
                    await reader.getmany(timeout_ms=200, max_records=1)
                known = {place: reader.highwater(place) for place in places}
                ends = {place: end for place, end in known.items() if end is not None}
    except TopicAuthorizationFailedError as error:
        refused = {str(topic) for argument in error.args for topic in _names(argument)}
        refused = refused & {place.topic for place in places} or {place.topic for place in places}
    except _TROUBLES:
        pass
    finally:
        with contextlib.suppress(*_TROUBLES):
            await reader.stop()
    return refused, ends


def _names(argument: object) -> list[object]:
    return list(argument) if isinstance(argument, set | list | tuple) else [argument]
