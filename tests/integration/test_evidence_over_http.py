"""What players say in several statements, over HTTP to what the platform is then told."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from tests.support.launch_client import launching
from tests.support.running_daemon import Running, running
from tests.support.store_queries import list_parked

ANA = "ana@example.com"
CONTENT = "https://content.example.com"
TYPE = "http://adlnet.gov/expapi/activities/"
VIDEO = "https://w3id.org/xapi/video/extensions/"
TOPIC = f"{CONTENT}/topic_demo_1"
TOPICS = f"""
[[rules]]
activity = "{CONTENT}/{{topic}}"
topic_id = "{{topic}}"
"""


def told(world: Running) -> list[object]:
    """What the platform was told, in order: percentages and statuses."""
    return [arguments.get("progress", arguments.get("status")) for _, arguments in world.ran]


async def until_told(world: Running, *values: object) -> None:
    """The platform has been told just these."""
    await world.until(lambda: len(world.ran) >= len(values))
    assert told(world) == list(values)


async def outcomes(world: Running) -> dict[str, int]:
    """How many inputs became of each; the books balance."""
    found = await world.daemon.parts.store.books()
    assert found.balanced, found
    return {one.value: count for one, count in found.outcomes.items() if count}


def watched(session: str, played: str, **result: object) -> dict[str, Any]:
    """The rest of a statement of xapi-videojs about a video of ten seconds."""
    return {
        "result": {"extensions": {f"{VIDEO}played-segments": played}, **result},
        "context": {
            "contextActivities": {"category": [{"id": "https://w3id.org/xapi/video"}]},
            "extensions": {
                f"{VIDEO}session-id": session,
                f"{VIDEO}length": 10.01,
                f"{VIDEO}completion-threshold": "1.0",
            },
        },
    }


async def test_a_video_that_is_watched_in_two_sessions_is_complete(tmp_path: Path) -> None:
    async with running(tmp_path, TOPICS) as world:
        await world.say("terminated", TOPIC, ANA, **watched("one", "5[.]10.01"))
        await until_told(world, 50)
        await world.say("terminated", TOPIC, ANA, **watched("two", "0.002[.]2.417[,]2[.]5.1"))
        await until_told(world, 50, 100)


async def test_a_launched_video_is_complete_on_the_platform_when_all_of_it_was_played(
    tmp_path: Path,
) -> None:
    video = "https://videos.example.com/yard"
    async with launching(tmp_path) as world:
        launch = await world.launch(activity=video, topicId="topic_demo_2", courseId="course_demo")
        for session, played in (("one", "0[.]4"), ("two", "9[.]10.01"), ("two", "3.9[.]9")):
            said = watched(session, played)
            assert (await world.say(launch, "terminated", video, **said))[0] == 200
        await world.run.until(lambda: 100 in told(world.run))
        data = await world.run.ask(
            '{ PagesCompletedByCourse(courseId: "course_demo") { ... on PageEntity { id } } }', ANA
        )
        assert data == {"PagesCompletedByCourse": [{"id": "topic_demo_2"}]}
        assert list_parked(world.run.database) == []


async def test_a_jump_to_the_end_of_a_video_completes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, TOPICS) as world:
        end = watched("one", "0[.]1[,]9[.]10.01", completion=True)
        await world.say("completed", TOPIC, ANA, **end)
        await until_told(world, 20)
        await world.say("paused", TOPIC, ANA, **watched("two", "1[.]9"))
        await until_told(world, 20, 100)


async def test_segments_that_make_no_sense_are_left_out(tmp_path: Path) -> None:
    async with running(tmp_path, TOPICS) as world:
        await world.say("completed", TOPIC, ANA, **watched("one", "from 0 to 10"))
        await until_told(world, 100)
        assert await world.daemon.parts.store.dead_letters(limit=9) == []
        assert await outcomes(world) == {"applied": 1}


async def test_of_h5p_only_the_whole_activity_completes(tmp_path: Path) -> None:
    category = {"category": [{"id": "http://h5p.org/libraries/H5P.QuestionSet-1.20"}]}
    inner = {**category, "parent": [{"id": TOPIC}]}
    async with running(tmp_path, TOPICS) as world:
        done = {"result": {"completion": True, "success": True, "score": {"scaled": 1}}}
        question = f"{TOPIC}?subContentId=1f1d6a0e"
        await world.say("answered", question, ANA, context={"contextActivities": inner}, **done)
        await world.say("answered", TOPIC, ANA, context={"contextActivities": inner}, **done)
        await world.say("progressed", TOPIC, ANA, context={"contextActivities": category})
        await world.say("answered", TOPIC, ANA, context={"contextActivities": category}, **done)
        assert await outcomes(world) == {"no_effect": 4}
        await world.say("completed", TOPIC, ANA, context={"contextActivities": category}, **done)
        await until_told(world, 100)


async def test_rise_counts_up_and_repeats_itself(tmp_path: Path) -> None:
    def rise(percentage: int) -> dict[str, Any]:
        name = "http://w3id.org/xapi/cmi5/result/extensions/progress"
        return {"result": {"completion": False, "extensions": {name: percentage}}}

    async with running(tmp_path, TOPICS) as world:
        await world.say("progressed", TOPIC, ANA, **rise(13))
        await until_told(world, 13)
        await world.say("progressed", TOPIC, ANA, **rise(38))
        await until_told(world, 13, 38)
        for _ in range(3):
            await world.say("progressed", TOPIC, ANA, **rise(38))
        assert await outcomes(world) == {"applied": 2, "superseded": 3}
        await world.say("passed", TOPIC, ANA, result={"completion": True, "success": True})
        await until_told(world, 13, 38, 100)


async def test_slides_of_storyline_are_counted(tmp_path: Path) -> None:
    slides = "\n".join(
        f'<activity id="{CONTENT}/topic_demo_1/{slide}" type="{TYPE}module"/>' for slide in "abcd"
    )
    (tmp_path / "tincan.xml").write_text(
        '<tincan xmlns="http://projecttincan.com/tincan.xsd"><activities>'
        f'<activity id="{TOPIC}" type="{TYPE}course"/>{slides}</activities></tincan>'
    )
    rules = f"""
    [[rules]]
    activity = "{CONTENT}/{{topic}}/{{slide}}"
    topic_id = "{{topic}}"
    tincan_xml = "tincan.xml"
    {TOPICS}
    """
    async with running(tmp_path, rules) as world:
        around = {"contextActivities": {"parent": [{"id": TOPIC}], "grouping": [{"id": TOPIC}]}}
        await world.say("experienced", f"{TOPIC}/a", ANA, context=around)
        await until_told(world, 25)
        await world.say("experienced", f"{TOPIC}/a", ANA, context=around)
        await world.say("experienced", f"{TOPIC}/c", ANA, context=around)
        await until_told(world, 25, 50)
        await world.say("completed", TOPIC, ANA, context=around, result={"completion": True})
        await until_told(world, 25, 50, 100)


async def test_every_slide_seen_is_complete(tmp_path: Path) -> None:
    rules = f"""
    [[rules]]
    activity = "{CONTENT}/{{topic}}/{{slide}}"
    topic_id = "{{topic}}"
    slides = 3
    """
    async with running(tmp_path, rules) as world:
        for slide in "abc":
            await world.say("experienced", f"{TOPIC}/{slide}", ANA)
        await world.until(lambda: told(world)[-1:] == [100])


UNITS = f"""
[[rules]]
activity = "{CONTENT}/{{course}}/{{unit}}"
topic_id = "{{unit}}"
course_slug = "{{course}}"
course_started = false
course_completed = "completed_and_passed"
course_parts = 2
move_on = "CompletedAndPassed"
"""


@pytest.mark.parametrize("order", list(itertools.permutations(["completed", "passed"])))
async def test_a_unit_that_must_be_completed_and_passed_takes_both(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    first, second = order
    unit = f"{CONTENT}/demo-course/topic_demo_1"
    async with running(tmp_path, UNITS) as world:
        await world.say("passed", unit, ANA, result={"success": False, "completion": False})
        await world.say(first, unit, ANA)
        assert await outcomes(world) == {"no_effect": 1, "applied": 1}
        await world.say(second, unit, ANA)
        await world.until(lambda: told(world)[-1:] == [100])
        assert "completed" not in told(world)


async def test_a_course_of_two_units_is_completed_with_the_second(tmp_path: Path) -> None:
    one, two = (f"{CONTENT}/demo-course/topic_demo_{number}" for number in (1, 2))
    async with running(tmp_path, UNITS) as world:
        for verb, unit in (("passed", one), ("completed", two), ("completed", one)):
            await world.say(verb, unit, ANA)
        await world.until(lambda: 100 in told(world))
        await world.say("completed", one, ANA)
        assert "completed" not in told(world)
        await world.say("passed", two, ANA)
        await world.until(lambda: told(world)[-1:] == ["completed"])
        assert world.ran[-1][1]["slug"] == "demo-course"


async def test_what_was_said_before_the_daemon_stopped_counts_afterwards(tmp_path: Path) -> None:
    unit = f"{CONTENT}/demo-course/topic_demo_1"
    async with running(tmp_path, UNITS) as world:
        await world.say("passed", unit, ANA)
    async with running(tmp_path, UNITS) as world:
        await world.say("completed", unit, ANA)
        await world.until(lambda: told(world)[-1:] == [100])
