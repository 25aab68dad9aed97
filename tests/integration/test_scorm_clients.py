"""scorm-again as published, in Node and in a browser of another origin, against a daemon."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import open_tab
from tests.support.clients import in_node, in_page, page
from tests.support.launch_client import ANA, BEN, Launching, launching
from tests.support.scorm_sessions import Said, data, launched, said, statements

KEPT = "page=3;quiz=ü&x=1 2"
UNDER_WAY = {
    "1.2": Said("experienced", completion=False, score=0.4),
    "2004": Said("progressed", completion=False, score=0.4, progress=45),
}
DONE = {
    "1.2": Said("passed", completion=True, success=True, score=0.95),
    "2004": Said("passed", completion=True, success=True, score=0.95, progress=100),
}
FRESH = {"1.2": ["", "", "not attempted"], "2004": ["", "", "unknown"]}
LEFT = {
    version: [KEPT, "page-3", status]
    for version, status in (("1.2", "passed"), ("2004", "completed"))
}
FORMATS = list(itertools.product(("json", "flattened", "params"), (False, True)))

DOCS = Path(__file__).parents[2] / "docs" / "players" / "scorm.md"

Run = Callable[[str, dict[str, Any]], Awaitable[Any]]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path, cors_origins=("*",)) as running:
        yield running


async def plays(world: Launching, run: Run, version: str, how: dict[str, Any], number: int) -> None:
    """One session and the next one of it: what the course sees, and what the platform is told."""
    who, topic = (ANA, BEN)[number // 8], f"topic_demo_{number % 8 + 1}"
    launch = await launched(world, learner=who, topicId=topic)
    settings = {"commit": launch["commitUrl"], "version": version, "how": how}
    saw = await run("scorm", {**settings, "ends": True})
    assert saw == {
        "refused": [],
        "errors": [],
        "left": FRESH[version],
        "stored": "true",
        "ended": "true",
    }, how

    def told() -> list[Any]:
        return [
            one.arguments["progress"]
            for one in world.run.emulator.history
            if (one.learner, one.arguments.get("topicId")) == (who, topic)
        ]

    await world.run.until(lambda: told()[-1:] == [100])
    assert told()[:-1] in ([], [45]), how
    found = [said(one) for one in await statements(world, launch)]
    assert found == [UNDER_WAY[version], DONE[version]], how
    kept = await data(world, launch)
    assert (kept["version"], kept["cmi"]["suspend_data"]) == (version, KEPT), how
    saw = await run("scorm", {**settings, "cmi": kept["cmi"], "ends": False})
    assert (saw["left"], saw["stored"], saw["errors"]) == (LEFT[version], "true", []), how


@pytest.mark.parametrize("version", ["1.2", "2004"])
async def test_in_node_every_format_is_understood(world: Launching, version: str) -> None:
    for number, (form, common) in enumerate(FORMATS):
        how = {
            "useAsynchronousCommits": True,
            "dataCommitFormat": form,
            "renderCommonCommitFields": common,
        }
        await plays(world, in_node, version, how, number)


@pytest.mark.parametrize("version", ["1.2", "2004"])
async def test_in_a_browser_every_format_is_understood_in_either_mode(
    world: Launching, version: str, tmp_path: Path
) -> None:
    async with page("scorm") as url, open_tab(tmp_path / "profile", url) as tab:
        await tab.until("typeof scenarios === 'object'")

        async def run(scenario: str, given: dict[str, Any]) -> Any:
            return await tab.run(in_page(scenario, given))

        modes = itertools.product((False, True), FORMATS)
        for number, (asynchronous, (form, common)) in enumerate(modes):
            how = {
                "useAsynchronousCommits": asynchronous,
                "dataCommitFormat": form,
                "renderCommonCommitFields": common,
                "includeCommitSequence": form == "params",
                "terminateCommitPayloadField": "isFinal" if common else None,
                "terminateCommitParam": None if common else "final",
            }
            await plays(world, run, version, how, number)
        assert tab.errors == []


async def test_what_the_documentation_shows_for_a_page_of_ones_own_works(
    world: Launching, tmp_path: Path
) -> None:
    shown = re.findall(r"```js\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert len(shown) == 1
    launch = await launched(world, name="Ana")
    addresses = json.dumps([launch["dataUrl"], launch["commitUrl"]])

    def player(status: str) -> str:
        calls = f"""
            API.LMSInitialize("");
            const names = ["core.student_name", "core.entry", "suspend_data", "core.total_time"];
            const saw = names.map((name) => API.LMSGetValue(`cmi.${{name}}`));
            API.LMSSetValue("cmi.core.lesson_status", "{status}");
            API.LMSSetValue("cmi.core.session_time", "00:10:00");
            API.LMSSetValue("cmi.suspend_data", "half");
            return [...saw, API.LMSCommit("")];
        """
        return f"(async ([dataUrl, commitUrl]) => {{{shown[0]}{calls}}})({addresses})"

    async with page("scorm") as url, open_tab(tmp_path / "profile", url) as tab:
        await tab.until("typeof scenarios === 'object'")
        assert await tab.run(player("incomplete")) == ["Ana", "ab-initio", "", "", "true"]
        assert await tab.run(player("completed")) == ["Ana", "resume", "half", "00:10:00", "true"]
        assert tab.errors == []
    assert [said(one).completion for one in await statements(world, launch)] == [False, True]
