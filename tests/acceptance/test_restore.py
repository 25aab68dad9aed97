"""An older backup is put in the place of a store whose daemon was killed, and Kafka makes it up."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import uuid
from pathlib import Path

from aiokafka import AIOKafkaProducer

from demo.broker import Broker
from demo.processes import PATIENCE
from demo.traffic import make_topic
from pointsman.sources.kafka.settings import KafkaSourceSettings
from tests.support.daemon_fleet import Fleet, a_fleet, statement, verdict
from tests.support.kafka_source import committed
from tests.support.random_traffic import Traffic, executed
from tests.support.store_queries import list_statement_ids

LEARNERS = 6
PORTION = 150
PARTITIONS = 3


def db(fleet: Fleet, command: str, path: Path) -> None:
    config = str(fleet.replicas[0].config)
    subprocess.run(
        [sys.executable, "-m", "pointsman", "db", command, str(path), "--config", config],
        check=True,
        capture_output=True,
    )


async def messages(fleet: Fleet, traffic: Traffic) -> list[str]:
    """A portion of statements that are in the topic now; their ids."""
    assert fleet.kafka is not None
    ids = []
    async with AIOKafkaProducer(bootstrap_servers=fleet.kafka[0]) as producer:
        for number in range(PORTION):
            change = traffic.next(number)
            made = statement(traffic.latest, change)
            await fleet.produce(producer, made)
            ids.append(made["id"])
        await producer.flush()
    return ids


def test_after_the_restore_of_an_older_backup_kafka_goes_on_from_the_stores_place(
    tmp_path: Path, broker: Broker
) -> None:
    topic = f"restore-{uuid.uuid4().hex}"
    group = KafkaSourceSettings(
        name="log",
        bootstrap_servers=tuple(broker.bootstrap.split(",")),
        topics=(topic,),
        group_id=topic,
    )
    traffic = Traffic(LEARNERS, random.Random(3))
    store, backup = tmp_path / "pointsman.db", tmp_path / "backup.db"

    async def mutations() -> int:
        return len(list(executed((await fleet.state())["history"])))

    async def all_committed() -> int:
        return sum([await committed(group, number) or 0 for number in range(PARTITIONS)])

    async def until_committed(count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while await all_committed() < count:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.1)

    async def run() -> None:
        await make_topic(broker.bootstrap, topic, PARTITIONS)
        await fleet.log_in()
        replica = fleet.add()
        await fleet.ready(replica)
        ids = await messages(fleet, traffic)
        await fleet.drained(PORTION)
        await asyncio.to_thread(db, fleet, "backup", backup)

        ids += await messages(fleet, traffic)
        await fleet.drained(2 * PORTION)
        # the brokers know of all of it, and would skip what the backup lacks
        await until_committed(2 * PORTION)
        replica.process.kill()
        replica.process.wait()
        delivered = await mutations()
        await asyncio.to_thread(db, fleet, "restore", backup)
        assert sorted(list_statement_ids(store)) == sorted(ids[:PORTION])

        fleet.restart(replica)
        await fleet.ready(replica)
        await fleet.drained(2 * PORTION)
        again = await mutations() - delivered
        assert again, "what was delivered since the backup goes out once more"
        assert verdict(await fleet.state(), traffic) == []

        ids += await messages(fleet, traffic)
        books = await fleet.drained(3 * PORTION)
        assert books["balanced"], books
        assert books["inputs"]["accepted"] == 3 * PORTION
        assert sorted(list_statement_ids(store)) == sorted(ids)
        assert verdict(await fleet.state(), traffic) == []
        print(f"{len(ids)} messages are stored once, {again} deliveries repeated")  # noqa: T201

    with a_fleet(tmp_path, LEARNERS, kafka=(broker.bootstrap, topic)) as fleet:
        asyncio.run(run())
