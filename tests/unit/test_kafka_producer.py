"""What becomes of a producer whose password changes: brokers forget the one that it has."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from pointsman.domain.errors import StoreUnavailable
from pointsman.sources.kafka import producer as kafka_producer
from pointsman.sources.kafka.producer import TopicProducer
from pointsman.sources.kafka.settings import KafkaTopicSettings
from tests.support.manual_clock import ManualClock

SETTINGS = KafkaTopicSettings(bootstrap_servers=("b:9092",), topic="statements")


@dataclass
class Cluster:
    """`knows` is the password that the brokers let in, and `given` the one of the settings."""

    knows: str = "first"
    given: str = "first"
    producers: list[Producer] = field(default_factory=list)


class Producer:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.password = cluster.given
        self.stopped = False
        self.sent: list[bytes] = []
        cluster.producers.append(self)

    async def start(self) -> None:
        self._log_in()

    async def stop(self) -> None:
        self.stopped = True

    async def send_and_wait(self, _topic: str, body: bytes, **_more: Any) -> None:
        self._log_in()
        self.sent.append(body)

    def _log_in(self) -> None:
        if self.password != self.cluster.knows:
            raise KafkaConnectionError("invalid credentials")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setattr(kafka_producer, "new_producer", lambda _settings: Producer(made))
    monkeypatch.setattr(kafka_producer, "current_password", lambda _security: made.given)
    return made


async def test_a_password_that_was_changed_is_used_once_the_former_is_refused(
    cluster: Cluster,
) -> None:
    writer = TopicProducer(SETTINGS, ManualClock(), "http.kafka", "posts get a 503 meanwhile")
    await writer.open()
    cluster.given = "second"
    await writer.write(b"one", [])
    assert len(cluster.producers) == 1  # the broker lets the former in as long as it knows it
    cluster.knows = "second"
    with pytest.raises(StoreUnavailable, match="invalid credentials"):
        await writer.write(b"two", [])
    for _ in range(50):  # it connects in the background
        await asyncio.sleep(0)
    assert not writer.problem
    await writer.write(b"three", [])
    former, now = cluster.producers
    assert former.stopped
    assert (former.sent, now.sent) == ([b"one"], [b"three"])
    await writer.close()


async def test_a_broker_that_is_away_is_waited_for_with_the_same_producer(
    cluster: Cluster,
) -> None:
    writer = TopicProducer(SETTINGS, ManualClock(), "http.kafka", "posts get a 503 meanwhile")
    await writer.open()
    cluster.knows = "away"
    with pytest.raises(StoreUnavailable):
        await writer.write(b"one", [])
    cluster.knows = "first"
    await writer.write(b"two", [])
    assert len(cluster.producers) == 1
    await writer.close()
