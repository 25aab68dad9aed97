"""Replicas at full load: more to send than the quota allows, from HTTP and from Kafka."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiokafka import AIOKafkaProducer

from demo.processes import free_port, pointsman
from demo.traffic import make_topic
from tests.support.change_factory import change, topic
from tests.support.daemon_fleet import KEY, Fleet, a_fleet, statement, write_catalogue
from tests.support.random_traffic import TOPICS, Traffic, differences

#: the part of the quota that must be used while there is work
_ENOUGH = 0.97
LEARNERS = 100
REQUESTS = 600
#: statements a second, several times what the quota lets through
_RATE = 40.0
#: seconds until the replicas use the whole quota
_WARM_UP = 8.0
#: the part of the time that a replica may be ready to run and wait for a processor; where it is
#: more, other programs have the processors, and the measurement says nothing about the replicas
_STARVED = 0.05
#: how often a measurement that other programs disturbed is made again
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured. `used` is the part of the quota's requests while there was work."""

    seconds: float
    requests: int
    used: float
    rejected: int
    least_dirty: int
    statements: int
    wrong: list[str]
    balanced: bool

    def __str__(self) -> str:
        return (
            f"{self.seconds:.0f} s at full load: {self.statements} statements, {self.requests} "
            f"requests, {self.used:.1%} of the quota, {self.rejected} answered 429, never fewer "
            f"than {self.least_dirty} dirty; {len(self.wrong)} targets wrong in the end, books "
            f"{'balance' if self.balanced else 'DO NOT balance'}"
        )

    @property
    def holds(self) -> bool:
        return (
            self.used >= _ENOUGH
            and not self.rejected
            and not self.wrong
            and self.least_dirty > 0
            and self.balanced
        )


def full_load(folder: Path, store: str, broker: str, seconds: float, replicas: int = 3) -> Load:
    """Run it; the store's database and the broker are there already."""
    topic = f"load-{uuid.uuid4().hex}"
    asyncio.run(make_topic(broker, topic))
    data = folder / "platform.db"
    # the logins come from a platform with room for them, and its tokens outlive it
    port = free_port()
    write_catalogue(folder / "catalogue.toml", LEARNERS)
    with pointsman(
        [
            *("emulate", "--port", str(port), "--api-key", KEY, "--data", str(data)),
            *("--catalogue", str(folder / "catalogue.toml"), "--token-ttl", "86400"),
        ],
        folder / "emulator.log",
        f"http://127.0.0.1:{port}/emulator/state",
    ):
        asyncio.run(Fleet(folder, f"http://127.0.0.1:{port}", LEARNERS, {}).log_in())
    kept = (folder / "tokens.json").read_bytes()
    with a_fleet(
        folder,
        LEARNERS,
        store=store,
        requests=REQUESTS,
        share=1.0,
        interval=0,
        lease=60,
        timeout=30,
        kafka=(broker, topic),
        emulate=("--data", str(data), "--token-ttl", "86400"),
    ) as fleet:
        (folder / "tokens.json").write_bytes(kept)
        for _ in range(replicas):
            fleet.add()
        return asyncio.run(_run(fleet, seconds))


async def _run(fleet: Fleet, seconds: float) -> Load:
    await asyncio.gather(*(fleet.ready(one) for one in fleet.replicas))
    traffic = Traffic(LEARNERS, random.Random(1))
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_send(fleet, traffic, enough))
        await asyncio.sleep(_WARM_UP)
        for _ in range(_ATTEMPTS):
            before, started = (await fleet.state())["totals"], time.monotonic()
            waited_before = _waited_for_processor(fleet)
            least = await _watch(fleet, started + seconds)
            after, ended = (await fleet.state())["totals"], time.monotonic()
            requests = after["requests"] - before["requests"]
            used = requests / ((ended - started) * REQUESTS / 60)
            waited = [
                now - then
                for then, now in zip(waited_before, _waited_for_processor(fleet), strict=True)
            ]
            if used >= _ENOUGH or max(waited) <= _STARVED * (ended - started):
                break
        enough.set()
    books = await fleet.drained(traffic.count, patience=480)
    state = await fleet.state()
    return Load(
        ended - started,
        requests,
        used,
        state["totals"]["rejected_429"],
        least,
        traffic.count,
        differences(state["learners"], traffic.expected),
        books["balanced"],
    )


async def _send(fleet: Fleet, traffic: Traffic, enough: asyncio.Event) -> None:
    """Topics that move by one per cent at a time, until it is enough."""
    assert fleet.kafka is not None
    async with (
        aiohttp.ClientSession() as session,
        AIOKafkaProducer(bootstrap_servers=fleet.kafka[0]) as producer,
        asyncio.TaskGroup() as group,
    ):
        while not enough.is_set():
            number = traffic.count
            who, rest = number % LEARNERS, number // LEARNERS
            email, name, value = f"l{who}@example.com", f"t{rest % TOPICS}", 1 + rest // TOPICS
            traffic.count += 1
            traffic.expected[email, "topic", name] = value
            said = statement(email, change(email, topic(name), value))
            if number % 2:
                group.create_task(fleet.post(session, said))
            else:
                await fleet.produce(producer, said)
            await asyncio.sleep(1 / _RATE)


def _waited_for_processor(fleet: Fleet) -> list[float]:
    """Seconds of each replica since its start; all 0 where the system does not count them."""
    files = [Path(f"/proc/{replica.process.pid}/schedstat") for replica in fleet.replicas]
    return [int(file.read_text().split()[1]) / 1e9 if file.exists() else 0.0 for file in files]


async def _watch(fleet: Fleet, until: float) -> int:
    """The least that was dirty at any moment."""
    least = 10**9
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < until:
            async with session.get(f"{fleet.replicas[0].url}/metrics") as answer:
                page = await answer.text()
            dirty = sum(
                float(line.rpartition(" ")[2])
                for line in page.splitlines()
                if line.startswith("pointsman_desired{") and 'state="dirty"' in line
            )
            least = min(least, int(dirty))
            await asyncio.sleep(1)
    return least
