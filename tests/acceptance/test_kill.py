"""SIGKILL in the middle of the demo's traffic, at any moment: nothing is lost or left over."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import aiohttp
import pytest

from demo import readback, traffic, view
from demo.broker import Broker
from demo.processes import PATIENCE, free_port, pointsman, start, stop
from demo.scenario import (
    API_KEY,
    PLAYERS,
    Ports,
    learners,
    write_catalogue,
    write_config,
    write_tokens,
)
from tests.support.thoroughness import thorough

LEARNERS = 30
SECONDS = 4.0
SHORT = "session_timeout_seconds = 2"


#: seconds into the traffic
MOMENTS = thorough([0.1, 0.4, 0.8, 1.2, 1.6, 2.0, 2.5, 3.0, 3.6, 4.4], otherwise=[0.1, 1.6, 3.6])


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda at: f"{at}s")
def test_killed_in_mid_traffic_and_restarted_the_platform_has_it_all_and_the_books_balance(
    moment: float, broker: Broker, tmp_path: Path
) -> None:
    ports = Ports(free_port(), free_port())
    platform = f"http://127.0.0.1:{ports.emulator}"
    daemon = f"http://127.0.0.1:{ports.daemon}"
    topic = f"kill-{uuid.uuid4().hex}"
    emails = learners(LEARNERS)
    config = tmp_path / "pointsman.toml"
    log = tmp_path / "daemon.log"
    write_catalogue(tmp_path / "catalogue.toml", emails)
    write_config(config, ports, broker.bootstrap, topic)
    # the dead daemon keeps its seat in the consumer group for so long
    config.write_text(config.read_text().replace("session_timeout_seconds = 6", SHORT))
    emulate = ["emulate", "--port", str(ports.emulator), "--api-key", API_KEY]
    run = ["run", "--config", str(config)]
    with pointsman(
        [*emulate, "--catalogue", str(tmp_path / "catalogue.toml")],
        tmp_path / "emulator.log",
        f"{platform}/emulator/state",
    ):
        asyncio.run(traffic.make_topic(broker.bootstrap, topic))
        tokens = asyncio.run(readback.log_in(f"{platform}/helium", emails))
        write_tokens(tmp_path / "tokens.json", tokens)
        process = start(run, log, f"{daemon}/readyz")
        try:

            async def traffic_and_kill() -> traffic.Expected:
                nonlocal process
                names = [name for name in emails if name.startswith("heartbeat")]
                messages, expected = traffic.heartbeats(names, 8, random.Random(moment))
                posted = 0

                def count(number: int) -> None:
                    nonlocal posted
                    posted += number

                players = asyncio.create_task(
                    traffic.replay(daemon, expected, count, patience=PATIENCE)
                )
                kafka = asyncio.create_task(
                    traffic.produce(broker.bootstrap, topic, messages, SECONDS, lambda _: None)
                )
                await asyncio.sleep(moment)
                process.send_signal(signal.SIGKILL)
                process.wait()
                process = await asyncio.to_thread(start, run, log, f"{daemon}/readyz")
                assert await players == []
                await kafka
                # the recordings hold one statement twice
                await _until_delivered(daemon, config, len(set(messages)) + posted - 1)
                return expected

            expected = asyncio.run(traffic_and_kill())
            rows = asyncio.run(readback.compare(platform, tokens, expected))
            books = _verify(config)
        finally:
            code = stop(process)
    assert [row for row in rows if not row.agrees] == []
    assert len(rows) == LEARNERS + 3
    assert books["balanced"], books
    assert books["inputs"]["dead"] == 0
    assert code == 0
    logged = log.read_text(encoding="utf-8")
    secrets = [API_KEY, PLAYERS["cmi5key"], *tokens.values()]
    assert [secret for secret in secrets if secret in logged] == []


async def _until_delivered(daemon: str, config: Path, statements: int) -> None:
    """Until so many different statements are in the books, and all state is on the platform."""
    deadline = time.monotonic() + PATIENCE
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < deadline:
            numbers = await view.read_metrics(session, daemon)
            # a POST without an id that had to be repeated may count once more, so ask the lag too
            if not (numbers["pointsman_desired:dirty"] or numbers["pointsman_kafka_lag"]):
                books = await asyncio.to_thread(_verify, config)
                if books["inputs"]["accepted"] >= statements and not books["desired"]["dirty"]:
                    return
            await asyncio.sleep(0.3)
    pytest.fail(f"not delivered after {PATIENCE} s: {_verify(config)}")


def _verify(config: Path) -> dict[str, dict[str, int]]:
    done = subprocess.run(
        [sys.executable, "-m", "pointsman", "verify", "--json", "--config", str(config)],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    books: dict[str, dict[str, int]] = json.loads(done.stdout)
    return books
