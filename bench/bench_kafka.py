"""Kafka intake, beside a bare getmany loop on the same topic and beside batches over HTTP.

`python -m bench.bench_kafka`. Each round has a topic of its own, which each of them reads as a new
group. What is read is validated, mapped, merged and committed. CPU is of the process that reads,
and counts from the first commits to the last, so that joining the group is not in it. Learners are
known from earlier rounds, or each is new to a new store. Batches of 100 are posted to a daemon on
SQLite, which knows its learners too.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
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
from pointsman.process import tune_interpreter
from pointsman.sources.kafka.source import KafkaSource
from pointsman.store.sqlite import SqliteStore

_ROUNDS, _STATEMENTS, _LEARNERS, _PARTITIONS = 5, 9_600, 500, 3
#: statements of a round that are read before it counts
_BEFORE = 1_600
#: seconds for a round, however busy the machine is
_PATIENCE = 120.0
_BARE, _KAFKA, _HTTP = "bare getmany loop", "Kafka intake", "batches of 100 over HTTP"
_NEW = "Kafka intake, each learner new"
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


def _topic(number: int) -> str:
    return f"bench-{number}"


async def _fill(bootstrap: str) -> None:
    """A topic for each round, with the statements that are posted over HTTP too."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    rounds = range(_ROUNDS + 1)
    await admin.create_topics([NewTopic(_topic(number), _PARTITIONS, 1) for number in rounds])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20) as producer:
        for number in rounds:
            job = _job(0, number)
            for place in range(_STATEMENTS):
                body = json.dumps(statement(job, place, "")).encode()
                await producer.send(_topic(number), body, partition=place % _PARTITIONS)
            await producer.flush()


class _Meter:
    """CPU of this process and time, from `_BEFORE` statements on until all are done."""

    def __init__(self) -> None:
        self.done = 0
        self._began: tuple[float, float, int] | None = None

    def count(self, statements: int) -> bool:
        """Whether these were the last."""
        self.done += statements
        if self._began is None and self.done >= _BEFORE:
            self._began = time.process_time(), time.perf_counter(), self.done
        return self.done == _STATEMENTS

    def taken(self) -> tuple[float, float]:
        """Microseconds of CPU, and of time, for each statement. To be asked at the last one."""
        if self._began is None:
            raise RuntimeError("nothing was read")
        cpu, began, before = self._began
        each = 1e6 / (_STATEMENTS - before)
        return (time.process_time() - cpu) * each, (time.perf_counter() - began) * each


async def _bare(bootstrap: str, topic: str) -> tuple[float, float]:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=uuid.uuid4().hex,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    meter, is_last = _Meter(), False
    while not is_last:
        records = await consumer.getmany(timeout_ms=1_000, max_records=1_000)
        is_last = meter.count(sum(map(len, records.values())))
    taken = meter.taken()
    await consumer.stop()
    return taken


async def _intake(settings: Settings, store: SqliteStore) -> tuple[float, float]:
    """Read until each statement is committed."""
    meter = _Meter()
    taken: asyncio.Future[tuple[float, float]] = asyncio.get_running_loop().create_future()

    def on_receipts(submissions: Sequence[Submission], _receipts: Sequence[Receipt]) -> None:
        statements = sum(len(submission.items) for submission in submissions)
        if statements and meter.count(statements):
            taken.set_result(meter.taken())

    intake = wiring.pipeline(settings, store, _CLOCK, on_receipts)
    kafka = settings.sources.kafka[0]
    source = KafkaSource(kafka, intake, store.claim, _CLOCK, read_ahead=0)  # as wired for SQLite
    task = asyncio.create_task(source.run())
    async with asyncio.timeout(_PATIENCE):  # a statement that is refused is never committed
        result = await taken
    await source.stop()
    await task
    return result


async def _kafka(folder: Path, file: str, bootstrap: str, topic: str) -> tuple[float, float]:
    """A round as a new group, into the store of this name."""
    group = uuid.uuid4().hex
    config = folder / f"{group}.toml"
    config.write_text(_CONFIG.format(bootstrap=bootstrap, topic=topic, group=group))
    store = SqliteStore(folder / file)
    await store.open()
    try:
        return await _intake(load(config), store)
    finally:
        await store.close()


def main() -> None:
    taken: dict[str, list[tuple[float, float]]] = {_BARE: [], _KAFKA: [], _NEW: [], _HTTP: []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bootstrap = stack.enter_context(start_broker()).bootstrap
        pid, port = stack.enter_context(daemon(folder, "sqlite:///bench.db"))
        tune_interpreter()
        uvloop.run(_fill(bootstrap))
        for number in range(_ROUNDS + 1):
            topic, new = _topic(number), f"new-{number}.db"
            seconds = {
                _BARE: uvloop.run(_bare(bootstrap, topic)),
                _KAFKA: uvloop.run(_kafka(folder, "known.db", bootstrap, topic)),
                _NEW: uvloop.run(_kafka(folder, new, bootstrap, topic)),
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
