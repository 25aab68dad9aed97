"""A Kafka source under test: an intake and store in memory, and what a test does to the topic."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

from demo.processes import PATIENCE
from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.log_positions import UNREAD, Position
from pointsman.domain.records import DeadLetter, Receipt, Submission
from pointsman.sources.batch import LogMessage
from pointsman.sources.kafka.hooks import KafkaHooks
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka.source import READ_AHEAD, KafkaSource
from pointsman.sources.kafka.topic_logs import TopicLogs


class Memory:
    """Intake and store: several sources may share it, as they share a database."""

    def __init__(self) -> None:
        self.stored: list[Submission] = []
        self.origins: list[str] = []
        self.kept: dict[tuple[str, int], Position] = {}
        self.tokens: Counter[tuple[str, int]] = Counter()
        self.fenced = 0
        self.out = False
        #: calls that fail before the next one that does not
        self.outages = 0
        self.refused = 0
        self.slow = asyncio.Event()
        self.slow.set()
        self.lag: dict[int, int] = {}
        self.paused: list[bool] = []
        self.problems: list[Mapping[str, str]] = []
        self.resets: list[str] = []
        self.assigned: frozenset[tuple[str, int]] = frozenset()

    async def prepare(self, bodies: Iterable[bytes]) -> None:
        """There are no launches to know."""

    @property
    def bodies(self) -> list[bytes]:
        return [one.body for one in self.stored]

    @property
    def letters(self) -> list[DeadLetter]:
        return [letter for one in self.stored for letter in one.dead]

    def read_messages(self, messages: Sequence[LogMessage]) -> list[Submission]:
        return [self._read(message) for message in messages]

    def _read(self, message: LogMessage) -> Submission:
        self.origins.append(message.origin)
        return Submission(
            message.source, message.body, 0, (), (), message.position, all_or_nothing=False
        )

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        await self.slow.wait()
        if self.out or self.outages:
            self.outages = max(0, self.outages - 1)
            self.refused += 1
            raise StoreUnavailable
        return [self._receipt(one) for one in submissions]

    def _receipt(self, one: Submission) -> Receipt:
        if (at := one.position) is not None:
            if at.token != self.tokens[at.topic, at.partition]:
                self.fenced += 1
                return Receipt({}, fenced=True)
            known = self.kept.get((at.topic, at.partition))
            self.kept[at.topic, at.partition] = at
            last_record = int(at.last_record.split()[0]) if at.last_record else None
            if last_record != at.offset - 1 or (known and known.offset == at.offset):
                return Receipt({})  # a place that is settled without a message
        self.stored.append(one)
        return Receipt({})

    async def claim(self, group: str, places: Sequence[tuple[str, int]]) -> list[Position]:
        if self.out:
            raise StoreUnavailable
        claimed = []
        for place in places:
            self.tokens[place] += 1
            kept = self.kept.get(place)
            if kept is None or kept.group != group:
                kept = Position(group, *place, UNREAD)
            claimed.append(replace(kept, token=self.tokens[place]))
        return claimed

    def settled(self, topic: str, partition: int = 0) -> int | None:
        """The stored place of a partition, None where there is none."""
        kept = self.kept.get((topic, partition))
        return None if kept is None else kept.offset

    def hooks(self) -> KafkaHooks:
        def on_lag(_: str, partition: int, lag: int) -> None:
            self.lag[partition] = lag

        def on_assigned(partitions: frozenset[tuple[str, int]]) -> None:
            self.assigned = partitions

        return KafkaHooks(
            on_lag=on_lag,
            on_paused=self.paused.append,
            on_assigned=on_assigned,
            on_problems=self.problems.append,
            on_reset=lambda _, reason: self.resets.append(reason),
        )


@contextlib.asynccontextmanager
async def running(
    settings: KafkaSourceSettings, memory: Memory, read_ahead: int = READ_AHEAD
) -> AsyncIterator[KafkaSource]:
    source = KafkaSource(settings, memory, memory.claim, SystemClock(), memory.hooks(), read_ahead)
    task = asyncio.create_task(source.run())
    try:
        yield source
    finally:
        await source.stop()
        await source.stop()
        await asyncio.wait_for(task, PATIENCE)


async def send(settings: KafkaSourceSettings, *values: bytes | None, partition: int = 0) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=list(settings.bootstrap_servers), max_request_size=64 * 1024 * 1024
    ) as producer:
        for value in values:
            await producer.send_and_wait(settings.topics[0], value, key=b"key", partition=partition)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nobody sets an event for it
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def group_member(settings: KafkaSourceSettings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer outside of the group's rebalancing, to see and set what it committed."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=list(settings.bootstrap_servers),
        group_id=settings.group_id,
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(settings.topics[0], part) for part in range(3)])
        yield consumer
    finally:
        await consumer.stop()


async def committed(settings: KafkaSourceSettings, partition: int) -> int | None:
    async with group_member(settings) as consumer:
        offset: int | None = await consumer.committed(TopicPartition(settings.topics[0], partition))
        return offset


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [f"message {number}".encode() for number in range(start, start + count)]


@contextlib.asynccontextmanager
async def admin(settings: KafkaSourceSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=list(settings.bootstrap_servers))
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def create(
    settings: KafkaSourceSettings, partitions: int = 3, configs: dict[str, str] | None = None
) -> None:
    """Make the source's topic, and wait until the cluster tells of it."""
    topic = settings.topics[0]
    async with admin(settings) as client:
        await client.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs or {})])
    await _until_cluster_says(settings, lambda there: there == partitions)


async def delete(settings: KafkaSourceSettings) -> None:
    """Delete the source's topic, and wait until the cluster knows it no longer."""
    async with admin(settings) as client:
        await client.delete_topics([settings.topics[0]])
    await _until_cluster_says(settings, lambda there: there == 0)


async def grow(settings: KafkaSourceSettings, partitions: int) -> None:
    async with admin(settings) as client:
        await client.create_partitions({settings.topics[0]: NewPartitions(partitions)})
    await _until_cluster_says(settings, lambda there: there == partitions)


async def _until_cluster_says(
    settings: KafkaSourceSettings, condition: Callable[[int], bool]
) -> None:
    topic, logs = settings.topics[0], TopicLogs(settings)
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition((await logs.read([topic]))[topic].partitions):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        await logs.close()
