"""The published @xapi/cmi5 against the running daemon and emulator, in Node and in a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import open_tab
from tests.support.cmi5_pages import Session, load, sessions, units
from tests.support.cmi5_player import PUBLISHER
from tests.support.launch_client import ANA, Launching, launching

ASKED: dict[str, Any] = {
    "kind": "cmi5",
    "topicId": "topic_demo_1",
    "courseId": "course_demo",
    "moveOn": "CompletedAndPassed",
    "masteryScore": 0.75,
    "player": {"publisherId": PUBLISHER, "learnerPreferences": {"audioPreference": "off"}},
}


class World:
    """A daemon and a unit that it launches."""

    def __init__(self, launching: Launching, unit: str, run: Session) -> None:
        self.launching = launching
        self.run = run
        self._unit = unit

    async def launch(self, **more: Any) -> dict[str, Any]:
        return await self.launching.launch(**ASKED, url=self._unit, **more)

    async def shown(self, progress: int) -> list[tuple[str, Any]]:
        """All that the platform was told once the topic stands there."""
        run = self.launching.run
        await run.until(lambda: any(one.get("progress") == progress for _, one in run.ran))
        return [
            (name, arguments.get("progress", str(arguments.get("status"))))
            for name, arguments in run.ran
        ]


@pytest.fixture(params=["node", "browser"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with (
        launching(tmp_path, cors_origins=("*",)) as running,
        units() as unit,
        sessions(request.param, tmp_path) as run,
    ):
        yield World(running, unit, run)


async def test_the_documented_way_to_load_a_page_again(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "players" / "xapi-cmi5.md").read_text()
    snippet = text.split("  ```js\n")[1].partition("  ```")[0]
    unit_says = "await cmi5.progress(40); return cmi5.launchData.launchMode;"
    script = f"(async () => {{ const cmi5 = new Cmi5(); {snippet} {unit_says} }})()"
    async with (
        launching(tmp_path, cors_origins=("*",)) as running,
        units() as unit,
        open_tab(tmp_path / "profile", "about:blank") as tab,
    ):
        launch = await running.launch(**ASKED, url=unit)
        for _ in range(2):
            await load(tab, launch)
            assert await tab.run(script) == "Normal"
        page, _ = await running.run.daemon.parts.metrics_page()
        assert b'route="/cmi5/fetch/{token}",source="",status="200"} 1.0' in page


async def completed(world: World) -> list[str]:
    data = await world.launching.run.ask(
        '{ PagesCompletedByCourse(courseId: "course_demo") { ... on PageEntity { id } } }', ANA
    )
    return [one["id"] for one in data["PagesCompletedByCourse"]]


async def test_a_session_that_passes_and_completes(world: World) -> None:
    saw = await world.run("passed", await world.launch())
    preferences = {"languagePreference": "", "audioPreference": "off"}
    assert saw == {"mode": "Normal", "preferences": preferences}
    told = await world.shown(100)
    assert await completed(world) == ["topic_demo_1"]
    assert set(told) <= {
        ("UpdateCourseStatus", "started"),
        *(("UpdateTopicAndCourseProgress", one) for one in (25, 75, 99, 100)),
    }


async def test_a_session_that_fails_leaves_the_topic_open(world: World) -> None:
    saw = await world.run("failed", await world.launch())
    assert saw == {"below": "Learner has not met Mastery Score"}
    told = await world.shown(99)
    assert ("UpdateTopicAndCourseProgress", 100) not in told
    assert await completed(world) == []


async def test_a_session_that_moves_on(world: World) -> None:
    assert await world.run("movedOn", await world.launch()) == {"statements": 3}
    await world.shown(100)
    assert await completed(world) == ["topic_demo_1"]


async def test_a_bookmark_outlives_the_page_and_the_session(world: World) -> None:
    launch = await world.launch()
    kept = await world.run("began", launch)
    assert await world.run("wentOn", launch, **kept) == {"bookmark": {"page": 3}}
    await world.shown(70)
    # the tab is closed in the middle, and the learner comes back
    again = await world.launch(registration=launch["registration"])
    assert await world.run("cameBack", again) == {"bookmark": {"page": 3}}
    told = await world.shown(100)
    assert "not-completed" not in str(told)
    assert await completed(world) == ["topic_demo_1"]
    assert await world.run("late", launch) == {"status": 401}


async def test_a_tab_that_is_closed_in_the_middle_leaves_what_was_reached(world: World) -> None:
    launch = await world.launch()
    await world.run("began", launch)
    assert await world.shown(40) == [
        ("UpdateCourseStatus", "started"),
        ("UpdateTopicAndCourseProgress", 40),
    ]
    assert await completed(world) == []


async def test_an_address_that_was_fetched_starts_nothing(world: World) -> None:
    launch = await world.launch()
    await world.run("movedOn", launch)
    assert await world.run("late", launch) == {"status": 401}


async def test_what_is_said_soon_after_the_end_is_taken(world: World) -> None:
    assert await world.run("unending", await world.launch()) == {"taken": True}
    page, _ = await world.launching.run.daemon.parts.metrics_page()
    assert b'pointsman_cmi5_oddities_total{kind="after_terminated"} 1.0' in page
