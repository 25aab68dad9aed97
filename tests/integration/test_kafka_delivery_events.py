"""Each settled delivery on a topic, from a statement over HTTP to what a warehouse reads."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from demo.broker import Broker
from demo.processes import PATIENCE
from tests.support.running_daemon import running

RULES = """
[delivery_events]
bootstrap_servers = ["{servers}"]
topic = "{topic}"
source = "urn:example:pointsman"
[[rules]]
activity = "https://content.example.com/{{topic}}"
topic_id = "{{topic}}"
"""
ANA = "ana@example.com"


async def test_what_was_delivered_is_read_from_the_topic_as_a_cloud_event(
    tmp_path: Path, broker: Broker, topic: str
) -> None:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        rules = RULES.format(servers=broker.bootstrap, topic=topic)
        async with running(tmp_path, rules) as run:
            await run.say("completed", "https://content.example.com/topic_demo_1", ANA)
            message = await asyncio.wait_for(consumer.getone(), PATIENCE)
    finally:
        await consumer.stop()
    assert message.key == ANA.encode()
    assert dict(message.headers)["content-type"].startswith(b"application/cloudevents+json")
    event = json.loads(message.value)
    assert (event["specversion"], event["source"]) == ("1.0", "urn:example:pointsman")
    data = event["data"]
    assert (data["key"], data["value"], data["result"]) == ("topic_demo_1", "100", "delivered")
    assert (data["answer"], data["verdict"]) == ("answered", "done")
    assert data["latency_seconds"] > 0
