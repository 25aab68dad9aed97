"""Whether `pointsman simulate` says what a daemon in real time comes to, over HTTP.

A daemon gets the demo's heartbeats, more than its quota carries at once, and delivers them to a
slow emulator. Then `pointsman simulate --trace` plays what it has stored, with the latency that
`pointsman deliveries` shows.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console

from demo.traffic import heartbeats
from pointsman.simulation.recorder import percentile
from pointsman.simulation.report import Latency
from tests.support.change_factory import change, topic
from tests.support.daemon_fleet import Fleet, a_fleet, statement

_LEARNERS, _REQUESTS = 40, 60
#: seconds that the emulator takes for each request
_LATENCY = 0.5
#: the two agree when they differ by no more than this part
_WITHIN = 0.1


def simulated(folder: Path, seconds: float, seed: int, console: Console) -> bool:
    """Whether requests, and median and p95 of completions, differ by a tenth at most."""
    with a_fleet(
        folder,
        _LEARNERS,
        requests=_REQUESTS,
        interval=2,
        lease=60,
        timeout=30,
        emulate=("--fault", f"kind=latency,seconds={_LATENCY}"),
    ) as fleet:
        fleet.add()
        requests, completed_at = asyncio.run(_deliver(fleet, seconds, seed))
        config = str(fleet.replicas[0].config)
        printed = asyncio.run(_pointsman("deliveries", "--config", config))
        settled = [json.loads(line) for line in printed.splitlines()]
        report = asyncio.run(
            _pointsman(
                *("simulate", "--config", config, "--trace", "1h", "--json"),
                *("--latency", _latency(settled)),
            )
        )
    real = Latency.of(
        [
            datetime.fromisoformat(row["settled_at"]).timestamp() - completed_at[row["statement"]]
            for row in settled
            if row["value"] == "100" and row["result"] == "delivered"
        ]
    )
    (simulation,) = json.loads(report)
    pairs = {
        "requests": (requests, simulation["requests_per_second"] * simulation["duration"]),
        "completions p50": (real.p50, simulation["completions"]["p50"]),
        "completions p95": (real.p95, simulation["completions"]["p95"]),
    }
    for name, (measured, said) in pairs.items():
        console.print(f"{name}: {measured:.4g}, simulated {said:.4g} ({said / measured - 1:+.1%})")
    return all(abs(said / measured - 1) <= _WITHIN for measured, said in pairs.values())


def _latency(settled: Sequence[dict[str, Any]]) -> str:
    """How long the platform took, but for the fastest and the slowest tenth."""
    took = sorted({row["request"]: row["platform_seconds"] for row in settled}.values())
    return "-".join(f"{percentile(took, part):.3f}" for part in (0.1, 0.9))


async def _deliver(fleet: Fleet, seconds: float, seed: int) -> tuple[int, dict[str, float]]:
    """Requests that it took, and when each completion arrived, by its statement."""
    await fleet.log_in()
    await fleet.ready(fleet.replicas[0])
    # the logins are not ours
    await asyncio.sleep(61)
    logins = (await fleet.state())["totals"]["requests"]
    emails = [f"l{number}@example.com" for number in range(_LEARNERS)]
    messages, _ = heartbeats(emails, 8, random.Random(seed))
    arrived: dict[str, float] = {}
    topics: dict[str, str] = {}
    begins = time.time()
    async with aiohttp.ClientSession() as session:
        for number, message in enumerate(messages):
            await asyncio.sleep(begins + number * seconds / len(messages) - time.time())
            made = _statement(json.loads(message), topics)
            await fleet.post(session, made)
            arrived[made["id"]] = time.time()
    await fleet.drained(len(arrived), patience=600)
    return (await fleet.state())["totals"]["requests"] - logins, arrived


def _statement(heartbeat: dict[str, Any], topics: dict[str, str]) -> dict[str, Any]:
    """A heartbeat of the demo, about a topic that the fleet's rules know."""
    key = topics.setdefault(heartbeat["object"]["id"], f"t{len(topics)}")
    result = heartbeat["result"]
    percent = 100 if result.get("completion") else next(iter(result["extensions"].values()))
    learner = heartbeat["actor"]["mbox"].removeprefix("mailto:")
    return statement(learner, change(learner, topic(key), percent))


async def _pointsman(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pointsman", *arguments), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"pointsman {arguments[0]} ended with {process.returncode}")
    return printed.decode()
