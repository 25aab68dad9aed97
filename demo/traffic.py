"""The demo's input, and what must come of it.

What must come of it is worked out here from the raw JSON, and shares no code with pointsman, so
that the two can't be wrong together.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from demo.scenario import HEARTBEAT_COURSE, HEARTBEAT_TOPICS, PLAYER_TOPIC

RECORDINGS = Path(__file__).parent.parent / "tests" / "data" / "players"
_ADL = "http://adlnet.gov/expapi/verbs/"
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"

#: (learner, topic) -> percent
Expected = dict[tuple[str, str], int]


def recorded_requests(folder: Path = RECORDINGS) -> Iterator[dict[str, Any]]:
    """The statement requests of real players that had good credentials and no injected fault."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            headers = {name.lower(): value for name, value in row["headers"]}
            if (
                row["path"].endswith("/statements")
                and row["method"] in {"POST", "PUT"}
                and not row.get("fault_injected")
                and headers.get("content-type", "").startswith("application/json")
                and headers.get("authorization") not in {None, "Basic Og==", "Basic undefined"}
            ):
                yield row


async def replay(
    url: str, expected: Expected, on_statement: Callable[[int], None], *, patience: float = 0.0
) -> list[str]:
    """Send the recordings as they were sent; returns what the daemon answered oddly.

    With `patience` a request without an answer is repeated for so many seconds.
    """
    odd: list[str] = []
    async with aiohttp.ClientSession() as session:
        for row in recorded_requests():
            status, text = await _send(session, url, row, patience)
            # a POST that was repeated after a lost answer finds its statements stored: 204
            wanted = {204} if row["method"] == "PUT" else {200, 204}
            if status not in wanted:
                odd.append(f"{row['step']}: HTTP {status}: {text}")
                continue
            body = json.loads(row["body"])
            statements = body if isinstance(body, list) else [body]
            for statement in statements:
                _note(statement, expected)
            on_statement(len(statements))
    return odd


async def _send(
    session: aiohttp.ClientSession, url: str, row: dict[str, Any], patience: float
) -> tuple[int, str]:
    kept = ("authorization", "content-type", "x-experience-api-version")
    headers = {name: value for name, value in row["headers"] if name.lower() in kept}
    query = f"?{row['query']}" if row["query"] else ""
    give_up_at = time.monotonic() + patience
    while True:
        try:
            async with session.request(
                row["method"], f"{url}{row['path']}{query}", headers=headers, data=row["body"]
            ) as answer:
                return answer.status, await answer.text()
        except aiohttp.ClientError:
            if time.monotonic() > give_up_at:
                raise
            await asyncio.sleep(0.1)


def _note(statement: dict[str, Any], expected: Expected) -> None:
    if statement["object"].get("id") != "http://example.com/course/1":
        return
    if statement["object"].get("objectType", "Activity") != "Activity":
        return
    actor = statement["actor"]
    learner = (
        actor["mbox"].removeprefix("mailto:")
        if "mbox" in actor
        else actor["account"]["name"] + "@example.com"
    )
    result = statement.get("result", {})
    verb = statement["verb"]["id"].rsplit("/", 1)[-1]
    percent = result.get("extensions", {}).get(_PROGRESS)
    if result.get("completion", verb in {"completed", "passed"}):
        percent = 100
    if percent is not None:
        key = (learner, PLAYER_TOPIC)
        expected[key] = max(expected.get(key, 0), int(percent))


def heartbeats(
    learners: list[str], beats: int, dice: random.Random
) -> tuple[list[bytes], Expected]:
    """Kafka messages: learners go on through the topics, out of order and some of them twice."""
    messages: list[bytes] = []
    expected: Expected = {}
    start = datetime.now(UTC) - timedelta(minutes=30)
    for learner in learners:
        for topic in HEARTBEAT_TOPICS:
            percent = 0
            for beat in range(beats):
                percent = min(100, percent + dice.randint(0, 200 // beats))
                complete = percent == 100
                statement = {
                    "id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
                    "timestamp": (start + timedelta(seconds=beat)).isoformat(),
                    "actor": {"mbox": f"mailto:{learner}"},
                    "verb": {"id": _ADL + ("completed" if complete else "progressed")},
                    "object": {
                        "id": f"https://content.example.com/{HEARTBEAT_COURSE}/"
                        + topic.removeprefix(f"{HEARTBEAT_COURSE}-")
                    },
                    "result": {"completion": True}
                    if complete
                    else {"extensions": {_PROGRESS: percent}},
                }
                messages.append(json.dumps(statement).encode())
                expected[learner, topic] = max(expected.get((learner, topic), 0), percent)
    messages += dice.sample(messages, len(messages) // 50)
    # shuffled within reach, as retries and partitions do
    order = sorted(range(len(messages)), key=lambda place: place % (beats * 4) + dice.random() * 3)
    return [messages[place] for place in order], expected


async def make_topic(bootstrap: str, topic: str, partitions: int = 3) -> None:
    """Create the topic; brokers of any care do not make one up."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1)])
    finally:
        await admin.close()


async def produce(
    bootstrap: str,
    topic: str,
    messages: list[bytes],
    seconds: float,
    on_message: Callable[[int], None],
) -> None:
    """Send them over about so many seconds."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20)
    await producer.start()
    try:
        portion = max(1, int(len(messages) / (seconds * 10)))
        for start in range(0, len(messages), portion):
            batch = messages[start : start + portion]
            sent = [await producer.send(topic, message) for message in batch]
            await asyncio.gather(*sent)
            on_message(len(batch))
            await asyncio.sleep(0.1)
    finally:
        await producer.stop()
