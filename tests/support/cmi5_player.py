"""A cmi5 player of our own: it fetches, and says what cmi5 has it say."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from pointsman.sources.players.cmi5 import vocabulary
from tests.support.launch_client import COURSE, Launching
from tests.support.running_daemon import ADL

PUBLISHER = "https://publisher.example.com/units/1"
_MOVE_ON = {"completed", "passed", "failed"}
_DEFINED = {"initialized", "terminated", *_MOVE_ON}
_RESULTS: dict[str, dict[str, Any]] = {
    "completed": {"completion": True, "duration": "PT1S"},
    "passed": {"success": True, "duration": "PT1S"},
    "failed": {"success": False, "duration": "PT1S"},
    "terminated": {"duration": "PT1S"},
}


@dataclass(slots=True)
class Player:
    """One session; `authorization` once it has fetched."""

    world: Launching
    launch: dict[str, Any]
    authorization: str
    session: str
    #: the contextTemplate that the LMS gave
    template: dict[str, Any] = field(default_factory=dict)
    mastery_score: float | None = None

    async def put(self, statement: dict[str, Any]) -> tuple[int, str]:
        path = f"/xapi/statements?statementId={statement['id']}"
        return await self.world.send(self._launch, "PUT", path, json=statement)

    async def request(
        self, method: str, path: str, content_type: str, body: bytes
    ) -> tuple[int, str]:
        headers = {"Content-Type": content_type}
        return await self.world.send(self._launch, method, path, data=body, headers=headers)

    async def post(self, statement: dict[str, Any] | list[dict[str, Any]]) -> tuple[int, str]:
        return await self.world.send(self._launch, "POST", "/xapi/statements", json=statement)

    async def say(self, verb: str, **result: Any) -> tuple[int, str]:
        return await self.post(self.statement(verb, **result))

    async def good(self, *verbs: str) -> None:
        """Say these, and be heard."""
        for verb in verbs:
            status, body = await self.say(verb)
            assert status == 200, (verb, body)

    async def progress(self, percentage: int) -> None:
        extensions = {"https://w3id.org/xapi/cmi5/result/extensions/progress": percentage}
        status, body = await self.say("progressed", extensions=extensions)
        assert status == 200, body

    async def get(self, path: str) -> tuple[int, Any]:
        status, body = await self.world.send(self._launch, "GET", path)
        return status, orjson.loads(body) if body else None

    def statement(self, verb: str, **result: Any) -> dict[str, Any]:
        categories = [vocabulary.CMI5_CATEGORY] if verb in _DEFINED else []
        categories += [vocabulary.MOVE_ON_CATEGORY] if verb in _MOVE_ON else []
        extensions: dict[str, Any] = {vocabulary.SESSION_ID: self.session}
        if "score" in result and self.mastery_score is not None:
            extensions[vocabulary.MASTERY_SCORE] = self.mastery_score
        activities = self.template.get("contextActivities", {})
        said = {
            "id": str(uuid.uuid4()),
            "timestamp": datetime.now(UTC).isoformat(),
            "actor": self.launch["actor"],
            "verb": {"id": f"{ADL}{verb}"},
            "object": {"id": self.launch["activity"]},
            "context": {
                "registration": self.launch["registration"],
                "contextActivities": {
                    **activities,
                    "category": [{"id": category} for category in categories],
                },
                "extensions": extensions,
            },
        }
        result = {**_RESULTS.get(verb, {}), **result}
        return said | ({"result": result} if result else {})

    @property
    def preferences(self) -> str:
        """The address of the learner's preferences."""
        agent = orjson.dumps(self.launch["actor"]).decode()
        return f"/xapi/agents/profile?profileId={vocabulary.PREFERENCES}&agent={agent}"

    @property
    def _launch(self) -> dict[str, Any]:
        return {**self.launch, "authorization": self.authorization}


async def fetch(world: Launching, url: str) -> tuple[int, dict[str, Any]]:
    async with world.run.session.post(url) as answer:
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status, await answer.json()


async def play(world: Launching, **asked: Any) -> Player:
    """Launch, fetch, and read what the LMS says."""
    launch = await world.launch(**{"kind": "cmi5", **asked})
    status, given = await fetch(world, launch["fetchUrl"])
    assert status == 200, given
    player = Player(world, launch, f"Basic {given['auth-token']}", "")
    status, told = await player.get(state(launch, vocabulary.LAUNCH_DATA))
    assert status == 200, told
    player.template = told["contextTemplate"]
    player.session = player.template["extensions"][vocabulary.SESSION_ID]
    player.mastery_score = told.get("masteryScore")
    await player.get(player.preferences)
    return player


def state(launch: dict[str, Any], name: str) -> str:
    """The address of a document of this launch."""
    agent = orjson.dumps(launch["actor"]).decode()
    return (
        f"/xapi/activities/state?activityId={launch['activity']}&stateId={name}"
        f"&registration={launch['registration']}&agent={agent}"
    )


__all__ = ["COURSE", "PUBLISHER", "Player", "fetch", "play", "state"]
