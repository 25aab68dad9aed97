"""Learners who go through the emulator's courses: statements over HTTP and through Kafka.

It runs in pointsman's image, and needs nothing that is not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import random
import signal
import tomllib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import AIOKafkaProducer

_VERBS = "http://adlnet.gov/expapi/verbs/"
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
_CONTENT = "https://content.example.com"


def statement(
    email: str, verb: str, activity: str, result: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).isoformat(),
        "actor": {"mbox": f"mailto:{email}"},
        "verb": {"id": _VERBS + verb},
        "object": {"id": f"{_CONTENT}/{activity}"},
        **({"result": result} if result else {}),
    }


def walk(email: str, catalogue: dict[str, Any], chance: random.Random) -> Iterator[dict[str, Any]]:
    """One learner's way, without end: a course, its topics in steps, and the next course."""
    while True:
        course = chance.choice(catalogue["courses"])
        topics = [topic["id"] for lesson in course["lessons"] for topic in lesson["topics"]]
        for topic in topics:
            activity = topic.replace(f"{course['slug']}-", f"{course['slug']}/", 1)
            yield statement(email, "initialized", activity, None)
            for percent in range(20, 100, 20):
                yield statement(email, "progressed", activity, {"extensions": {_PROGRESS: percent}})
            yield statement(email, "completed", activity, {"completion": True})
        yield statement(email, "completed", course["slug"], {"completion": True})


async def send(asked: argparse.Namespace, catalogue: dict[str, Any]) -> None:
    """For ever: one in two by Kafka, where there is one. What is refused or fails is printed."""
    chance = random.Random(7)  # noqa: S311 - a demo's dice
    walks = [walk(learner["email"], catalogue, chance) for learner in catalogue["learners"]]
    producer = AIOKafkaProducer(bootstrap_servers=asked.kafka) if asked.kafka else None
    login = base64.b64encode(f"{asked.key}:{asked.secret}".encode()).decode()
    headers = {"X-Experience-API-Version": "1.0.3", "Authorization": f"Basic {login}"}
    async with contextlib.AsyncExitStack() as stack:
        if producer is not None:
            await producer.start()
            stack.push_async_callback(producer.stop)
        session = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        while True:
            made = next(chance.choice(walks))
            if producer is not None and chance.random() < 0.5:  # noqa: PLR2004 - a coin
                await producer.send_and_wait(
                    asked.topic, json.dumps(made).encode(), made["actor"]["mbox"].encode()
                )
            else:
                await post(session, f"{asked.url}/xapi/statements", made)
            await asyncio.sleep(chance.expovariate(asked.per_second))


async def post(session: aiohttp.ClientSession, url: str, made: dict[str, Any]) -> None:
    try:
        async with session.post(url, json=made) as answer:
            if not answer.ok:
                print(f"HTTP {answer.status}: {await answer.text()}", flush=True)
    except aiohttp.ClientError as error:
        print(f"{url}: {error}", flush=True)


async def until_stopped(sending: asyncio.Task[None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, sending.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await sending


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--key", default="player")
    parser.add_argument("--secret", default="player-secret")
    parser.add_argument("--kafka", help="HOST:PORT; without it all goes over HTTP")
    parser.add_argument("--topic", default="xapi.statements")
    parser.add_argument("--per-second", type=float, default=5)
    parser.add_argument("--catalogue", type=Path, default=Path("/etc/emulator/catalogue.toml"))
    asked = parser.parse_args()
    catalogue = tomllib.loads(asked.catalogue.read_text())

    async def run() -> None:
        await until_stopped(asyncio.ensure_future(send(asked, catalogue)))

    asyncio.run(run())


main()
