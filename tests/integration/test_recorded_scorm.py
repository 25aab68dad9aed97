"""What scorm-again was recorded to send, sent again: each gets its answer and is understood."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.support.http_endpoint import PLAYER
from tests.support.launch_client import Launching, launching
from tests.support.scorm_sessions import TAKEN, Said, commit, data, launched, said, statements

RECORDED = Path(__file__).parents[1] / "data" / "players" / "scorm-again.jsonl"
#: set by whoever sends
_ABOUT_THE_CONNECTION = {"host", "connection", "content-length", "origin", "referer"}


COMMIT_12 = Said("experienced", completion=False, score=0.725)
END_12 = Said("passed", completion=True, success=True, score=0.725)
UNLOAD_12 = Said("completed", completion=True, score=0.725)
COMMIT_2004 = Said("progressed", completion=False, score=0.8, progress=45)
END_2004 = Said("passed", completion=True, success=True, score=0.95, progress=100)
UNLOAD_2004 = Said("completed", completion=True, score=0.8, progress=100)
FAILED_2004 = Said("failed", completion=False, success=False, score=-0.25, progress=45)._replace(
    duration="PT3723.5S"
)
SMALL = Said("experienced", completion=False, duration=None)
#: the commits of a step, by what its name holds; the first that fits
BY_STEP = {
    "scorm12/offline-queue-replay": [SMALL, Said("completed", completion=True, duration=None)],
    "node/scorm12": [
        SMALL._replace(score=0.4),
        Said("failed", completion=False, success=False, score=0.4, duration=None),
    ],
    # the same but for its total time
    "node/scorm2004": [FAILED_2004] * 2,
    "scorm12/sync/no-cors-headers": [END_12],
    "scorm2004/sync/no-cors-headers": [END_2004],
    "scorm12/sync/unload": [UNLOAD_12],
    "scorm12/async/unload": [UNLOAD_12],
    "scorm2004/sync/unload": [UNLOAD_2004],
    "scorm2004/async/unload": [UNLOAD_2004],
    "scorm12/sync/autocommit": [COMMIT_12],
    "scorm12/async/throttle": [COMMIT_12],
    "scorm2004/sync/autocommit": [COMMIT_2004],
    "scorm2004/async/throttle": [COMMIT_2004],
    "scorm12/": [COMMIT_12, END_12],
    "scorm2004/": [COMMIT_2004, END_2004],
}


def recorded() -> list[dict[str, Any]]:
    with RECORDED.open() as lines:
        return [json.loads(line) for line in lines]


def expected(step: str) -> list[Said]:
    return next(said for name, said in BY_STEP.items() if step.startswith(name))


async def again(world: Launching, launch: dict[str, Any], row: dict[str, Any]) -> None:
    """Send a row, and check the answer that a healthy service has for it."""
    headers = {
        name: value for name, value in row["headers"] if name.lower() not in _ABOUT_THE_CONNECTION
    }
    answer = await commit(
        world,
        launch,
        row["body"].encode(),
        f"?{row['query']}" if row["query"] else "",
        method=row["method"],
        headers=headers | {"Origin": PLAYER},
    )
    assert answer.headers["Access-Control-Allow-Origin"] == PLAYER
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    if row["method"] == "OPTIONS":
        assert answer.status == 204
        asked = headers["Access-Control-Request-Headers"].split(",")
        assert set(asked) <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    else:
        assert (answer.status, await answer.json()) == (200, TAKEN), row["seq"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path, cors_origins=(PLAYER,)) as running:
        yield running


async def test_each_recorded_exchange_is_answered_and_understood(world: Launching) -> None:
    rows = recorded()
    assert len(rows) == 207
    for step, exchanges in groupby(rows, key=lambda row: row["step"]):
        launch = await launched(world)
        of_step = list(exchanges)
        for row in of_step:
            await again(world, launch, row)
        found = await statements(world, launch)
        assert [said(one) for one in found] == expected(step), step
        assert {one["object"]["id"] for one in found} == {launch["activity"]}
        kept = (await data(world, launch))["cmi"]
        if "page-3" in of_step[-1]["body"]:
            assert kept["suspend_data"] == "page=3;quiz=ü&x=1 2", step
            assert kept["core"]["lesson_location"] == "page-3"
        elif "slide-7" in of_step[-1]["body"]:
            assert json.loads(kept["suspend_data"]) == {"p": 7, "note": "ünï & =;"}, step


async def test_a_queue_that_sends_an_old_commit_last_undoes_nothing(world: Launching) -> None:
    """As recorded, where the first try of the old one never arrived."""
    rows = [
        row
        for row in recorded()
        if row["step"].endswith("500-then-ok")
        and row["method"] == "POST"
        and row["response_status"] == 200
    ]
    assert [json.loads(row["body"])["commitSequence"] for row in rows] == [2, 1]
    launch = await launched(world)
    for row in rows:
        await again(world, launch, row)
    completed, late = await statements(world, launch)
    assert (said(completed).completion, said(late).completion) == (True, False)
    assert late["timestamp"] < completed["timestamp"]
    assert (await data(world, launch))["cmi"]["core"]["lesson_status"] == "completed"
