"""Deliveries go on: restarts, connections that break together, bad tokens, all tokens expired.

A daemon as a process, and an emulator with short windows over HTTP. There is always something to
send. Time in which the process had no processor, and in which nothing could be delivered, is none
of a pause.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from demo.children import Child
from demo.processes import PATIENCE, free_port
from pointsman.domain.clock import SystemClock
from pointsman.emulator import Emulator, limits, responses
from pointsman.emulator.errors import Code
from pointsman.emulator.faults.parsing import read_fault
from pointsman.emulator.responses import HttpReply
from pointsman.emulator.server import serve
from tests.support.change_factory import change, topic
from tests.support.daemon_fleet import HEADERS, statement
from tests.support.virtual_delivery import KEY, catalogue

LEARNERS, TOPICS = 12, 40
#: seconds of the platform's windows, and requests in each
WINDOW, REQUESTS = 5.0, 75
#: no pause is longer, seconds
LONGEST = 3.0
CONFIG = """
allow_weak_secrets = true
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = 0
[platform]
url = "{url}"
api_key = "{key}"
[platform.limits]
requests_per_minute = {requests}
points_per_request = 1
share = 1.0
[delivery]
progress_interval_seconds = 0
[audit]
enabled = false
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[learners.tokens]
file = "tokens.json"
[[rules]]
activity = "https://content.example.com/topics/{{topic}}"
topic_id = "{{topic}}"
"""


class StrictEmulator(Emulator):
    """Refuses bad authTokens with HTTP 401, and remembers when mutations ran."""

    def __init__(self) -> None:
        super().__init__(
            catalogue(LEARNERS, TOPICS),
            api_key=KEY,
            clock=SystemClock(),
            requests_per_minute=REQUESTS,
        )
        self.bad: set[str] = set()
        self.on_delivery: Callable[[], None] = lambda: None

    async def handle(
        self, *, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> HttpReply:
        if headers.get("authToken") in self.bad:
            return responses.refusal(401, Code.UNAUTHENTICATED, "the authToken is not valid")
        before = len(self.history)
        reply = await super().handle(query=query, headers=headers, body=body)
        if len(self.history) > before:
            self.on_delivery()
        return reply


@dataclass
class World:
    folder: Path
    emulator: StrictEmulator
    url: str
    port: int = field(default_factory=free_port)
    #: (when something was delivered, seconds that the process had waited for a processor till then)
    deliveries: list[tuple[float, float]] = field(default_factory=list)
    #: when nothing could be delivered
    excused: list[tuple[float, float]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    async def start(self) -> None:
        with (self.folder / "log").open("ab") as output:
            self.process = Child(
                [
                    *(sys.executable, "-m", "tests.support.short_windows", f"{WINDOW}"),
                    *("run", "--config", str(self.folder / "pointsman.toml")),
                ],
                output=output,
                env={name: value for name, value in os.environ.items() if "POINTSMAN_" not in name},
            )
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
            while True:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                try:
                    async with session.get(f"http://127.0.0.1:{self.port}/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.02)

    async def restart(self, how: signal.Signals) -> None:
        began = time.monotonic()
        self.process.send_signal(how)
        await asyncio.to_thread(self.process.wait, PATIENCE)
        await self.start()
        self.excused.append((began, time.monotonic()))

    def delivered(self) -> None:
        # the platform is in this process, which may have to wait as well
        files = (Path(f"/proc/{self.process.pid}/schedstat"), Path("/proc/self/schedstat"))
        waited = [int(file.read_text().split()[1]) / 1e9 for file in files if file.exists()]
        self.deliveries.append((time.monotonic(), sum(waited)))

    async def deliver(self, more: int) -> None:
        """Until so many more are delivered."""
        enough = len(self.deliveries) + more
        async with asyncio.timeout(PATIENCE):
            while len(self.deliveries) < enough:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.01)

    async def post(self) -> None:
        """More than can be sent in this test."""
        async with aiohttp.ClientSession() as session:
            for number in range(LEARNERS):
                email = f"l{number}@example.com"
                said = [
                    statement(email, change(email, topic(f"t{one}"), 40)) for one in range(TOPICS)
                ]
                url = f"http://127.0.0.1:{self.port}/xapi/statements"
                async with session.post(url, headers=HEADERS, json=said) as answer:
                    assert answer.status == 200, await answer.text()

    def write_tokens(self, *, bad: str = "") -> None:
        """New ones, and another learner's for one."""
        for number in range(LEARNERS):
            email = f"l{number}@example.com"
            self.tokens[email] = self.emulator.issue_token(email)
        if bad:
            self.emulator.bad.add(self.tokens[bad])
        known = {who: {"authToken": token} for who, token in self.tokens.items()}
        beside = self.folder / "tokens.new"
        beside.write_text(json.dumps(known))
        beside.replace(self.folder / "tokens.json")

    def pauses(self) -> list[float]:
        """Between deliveries, without what is excused, in seconds."""
        return [
            later
            - earlier
            - max(0.0, waited - before)
            - sum(max(0.0, min(later, end) - max(earlier, begin)) for begin, end in self.excused)
            for (earlier, before), (later, waited) in pairwise(self.deliveries)
        ]


def test_with_work_waiting_no_pause_between_deliveries_is_longer_than_three_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WINDOW", WINDOW)
    emulator = StrictEmulator()

    async def run() -> World:
        async with serve(emulator, host="127.0.0.1", port=0) as url:
            world = World(tmp_path, emulator, url)
            emulator.on_delivery = world.delivered
            config = CONFIG.format(port=world.port, url=url, key=KEY, requests=REQUESTS)
            (tmp_path / "pointsman.toml").write_text(config)
            world.write_tokens()
            await world.start()
            try:
                await world.post()
                await whatever_happens(world)
            finally:
                world.process.kill()
                await asyncio.to_thread(world.process.wait)
            return world

    world = asyncio.run(run())
    assert emulator.state()["totals"]["rejected_429"] == 0
    assert max(world.pauses()) < LONGEST, sorted(world.pauses())[-3:]


async def whatever_happens(world: World) -> None:
    emulator = world.emulator
    await world.deliver(15)
    await world.restart(signal.SIGTERM)
    await world.deliver(30)
    await world.restart(signal.SIGKILL)
    await world.deliver(30)
    emulator.faults.add(read_fault({"kind": "latency", "seconds": 0.3}, "f"))
    await world.deliver(5)
    resets = {"kind": "drop_before", "times": 8}
    emulator.faults.add(read_fault(resets, "f"))
    await world.deliver(15)
    emulator.faults.clear()
    world.write_tokens(bad="l3@example.com")
    await world.deliver(25)
    began = time.monotonic()
    emulator.bad.update(world.tokens.values())
    await asyncio.sleep(LONGEST)  # as long as it takes to launch learners anew
    world.write_tokens()
    world.excused.append((began, time.monotonic()))
    await world.deliver(30)
