"""The broker that the Kafka tests of one run share, and a fresh topic for each test."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from demo.apache_kafka import KafkaServer, Unavailable, own_kafka
from demo.broker import Broker, start_broker
from tests.support import server_report

PARTITIONS = 3


@pytest.fixture(scope="session")
def broker(pytestconfig: pytest.Config) -> Iterator[Broker]:
    with ExitStack() as stack:
        try:
            started = stack.enter_context(start_broker())
        except RuntimeError as reason:
            pytest.skip(f"needs a Kafka broker: {reason}")
        server_report.note(pytestconfig, f"Kafka broker: {started.kind}")
        yield started


@pytest.fixture
def own_kafka_server() -> Iterator[KafkaServer]:
    """A broker that nobody else uses, which the test may end and start again."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(own_kafka())
        except Unavailable as reason:
            pytest.skip(f"needs Apache Kafka: {reason}")
        yield server


@pytest_asyncio.fixture
async def topic(broker: Broker) -> AsyncIterator[str]:
    """A new topic with three partitions."""
    name = f"lessons-{uuid.uuid4().hex[:12]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.create_topics(
            [NewTopic(name=name, num_partitions=PARTITIONS, replication_factor=1)]
        )
        yield name
    finally:
        await admin.close()
