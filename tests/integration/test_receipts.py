"""A launch's receipt: what was received, is on its way and is on the platform, for its learner."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from demo.processes import PATIENCE
from pointsman.domain.records import Receipt, Submission
from tests.support.launch_client import BEN, COURSE, Launching, launching
from tests.support.scorm_sessions import take

PAGE = "https://learn.example.com"
TOPIC: dict[str, Any] = {"topicId": "topic_demo_1"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path, cors_origins=(PAGE,)) as running:
        yield running


async def receipt(
    world: Launching, launch: dict[str, Any], credential: str = "", **headers: str
) -> tuple[int, dict[str, Any]]:
    url, _, own = launch["receiptUrl"].partition("#")
    shown = {"Authorization": f"Bearer {credential or own}"} | headers
    async with world.run.session.get(url, headers=shown) as answer:
        assert answer.status != 200 or answer.headers["Cache-Control"] == "no-store"
        body: dict[str, Any] = await answer.json()
        return answer.status, body


async def until(world: Launching, launch: dict[str, Any], state: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            _, found = await receipt(world, launch)
            if found["state"] == state:
                return found
            await asyncio.sleep(0.02)


async def test_a_launch_has_a_receipt_from_the_commit_to_the_platform(world: Launching) -> None:
    launch = await world.launch(**TOPIC)
    status, before = await receipt(world, launch)
    assert (status, before["state"], before["items"]) == (200, "nothing_received", [])
    status, _ = await world.say(launch, "completed")
    assert status == 200
    found = await until(world, launch, "delivered")
    assert found["received"]["statements"] == 1
    (item,) = found["items"]
    assert (item["key"], item["wanted"], item["onPlatform"]) == ("topic_demo_1", 100, 100)
    assert item["words"] == "topic topic_demo_1: 100 %"
    # the player's own credential shows it too
    assert (await receipt(world, launch, launch["credential"]))[1]["state"] == "delivered"


async def test_nothing_is_said_to_be_received_before_the_commit(
    world: Launching, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = await world.launch(**TOPIC)
    store = world.run.daemon.parts.store
    ingest, asked, goes_on = store.ingest, asyncio.Event(), asyncio.Event()

    async def held(submissions: Sequence[Submission]) -> list[Receipt]:
        asked.set()
        await goes_on.wait()
        return await ingest(submissions)

    monkeypatch.setattr(store, "ingest", held)
    said = asyncio.create_task(world.say(launch, "completed"))
    await asked.wait()
    assert (await receipt(world, launch))[1]["state"] == "nothing_received"
    goes_on.set()
    assert (await said)[0] == 200
    assert (await receipt(world, launch))[1]["state"] in {"on_its_way", "delivered"}


async def test_what_has_to_be_mended_first_is_saved_and_held(world: Launching) -> None:
    launch = await world.launch(topicId="no_such_topic")
    await world.say(launch, "completed")
    found = await until(world, launch, "held")
    assert "nothing is lost" in found["sentence"]
    # what an operator reads is not for the learner
    assert "pointsman" not in json.dumps(found)


async def test_a_receipt_is_of_one_launch_and_one_learner(world: Launching) -> None:
    anas = await world.launch(**TOPIC)
    bens = await world.launch(learner=BEN, **TOPIC)
    await world.say(bens, "completed")
    await until(world, bens, "delivered")
    assert (await receipt(world, anas))[1]["state"] == "nothing_received"
    of_ben = bens["receiptUrl"].partition("#")[2]
    assert (await receipt(world, anas, of_ben))[0] == 403
    assert (await receipt(world, anas, "a.b.c"))[0] == 401
    async with world.run.session.get(anas["receiptUrl"]) as answer:
        assert answer.status == 401
    # it opens nothing else
    reader = {"Authorization": f"Bearer {of_ben}"}
    status, _ = await world.send(bens, "GET", "/xapi/statements", headers=reader)
    assert status == 401


async def test_commits_of_scorm_have_a_receipt_too(world: Launching) -> None:
    launch = await world.launch(kind="scorm", **TOPIC)
    await take(world, launch, {"cmi": {"core": {"lesson_status": "completed"}}})
    found = await until(world, launch, "delivered")
    assert found["activity"] == COURSE


async def test_the_launching_page_may_ask_and_show_it(world: Launching) -> None:
    launch = await world.launch(**TOPIC)
    url = launch["receiptUrl"]
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    asked["Access-Control-Request-Headers"] = "authorization"
    async with world.run.session.options(url, headers=asked) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"]
    async with world.run.session.get(url, headers={"Accept": "text/html"}) as answer:
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert f"frame-ancestors {PAGE}" in policy
        assert "unsafe" not in policy
        # nobody's data is in it: the page asks for that itself
        assert launch["registration"] not in await answer.text()
