"""One launch can't fill the disk: what an attacker did with the credential of a learner."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.launch_client import BEN, COURSE, Launching, launching
from tests.support.scorm_sessions import commit

LIMITS = """
[launches.limits]
requests_per_second = 100
document_bytes = 20_000
registration_documents = 4
registration_bytes = 50_000
learner_documents = 6
learner_bytes = 70_000
statement_bytes = 100_000
"""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path, LIMITS) as running:
        yield running


async def put(
    world: Launching, launch: dict[str, Any], state_id: str, size: int, registration: bool = True
) -> tuple[int, str]:
    params = {"activityId": COURSE, "stateId": state_id, "agent": json.dumps(launch["actor"])}
    if registration:
        params["registration"] = launch["registration"]
    return await world.send(
        launch, "PUT", "/xapi/activities/state", params=params, data=b"x" * size
    )


async def test_documents_of_a_player_fill_no_more_than_their_quotas(world: Launching) -> None:
    ana = await world.launch()
    for size, state_ids, status, words in (
        (20_001, ["large"], 413, "launches.limits.document_bytes"),
        (15_000, ["a", "b", "c"], 204, ""),
        (15_000, ["d"], 413, "launches.limits.registration_bytes"),
        (1_000, ["d", "c"], 204, ""),
        (1_000, ["e"], 413, "launches.limits.registration_documents"),
    ):
        for state_id in state_ids:
            answered = await put(world, ana, state_id, size)
            assert (answered[0], words in answered[1]) == (status, True), answered
    again = await world.launch()
    answers = [(await put(world, again, f"{number}", 1_000))[0] for number in range(4)]
    assert answers == [204, 204, 413, 413]
    status, body = await put(world, again, "2", 1_000, registration=False)
    assert (status, "launches.limits.learner_documents" in body) == (413, True)
    ben = await world.launch(learner=BEN)
    assert (await put(world, ben, "a", 15_000))[0] == 204
    page, _ = await world.run.daemon.parts.metrics_page()
    assert b'pointsman_launch_limits_total{limit="registration_bytes"} 1.0' in page


async def test_a_document_grows_by_merging_no_further_than_one_may(world: Launching) -> None:
    ana = await world.launch()
    params = {"activityId": COURSE, "stateId": "s", "agent": json.dumps(ana["actor"])}
    parts = [{f"part {number}": "x" * 6_000} for number in range(5)]
    answers = [
        await world.send(ana, "POST", "/xapi/activities/state", params=params, json=part)
        for part in parts
    ]
    assert [status for status, _ in answers] == [204, 204, 204, 413, 413]
    assert "launches.limits.document_bytes" in answers[-1][1]


async def test_statements_and_commits_fill_no_more_than_their_quota(world: Launching) -> None:
    ana, scorm = await world.launch(), await world.launch(kind="scorm")
    result = {"response": "x" * 30_000}
    answers = [await world.say(ana, "answered", result=result) for _ in range(4)]
    assert [status for status, _ in answers] == [200, 200, 200, 413]
    assert "launches.limits.statement_bytes" in answers[-1][1]
    core = {"lesson_status": "incomplete"}
    statuses = []
    for number in range(4):
        core["lesson_location"] = str(number)
        cmi = {"suspend_data": "x" * 30_000, "core": core}
        answer = await commit(world, scorm, {"cmi": cmi})
        statuses.append(answer.status)
    assert statuses == [200, 200, 200, 413]
    assert (await answer.json())["result"] is False


async def test_who_sends_too_fast_is_told_when_to_come_again(tmp_path: Path) -> None:
    slow = LIMITS.replace("= 100\n", "= 1\n", 1)
    async with launching(tmp_path, slow) as world:
        ana, ben = await world.launch(), await world.launch(learner=BEN)

        async def ask(launch: dict[str, Any]) -> tuple[int, str | None, str]:
            headers = {"Authorization": launch["authorization"]}
            headers["X-Experience-API-Version"] = "1.0.3"
            async with world.run.session.get(
                f"{world.url}/xapi/statements", headers=headers
            ) as answer:
                return answer.status, answer.headers.get("Retry-After"), await answer.text()

        answers = await asyncio.gather(*(ask(ana) for _ in range(40)))
        refused = [answer for answer in answers if answer[0] == 429]
        assert len(refused) >= 20
        _, after, body = refused[0]
        assert after == "1"
        assert "send it again in 1 s" in json.loads(body)["error"]["reason"]
        assert "launches.limits.requests_per_second" in body
        assert (await ask(ben))[0] == 200
