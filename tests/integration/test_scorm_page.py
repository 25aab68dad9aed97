"""docs/players/scorm.html in a browser: from a launch to what the platform shows, and to the end.

The page and the course are on one origin, and the daemon is on another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import pytest

from demo.processes import PATIENCE
from pointsman.domain.errors import StoreUnavailable
from pointsman.store.base import DocumentKey
from pointsman.store.sqlite import SqliteStore
from tests.support.browser import Tab, open_tab
from tests.support.clients import player_page
from tests.support.launch_client import ANA, Launching, launching
from tests.support.scorm_sessions import data, launched, statements
from tests.support.store_queries import look, read_books

COURSE = 'document.getElementById("sco")?.contentWindow?.course'
WORDS = 'document.getElementById("words")?.textContent'
HALF = {
    "1.2": {
        "cmi.core.lesson_status": "incomplete",
        "cmi.core.lesson_location": "page-3",
        "cmi.suspend_data": "half",
    },
    "2004": {
        "cmi.completion_status": "incomplete",
        "cmi.progress_measure": "0.5",
        "cmi.location": "page-3",
        "cmi.suspend_data": "half",
    },
}
DONE = {
    "1.2": {"cmi.core.score.raw": "90", "cmi.core.lesson_status": "completed"},
    "2004": {"cmi.score.scaled": "0.9", "cmi.completion_status": "completed"},
}
LEARNER = {
    "1.2": ("cmi.core.student_id", "cmi.core.student_name", "cmi.core.entry"),
    "2004": ("cmi.learner_id", "cmi.learner_name", "cmi.entry"),
}
PLACE = {"1.2": "cmi.core.lesson_location", "2004": "cmi.location"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path, cors_origins=("*",)) as running:
        yield running


@asynccontextmanager
async def opened(
    world: Launching, tmp_path: Path, version: str, query: str = "", **asked: Any
) -> AsyncIterator[tuple[dict[str, Any], Tab]]:
    """A launch, and a tab in which its course has started."""
    async with player_page() as url:
        sco = quote(f"sco.html?version={version}{query}", safe="")
        launch = await launched(world, url=f"{url}?sco={sco}", name="Ana", **asked)
        async with open_tab(tmp_path / "profile", launch["launchUrl"]) as tab:
            await tab.until(f"{COURSE}?.started")
            yield launch, tab


async def does(tab: Tab, version: str, values: dict[str, dict[str, str]]) -> None:
    done = await tab.run(f"{COURSE}.put({json.dumps(values[version])})")
    assert set(done) == {"true"}, done


@pytest.mark.parametrize("version", ["1.2", "2004"])
async def test_from_the_launch_to_what_the_platform_shows(
    world: Launching, tmp_path: Path, version: str
) -> None:
    async with opened(
        world,
        tmp_path,
        version,
        topicId="topic_demo_1",
        courseId="course_demo",
        courseCompleted="passed",
        masteryScore=0.8,
    ) as (launch, tab):
        assert await tab.run(f"{json.dumps(LEARNER[version])}.map({COURSE}.get)") == [
            ANA,
            "Ana",
            "ab-initio",
        ]
        await does(tab, version, HALF)
        assert await tab.run(f"{COURSE}.store()") == "true"

        await tab.command("Page.navigate", url=launch["launchUrl"] + "&again")
        await tab.until(f"location.search.endsWith('&again') && {COURSE}?.started")
        assert await tab.run(f'{COURSE}.get("{LEARNER[version][2]}")') == "resume"
        assert await tab.run(f'{COURSE}.get("cmi.suspend_data")') == "half"
        assert await tab.run(f'{COURSE}.get("{PLACE[version]}")') == "page-3"
        await does(tab, version, DONE)
        assert await tab.run(f"{COURSE}.end()") == "true"
        assert await tab.run(WORDS) == ""

        await world.run.until(
            lambda: any(one.get("status") == "completed" for _, one in world.run.ran)
        )
        assert tab.errors == []
    done = await world.run.ask(
        '{ PagesCompletedByCourse(courseId: "course_demo") { ... on PageEntity { id } } '
        'UserCourseProgress(id: "course_demo") { percentComplete } }',
        ANA,
    )
    assert done == {
        "PagesCompletedByCourse": [{"id": "topic_demo_1"}],
        "UserCourseProgress": {"percentComplete": 100},
    }
    ran = [
        (name, one.get("progress", one.get("status")), one.get("topicId", one.get("id")))
        for name, one in world.run.ran
    ]
    assert set(ran) - {("UpdateTopicAndCourseProgress", 50, "topic_demo_1")} == {
        ("UpdateCourseStatus", "started", "course_demo"),
        ("UpdateTopicAndCourseProgress", 100, "topic_demo_1"),
        ("UpdateCourseStatus", "completed", "course_demo"),
    }
    *_, last = await statements(world, launch)
    assert last["result"]["success"] is True
    assert read_books(world.run.database).balanced


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize(("version", "size"), [("1.2", 100), ("2004", 100), ("2004", 40_000)])
async def test_a_tab_that_is_closed_in_the_middle_loses_nothing(
    world: Launching, tmp_path: Path, version: str, size: int, *, ends: bool
) -> None:
    """Also where the course ends itself when it is closed, and says its last words then.

    Browsers take 64 KiB of beacons at once, so that two of 40,000 bytes don't fit.
    """
    async with opened(world, tmp_path, version, "&ends" if ends else "") as (launch, tab):
        await does(tab, version, {version: HALF[version] | {"cmi.suspend_data": "x" * size}})
        assert await statements(world, launch) == []
        await tab.command("Page.close")
        left = (size, "at the end" if ends else "page-3")
        await world.run.until(lambda: kept(world, launch) == left)
    found = await data(world, launch)
    assert (found["version"], found["entry"]) == (version, "resume")
    async with asyncio.timeout(PATIENCE):
        while not (said := await statements(world, launch)):  # noqa: ASYNC110 - the state comes first
            await asyncio.sleep(0.01)
    assert said[-1]["result"]["completion"] is False


def kept(world: Launching, launch: dict[str, Any]) -> tuple[int, str]:
    """How much a session left, and where."""
    key = DocumentKey("session", name=launch["registration"])
    found = look(world.run.database, lambda store: store.document(key))
    if found is None:
        return 0, ""
    cmi = json.loads(found.content)["cmi"]
    place = cmi["core"]["lesson_location"] if "core" in cmi else cmi["location"]
    return len(cmi["suspend_data"]), place


async def test_a_last_commit_that_was_not_taken_is_said_and_sent_again(
    world: Launching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> NoReturn:
        raise StoreUnavailable

    async with opened(world, tmp_path, "2004") as (launch, tab):
        await does(tab, "2004", DONE)
        with monkeypatch.context() as patch:
            patch.setattr(SqliteStore, "ingest", away)
            await tab.run(f"{COURSE}.end()")
            assert "can't be saved at the moment" in await tab.run(WORDS)
        await tab.until(f"{WORDS} === ''")
        (kept,) = await statements(world, launch)
        assert kept["result"]["completion"] is True


async def test_what_the_launch_does_not_allow_is_said_in_words(
    world: Launching, tmp_path: Path
) -> None:
    async with player_page() as url:
        launch = await launched(world)
        commit = quote(launch["commitUrl"], safe="")
        gone = quote(launch["commitUrl"].replace("/commit", "x/commit"), safe="")
        async with open_tab(tmp_path / "profile", url) as tab:
            for query, words in (
                ("", "needs commit and sco"),
                (f"?commit={commit}", "needs commit and sco"),
                (f"?commit={commit}&sco=https://other.example/", "same origin"),
                (f"?commit={commit}&sco=javascript:alert(1)", "same origin"),
                (f"?commit={gone}&sco=sco.html", "no launch credential of ours"),
                ("?commit=https://127.0.0.1:1/commit&sco=sco.html", "can't start"),
            ):
                await tab.command("Page.navigate", url=url + query)
                await tab.until(f"location.href === {json.dumps(url + query)} && {WORDS}")
                assert words in await tab.run(WORDS), query
                assert await tab.run('document.getElementById("sco")') is None


async def test_a_course_larger_than_a_beacon_is_saved_while_its_page_lives(
    world: Launching, tmp_path: Path
) -> None:
    async with opened(world, tmp_path, "2004") as (launch, tab):
        large = '{"cmi.suspend_data": "x".repeat(64000), "cmi.location": "é".repeat(900)}'
        assert await tab.run(f"{COURSE}.put({large})") == ["true", "true"]
        more = '{"cmi.comments_from_learner.0.comment": "é".repeat(2000)}'
        assert await tab.run(f"{COURSE}.put({more})") == ["true"]
        assert await tab.run(f"{COURSE}.end()") == "true"
        assert await tab.run(WORDS) == ""
    assert len((await data(world, launch))["cmi"]["suspend_data"]) == 64_000
