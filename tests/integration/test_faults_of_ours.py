"""Faults of ours in a running daemon: seen from outside, and nothing else of it is harmed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from demo.processes import PATIENCE
from pointsman.housekeeping import Housekeeper
from tests.support.running_daemon import Running, running

ANA = "ana@example.com"
CONTENT = "https://content.example.com"
RULES = f"""
[[rules]]
activity = "{CONTENT}/{{topic}}"
topic_id = "{{topic}}"
course_id = "course_demo"
"""


async def metric(world: Running, line: str) -> float:
    """What /metrics says behind `line`."""
    async with world.session.get(f"{world.url}/metrics") as answer:
        page = (await answer.text()).splitlines()
    return next(float(one.removeprefix(line)) for one in page if one.startswith(line))


async def test_a_background_task_that_ends_is_started_again_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, ends = Housekeeper.run, [1]

    async def end_once(self: Housekeeper) -> None:
        if ends:
            ends.pop()
            raise OverflowError("a fault of ours")
        await run(self)

    monkeypatch.setattr(Housekeeper, "run", end_once)
    async with running(tmp_path, RULES) as world, asyncio.timeout(PATIENCE):
        name = 'pointsman_task_restarts_total{task="housekeeping"} '
        while await metric(world, name) < 1:  # noqa: ASYNC110 - only the page tells
            await asyncio.sleep(0.05)
        assert await metric(world, 'pointsman_task_restarts_total{task="delivery"} ') == 0
        async with world.session.get(f"{world.url}/healthz") as answer:
            assert answer.status == 200  # once is not for ever
        await world.say("completed", f"{CONTENT}/topic_demo_1", ANA)
        await world.until(lambda: bool(world.ran))


@pytest.mark.parametrize(
    "timestamp", ["0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.9Z"]
)
async def test_the_date_that_nobody_set_stops_nothing_else_of_the_learner(
    tmp_path: Path, timestamp: str
) -> None:
    async with running(tmp_path, RULES) as world:
        await world.say("completed", f"{CONTENT}/topic_demo_1", ANA, timestamp=timestamp)
        await world.say("completed", f"{CONTENT}/topic_demo_2", ANA)
        topics = {"topic_demo_1", "topic_demo_2"}
        await world.until(
            lambda: topics <= {arguments.get("topicId") for _, arguments in world.ran}
        )
        assert await metric(world, "pointsman_delivery_faults_total ") == 0
