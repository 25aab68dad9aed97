"""A Kafka topic that is deleted and made anew while messages and posts go on coming.

Every message of the new topic and every 2xx is in the store exactly once, posts succeed all the
time, and /readyz names the topic while it is missing.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from demo.broker import Broker
from demo.processes import PATIENCE
from pointsman.sources.kafka.settings import KafkaSourceSettings
from tests.support.daemon_fleet import a_fleet, statement
from tests.support.fleet_load import SOON, Load, check, under_load
from tests.support.kafka_source import create, delete, until
from tests.support.random_traffic import Traffic
from tests.support.store_queries import list_statement_ids

LEARNERS = 6
PARTITIONS = 3
#: messages of the old topic that are read before it is deleted
OLD = 12
#: the first messages of the new one: they pass the stored places before anybody looks at them
MANY = 600


@dataclass(slots=True)
class Messages:
    """Statements that are written to the topic, as far as it is there. Use `messages_coming`."""

    topic: str
    producer: AIOKafkaProducer
    traffic: Traffic
    ids: set[str] = field(default_factory=set)

    async def keep_coming(self) -> None:
        while True:
            await self._write()
            await asyncio.sleep(0.02)

    async def many_at_once(self) -> None:
        """They wait for the topic, and are its first messages."""
        await asyncio.gather(*(self._write() for _ in range(MANY)))

    async def _write(self) -> None:
        change = self.traffic.next(0)
        made = statement(self.traffic.latest, change)
        self.ids.add(made["id"])
        with suppress(KafkaError):
            body, key = json.dumps(made).encode(), made["id"].encode()
            await self.producer.send_and_wait(self.topic, body, key)


@asynccontextmanager
async def messages_coming(settings: KafkaSourceSettings) -> AsyncIterator[Messages]:
    async with AIOKafkaProducer(
        bootstrap_servers=list(settings.bootstrap_servers), request_timeout_ms=5_000
    ) as producer:
        messages = Messages(settings.topics[0], producer, Traffic(LEARNERS, random.Random(99)))
        task = asyncio.create_task(messages.keep_coming())
        try:
            yield messages
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def ids_in(settings: KafkaSourceSettings) -> list[str]:
    """Of all messages that the topic has now, as a plain consumer reads them."""
    ids = []
    async with AIOKafkaConsumer(bootstrap_servers=list(settings.bootstrap_servers)) as consumer:
        places = [TopicPartition(settings.topics[0], number) for number in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_beginning()
        for place, end in (await consumer.end_offsets(places)).items():
            while await consumer.position(place) < end:
                records = await consumer.getmany(place, timeout_ms=1_000)
                ids += [json.loads(record.value)["id"] for record in records.get(place, ())]
    return ids


@pytest.mark.parametrize("is_missed", [False, True], ids=["at once", "after it was missed"])
def test_a_topic_made_anew_under_load_is_read_whole(
    tmp_path: Path, broker: Broker, *, is_missed: bool
) -> None:
    topic = f"anew-{uuid.uuid4().hex}"
    settings = KafkaSourceSettings(
        name="log", bootstrap_servers=tuple(broker.bootstrap.split(",")), topics=(topic,)
    )

    async def stored() -> list[str]:
        return await asyncio.to_thread(list_statement_ids, tmp_path / "pointsman.db")

    async def run() -> None:
        await create(settings)
        async with under_load(fleet) as load, messages_coming(settings) as messages:
            ids = messages.ids
            await until_stored(ids, OLD)
            assert not any(names_topic(words) for _, _, words in load.samples)
            await delete(settings)
            if is_missed:
                await named(load)
            waiting = asyncio.create_task(messages.many_at_once())
            await create(settings)
            await waiting
            before = len(ids.intersection(await stored()))
            await until_stored(ids, before + OLD)
            await until(lambda: not names_topic(load.samples[-1][2]))
            read_again = time.monotonic()
            await load.acknowledges(20)
        await judge(load, ids, read_again)

    def names_topic(words: str) -> bool:
        return f"topic {topic}: the topic does not exist" in words

    async def named(load: Load) -> None:
        """It is said that the topic is missing, as long as it is, and posts go on."""
        await until(lambda: names_topic(load.samples[-1][2]))
        first = len(load.samples) - 1
        await load.acknowledges(50)
        assert all(names_topic(words) for _, _, words in load.samples[first:])

    async def until_stored(ids: set[str], count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(ids.intersection(await stored())) < count:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)

    async def judge(load: Load, ids: set[str], read_again: float) -> None:
        new = await ids_in(settings)
        async with asyncio.timeout(PATIENCE):
            while not set(new) <= set(await stored()):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.1)
        of_both = ids.intersection(await stored())
        assert len(set(new)) > MANY // 2
        await check(load, fleet, stored, len(of_both))
        assert load.refused == []
        pause = longest_pause(load)
        assert pause < SOON
        assert {status for _, status, _ in load.samples} == {200}
        since = [words for at, _, words in load.samples if at >= read_again]
        assert not any(names_topic(words) for words in since)
        assert json.loads(since[-1])["details"] == {}
        print(  # noqa: T201
            f"{len(set(new))} messages of the new topic, {len(of_both)} of both and "
            f"{len(load.acknowledged)} posts are stored once; longest pause of posts {pause:.2f} s"
        )

    with a_fleet(tmp_path, LEARNERS, kafka=(broker.bootstrap, topic)) as fleet:
        asyncio.run(run())


def longest_pause(load: Load) -> float:
    """Seconds between two posts that were acknowledged."""
    times = sorted(load.acknowledged.values())
    return max(after - before for before, after in pairwise(times))
