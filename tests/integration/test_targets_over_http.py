"""Each target from a statement over HTTP to what the platform's API then says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.park_codes import CURED_BY_USER_ID, ParkCode
from tests.support.running_daemon import running
from tests.support.store_queries import list_parked

ANA, BEN = "ana@example.com", "ben@example.com"
CONTENT = "https://content.example.com"
DATE = "statusChangeDate"


async def test_topic_progress(tmp_path: Path) -> None:
    rules = f"""
    [[rules]]
    activity = "{CONTENT}/{{topic}}"
    topic_id = "{{topic}}"
    """
    async with running(tmp_path, rules) as world:
        await world.say("completed", f"{CONTENT}/topic_demo_1", ANA)
        await world.until(lambda: bool(world.ran))
        data = await world.ask(
            '{ PagesCompletedByCourse(courseId: "course_demo") { ... on PageEntity { id } } }', ANA
        )
        assert data == {"PagesCompletedByCourse": [{"id": "topic_demo_1"}]}


@pytest.mark.parametrize(
    ("setting", "name"),
    [("course_id", "course_demo"), ("course_slug", "demo-course"), ("course_sku", "DEMO-1")],
)
async def test_course_status(tmp_path: Path, setting: str, name: str) -> None:
    rules = f"""
    [[rules]]
    activity = "{CONTENT}/{{course}}"
    {setting} = "{{course}}"
    course_completed = "completed"
    """
    async with running(tmp_path, rules) as world:
        await world.say(
            "completed", f"{CONTENT}/{name}", ANA, timestamp="2024-03-15T10:30:00+02:00"
        )
        await world.until(lambda: bool(world.ran))
        argument = setting.removeprefix("course_")
        assert world.ran == [
            (
                "UpdateCourseStatus",
                {argument: name, "status": "completed", DATE: "2024-03-15T08:30:00Z"},
            )
        ]
        data = await world.ask('{ UserCourseProgress(id: "course_demo") { percentComplete } }', ANA)
        assert data == {"UserCourseProgress": {"percentComplete": 100}}


async def test_a_status_from_the_future_is_dated_by_the_platform(tmp_path: Path) -> None:
    rules = f"""
    [[rules]]
    activity = "{CONTENT}/{{course}}"
    course_slug = "{{course}}"
    course_completed = "completed"
    """
    async with running(tmp_path, rules) as world:
        await world.say(
            "completed", f"{CONTENT}/demo-course", ANA, timestamp="2999-01-01T00:00:00Z"
        )
        await world.until(lambda: bool(world.ran))
        assert world.ran == [("UpdateCourseStatus", {"slug": "demo-course", "status": "completed"})]


PATHS = f"""
[[rules]]
activity = "{CONTENT}/paths/{{slug}}/{{id}}"
learning_path_slug = "{{slug}}"
learning_path_id = "{{id}}"
"""
PATH = f"{CONTENT}/paths/data-science-professional-certificate/lp_abc123"


async def test_learning_path_access(tmp_path: Path) -> None:
    async with running(tmp_path, PATHS) as world:
        await world.say("initialized", PATH, ANA)
        await world.until(lambda: len(world.ran) == 1)
        query = (
            '{ LearningPathBySlug(slug: "data-science-professional-certificate") '
            "{ currentUserStartActionDate } }"
        )
        data = await world.ask(query, ANA)
        assert data["LearningPathBySlug"]["currentUserStartActionDate"] is not None
        await world.say("abandoned", PATH, ANA)
        await world.until(lambda: len(world.ran) == 2)
        assert [arguments["status"] for _, arguments in world.ran] == ["started", "not-completed"]


async def test_learning_path_archived_and_reinstated(tmp_path: Path) -> None:
    async with running(tmp_path, PATHS) as world:
        await world.say("archived", PATH, ANA)
        await world.until(lambda: len(world.ran) == 1)
        await world.say("reinstated", PATH, ANA)
        await world.until(lambda: len(world.ran) == 2)
        assert world.ran == [
            ("ArchiveUserLearningPath", {"id": "lp_abc123"}),
            ("ReinstateUserLearningPath", {"id": "lp_abc123"}),
        ]


COURSES = f"""
[[rules]]
activity = "{CONTENT}/{{course}}"
course_id = "{{course}}"
course_started = false
"""


async def test_course_archived_and_reinstated(tmp_path: Path) -> None:
    async with running(tmp_path, COURSES) as world:
        await world.say("archived", f"{CONTENT}/course_demo", ANA)
        await world.until(lambda: len(world.ran) == 1)
        await world.say("reinstated", f"{CONTENT}/course_demo", ANA)
        await world.until(lambda: len(world.ran) == 2)
        assert world.ran == [
            ("ArchiveUserCourse", {"id": "course_demo"}),
            ("ReinstateUserCourse", {"id": "course_demo"}),
        ]


async def test_what_the_platform_answers_with_null_is_parked_and_says_so(tmp_path: Path) -> None:
    async with running(tmp_path, COURSES) as world:
        await world.say("archived", f"{CONTENT}/course_nowhere", ANA)
        database = tmp_path / "pointsman.db"
        await world.until(lambda: bool(list_parked(database, [ParkCode.REFUSED_BY_PLATFORM])))
        (parked,) = list_parked(database)
        assert "answered null" in parked.parked
        assert "pointsman parked retry --learner ana@example.com" in parked.parked


MEETINGS = f"""
[[rules]]
activity = "{CONTENT}/{{course}}/{{meeting}}"
activity_types = ["meeting"]
meeting_id = "{{meeting}}"
course_id = "{{course}}"
course_started = false
"""
MEETING = f"{CONTENT}/crs_789xyz/mtg_111aaa"


def meeting() -> dict[str, Any]:
    kind = "http://adlnet.gov/expapi/activities/meeting"
    return {"object": {"id": MEETING, "definition": {"type": kind}}}


async def test_meeting_attendance(tmp_path: Path) -> None:
    async with running(tmp_path, MEETINGS) as world:
        await world.say("attended", MEETING, ANA, **meeting())
        await world.until(lambda: len(world.ran) == 1)
        await world.say("registered", MEETING, BEN, **meeting())
        await world.until(lambda: len(world.ran) == 2)
        users = {one.email: one.id for one in world.emulator.catalogue.learners}
        assert [(arguments["userId"], arguments["attended"]) for _, arguments in world.ran] == [
            (users[ANA], True),
            (users[BEN], False),
        ]


async def test_attendance_of_a_learner_without_a_user_id_is_parked_and_the_others_go(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, MEETINGS) as world:
        await world.say("attended", MEETING, "stranger@example.com", **meeting())
        await world.say("attended", MEETING, ANA, **meeting())
        await world.until(lambda: len(world.ran) == 1)
        database = tmp_path / "pointsman.db"
        await world.until(lambda: bool(list_parked(database, CURED_BY_USER_ID)))
        (parked,) = list_parked(database)
        assert "stranger@example.com" in parked.parked
