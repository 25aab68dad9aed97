"""What GET /xapi/activities tells every learner is never what one learner's player said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.launch_client import ANA, BEN, COURSE, Launching, launching

HOSTILE = {"name": {"en": "<img src=x onerror=alert(1)>"}, "moreInfo": "https://evil.example.com"}
NO_RIGHT = """
[[sources.http]]
name = "page"
credentials = [{ key = "page", secret = "a-secret-in-a-page" }]
defines_activities = false
"""


async def told(world: Launching, launch: dict[str, Any]) -> Any:
    status, body = await world.send(launch, "GET", f"/xapi/activities?activityId={COURSE}")
    assert status == 200
    return json.loads(body)


async def test_a_players_definition_is_told_to_nobody(tmp_path: Path) -> None:
    async with launching(tmp_path) as world:
        ana, ben = await world.launch(), await world.launch(learner=BEN)
        hostile = {"id": COURSE, "definition": HOSTILE}
        context = {"contextActivities": {"parent": [hostile]}}
        await world.say(ana, "experienced", object=hostile)
        await world.say(ana, "experienced", f"{COURSE}/page", context=context)
        for launch in (ana, ben):
            assert await told(world, launch) == {"objectType": "Activity", "id": COURSE}


async def test_sources_and_launches_define_whatever_players_say(tmp_path: Path) -> None:
    """Also where the newest hundred statements about the activity are all of one player."""
    async with launching(tmp_path, NO_RIGHT) as world:
        definition = {"name": {"en": "Intro"}, "type": "http://adlnet.gov/expapi/activities/course"}
        await world.run.say(
            "experienced", COURSE, ANA, object={"id": COURSE, "definition": definition}
        )
        ana, ben = await world.launch(), await world.launch(learner=BEN)
        statement = {
            "actor": ana["actor"],
            "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
            "object": {"id": COURSE, "definition": HOSTILE},
        }
        for _ in range(3):
            status, _ = await world.send(ana, "POST", "/xapi/statements", json=[statement] * 40)
            assert status == 200
        assert (await told(world, ben))["definition"] == definition
        described = {"name": {"de": "Einführung"}, "type": "https://example.com/types/unit"}
        await world.launch(definition=described)
        assert (await told(world, ben))["definition"] == {
            "name": {"en": "Intro", "de": "Einführung"},
            "type": "https://example.com/types/unit",
        }


async def test_a_definition_that_is_none_is_refused(tmp_path: Path) -> None:
    async with launching(tmp_path) as world:
        refused = await world.launch(status=400, definition={"name": "Intro"})
        assert "definition" in refused["error"]["reason"]
