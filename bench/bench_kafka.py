"""Kafka intake, beside a bare getmany loop on the same topic and beside batches over HTTP.

`python -m bench.bench_kafka`. Each round reads the whole topic, as a new group into a new store:
what is read is validated, mapped, merged and committed. CPU is of the process that reads, from the
start of its consumer to the last commit. Batches of 100 are posted to a daemon on SQLite.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.bench_http import PLAYER, daemon, measure
from bench.post_load import Job, statement
from bench.results import Spread, record
from demo.broker import start_broker
from pointsman import wiring
from pointsman.config import Settings, load
from pointsman.domain.clock import SystemClock
from pointsman.domain.records import Receipt, Submission
from pointsman.sources.kafka.source import KafkaSource
from pointsman.store.sqlite import SqliteStore

_ROUNDS, _STATEMENTS, _LEARNERS, _PARTITIONS = 5, 6_400, 500, 3
_TOPIC = "bench"
#: seconds for a round, however busy the machine is
_PATIENCE = 120.0
_BARE, _KAFKA, _HTTP = "bare getmany loop", "Kafka intake", "batches of 100 over HTTP"
_CLOCK = SystemClock()
_CONFIG = """
allow_weak_secrets = true
[platform]
url = "http://127.0.0.1:1"
api_key = "key"
[[sources.kafka]]
name = "lessons"
bootstrap_servers = ["{bootstrap}"]
topics = ["{topic}"]
group_id = "{group}"
[learners.tokens]
inline = {{ "ana@example.com" = "token" }}
[[rules]]
activity = "https://content.example.com/{{course}}/{{topic}}"
topic_id = "topic_{{topic}}"
course_slug = "{{course}}"
"""


def _job(port: int, number: int) -> Job:
    senders = [(PLAYER, "")]
    return Job(port, _STATEMENTS, 100, 32, senders, _LEARNERS, "known", number)


async def _fill(bootstrap: str) -> None:
    """Make the topic, with the statements that are posted over HTTP too."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(_TOPIC, _PARTITIONS, 1)])
    await admin.close()
    job = _job(0, 0)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20) as producer:
        for number in range(_STATEMENTS):
            body = json.dumps(statement(job, number, "")).encode()
            await producer.send(_TOPIC, body, partition=number % _PARTITIONS)
        await producer.flush()


async def _bare(bootstrap: str) -> None:
    consumer = AIOKafkaConsumer(
        _TOPIC,
        bootstrap_servers=bootstrap,
        group_id=uuid.uuid4().hex,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    left = _STATEMENTS
    while left:
        records = await consumer.getmany(timeout_ms=1_000, max_records=1_000)
        left -= sum(map(len, records.values()))
    await consumer.stop()


async def _intake(settings: Settings, store: SqliteStore) -> None:
    """Read until each statement is committed."""
    committed, all_committed = 0, asyncio.Event()

    def on_receipts(submissions: Sequence[Submission], _receipts: Sequence[Receipt]) -> None:
        nonlocal committed
        committed += sum(len(submission.items) for submission in submissions)
        if committed == _STATEMENTS:
            all_committed.set()

    intake = wiring.pipeline(settings, store, _CLOCK, on_receipts)
    source = KafkaSource(settings.sources.kafka[0], intake, store.claim, _CLOCK)
    task = asyncio.create_task(source.run())
    async with asyncio.timeout(_PATIENCE):  # a statement that is refused is never committed
        await all_committed.wait()
    await source.stop()
    await task


async def _measured(job: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Microseconds of CPU of this process, and of time, for each statement."""
    cpu, began = time.process_time(), time.perf_counter()
    await job()
    cpu, taken = time.process_time() - cpu, time.perf_counter() - began
    return cpu * 1e6 / _STATEMENTS, taken * 1e6 / _STATEMENTS


async def _kafka(folder: Path, bootstrap: str) -> tuple[float, float]:
    """A round as a new group, into a new store."""
    group = uuid.uuid4().hex
    config = folder / f"{group}.toml"
    config.write_text(_CONFIG.format(bootstrap=bootstrap, topic=_TOPIC, group=group))
    settings = load(config)
    store = SqliteStore(folder / f"{group}.db")
    await store.open()
    try:
        return await _measured(lambda: _intake(settings, store))
    finally:
        await store.close()


def main() -> None:
    taken: dict[str, list[tuple[float, float]]] = {_BARE: [], _KAFKA: [], _HTTP: []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bootstrap = stack.enter_context(start_broker()).bootstrap
        pid, port = stack.enter_context(daemon(folder, "sqlite:///bench.db"))
        sys.setswitchinterval(0.0005)
        uvloop.run(_fill(bootstrap))
        for number in range(_ROUNDS + 1):
            seconds = {
                _BARE: uvloop.run(_measured(lambda: _bare(bootstrap))),
                _KAFKA: uvloop.run(_kafka(folder, bootstrap)),
                _HTTP: measure(pid, _job(port, number)),
            }
            if number:  # the first one warms up
                for name, each in seconds.items():
                    taken[name].append(each)
    for place, unit in enumerate(("CPU", "time")):
        record(
            f"Kafka intake, SQLite: {unit} of a statement",
            _BARE,
            {name: Spread.of([each[place] for each in rounds]) for name, rounds in taken.items()},
            command="python -m bench.bench_kafka",
        )


if __name__ == "__main__":
    main()
