"""What @xapi/cmi5 was recorded to send, sent again in a launched session: each gets what it needs.

Authorization, registration, agent and session ID are those of a fresh launch for each step.
"""

from __future__ import annotations

import json
import re
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientResponse
from yarl import URL

from pointsman.domain.launch import Launch
from pointsman.domain.records import Decision, Observation
from pointsman.mapping import Mapper
from pointsman.mapping.rules import short_verb
from pointsman.sources.players.cmi5 import vocabulary
from tests.support.launch_client import Launching, launching

DATA = Path(__file__).parents[1] / "data" / "players" / "xapi-cmi5.jsonl"
UNIT = "http://example.com/course/1"
PLAYER = "https://player.example.com"
#: what the recorder made up
REGISTRATION = "0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11"
SESSION = "458240298378231"
AGENT = {"objectType": "Agent", "account": {"homePage": "http://127.0.0.1", "name": "learner-1"}}
TOKEN = "Basic Y21pNWtleTpjbWk1c2VjcmV0"
GROUPING = "http://course-repository.example.edu/identifiers/courses/02baafcf"
ASKED: dict[str, Any] = {
    "kind": "cmi5",
    "activity": UNIT,
    "topicId": "topic_demo_1",
    "moveOn": "CompletedAndPassed",
    "masteryScore": 0.75,
    "player": {
        "publisherId": GROUPING,
        "launchParameters": "mode=demo",
        "returnURL": "https://learn.example.com/return",
        "entitlementKey": {"courseStructure": "abc", "alternate": "def"},
        "learnerPreferences": {"languagePreference": "en-US", "audioPreference": "on"},
    },
}

#: verb; progress, completion, success and score as they were observed; the topic's new value
Seen = tuple[str, float | None, bool | None, bool | None, float | None, int | None]
LAUNCHED: Seen = ("launched", None, None, None, None, None)
INITIALIZED: Seen = ("initialized", None, None, None, None, None)
TERMINATED: Seen = ("terminated", None, None, None, None, None)
COMPLETED: Seen = ("completed", None, True, None, None, 99)
SATISFIED: Seen = ("satisfied", None, None, None, None, 100)
ANSWERED: Seen = ("answered", None, None, True, None, None)
WHOLE: list[Seen] = [
    LAUNCHED,
    INITIALIZED,
    ("progressed", 25, None, None, None, 25),
    ANSWERED,
    ANSWERED,
    ("progressed", 75, None, None, None, 75),
    ("passed", None, None, True, 0.9, None),
    COMPLETED,
    SATISFIED,
    TERMINATED,
]
STEPS: dict[str, list[Seen]] = {
    "session/pass+complete": WHOLE,
    "session/fail": [
        LAUNCHED,
        INITIALIZED,
        ("failed", None, None, False, 0.5, None),
        TERMINATED,
    ],
    "session/moveOn": [
        LAUNCHED,
        INITIALIZED,
        ("passed", None, None, True, 0.8, None),
        COMPLETED,
        SATISFIED,
        TERMINATED,
    ],
    "session/bookmark-state": [LAUNCHED, INITIALIZED, TERMINATED],
    "fetch-url-reused(second POST)": [LAUNCHED],
    "fetch-url-401": [LAUNCHED],
    "launchdata-404": [LAUNCHED],
    "agentprofile-404": [LAUNCHED, INITIALIZED],
    **{f"fault-{status}-on-statements": WHOLE for status in (401, 403, 429, 500)},
}


def recorded() -> dict[str, list[dict[str, Any]]]:
    rows = [json.loads(line) for line in DATA.read_text().splitlines()]
    return {step: list(found) for step, found in groupby(rows, key=lambda row: row["step"])}


class Step:
    """One launch, and the credential that its player gets."""

    def __init__(self, world: Launching, launch: dict[str, Any]) -> None:
        self._world = world
        self._launch = launch
        self._authorization = "Basic undefined"
        self._session = SESSION

    async def send(self, row: dict[str, Any]) -> ClientResponse:
        fetches = row["path"] == "/cmi5/fetch"
        url = self._launch["fetchUrl"] if fetches else self._address(row)
        headers = {
            name: self._authorization if value == TOKEN else value
            for name, value in row["headers"]
            if name.lower() not in {"host", "connection", "content-length", "origin", "referer"}
        }
        answer = await self._world.run.session.request(
            row["method"],
            URL(url, encoded=True),
            headers=headers | {"Origin": PLAYER},
            data=self._own(row["body"]).encode() or None,
            skip_auto_headers=["Content-Type", "User-Agent", "Accept"],
        )
        await self._learn(row, answer)
        return answer

    def _address(self, row: dict[str, Any]) -> str:
        query = row["query"].replace(_encoded(AGENT), _encoded(self._launch["actor"]))
        return f"{self._world.url}{row['path']}?{query.replace(REGISTRATION, self._registration)}"

    def _own(self, body: str) -> str:
        agent = json.dumps(self._launch["actor"], separators=(",", ":"))
        return (
            body.replace(json.dumps(AGENT, separators=(",", ":")), agent)
            .replace(REGISTRATION, self._registration)
            .replace(SESSION, self._session)
        )

    async def _learn(self, row: dict[str, Any], answer: ClientResponse) -> None:
        if answer.status != 200:
            return
        if row["path"] == "/cmi5/fetch" and row["method"] == "POST":
            # as the client does, whether it is there or not
            given = (await answer.json()).get("auth-token", "undefined")
            self._authorization = f"Basic {given}"
        elif f"stateId={vocabulary.LAUNCH_DATA}" in row["query"] and row["method"] == "GET":
            told = await answer.json()
            self._session = told["contextTemplate"]["extensions"][vocabulary.SESSION_ID]

    @property
    def _registration(self) -> str:
        found: str = self._launch["registration"]
        return found


def _encoded(agent: dict[str, Any]) -> str:
    return quote(json.dumps(agent, separators=(",", ":")), safe="")


def needed(row: dict[str, Any], *, reused: bool) -> int:
    if row["method"] == "OPTIONS":
        return 204
    if reused and row["path"] != "/cmi5/fetch":
        return 401
    return 204 if row["method"] == "PUT" else 200


def check_body(row: dict[str, Any], body: Any, *, reused: bool) -> None:
    """What the client reads of an answer."""
    told: Any = json.loads(row["response_body"]) if row["response_status"] == 200 else {}
    if row["path"] == "/cmi5/fetch":
        assert set(body) == ({"error-code", "error-text"} if reused else {"auth-token"})
        assert not reused or body["error-code"] == told["error-code"]
    elif row["path"].endswith("/statements"):
        assert body == [json.loads(row["body"])["id"]]
    elif vocabulary.LAUNCH_DATA in row["query"] and told:
        for name in ("launchMode", "moveOn", "masteryScore", "launchParameters", "entitlementKey"):
            assert body[name] == told[name]
        template, theirs = body["contextTemplate"], told["contextTemplate"]
        assert template["contextActivities"] == theirs["contextActivities"]
    elif "stateId=bookmark" in row["query"]:
        assert body == told
    elif row["path"].endswith("/profile"):
        assert body == ASKED["player"]["learnerPreferences"]


def observed(seen: Observation, decision: Decision) -> Seen:
    values = [one.value for one in decision.changes if isinstance(one.value, int)]
    return (
        short_verb(seen.verb),
        seen.progress,
        seen.completion,
        seen.success,
        seen.score,
        values[0] if values else None,
    )


@pytest.mark.parametrize("step", list(STEPS))
async def test_each_recorded_exchange_gets_what_the_client_needs(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Seen] = []
    decide = Mapper.decide

    def watched(self: Mapper, one: Observation, launch: Launch | None = None) -> Decision:
        decision = decide(self, one, launch)
        seen.append(observed(one, decision))
        return decision

    monkeypatch.setattr(Mapper, "decide", watched)
    rows = recorded()[step]
    reused = step.startswith("fetch-url-reused")
    async with launching(tmp_path, cors_origins=(PLAYER,)) as world:
        launch = await world.launch(**ASKED)
        if reused:
            async with world.run.session.post(launch["fetchUrl"]) as first:
                assert first.status == 200
        player = Step(world, launch)
        for row in rows:
            answer = await player.send(row)
            text = await answer.text()
            assert answer.status == needed(row, reused=reused), (row["seq"], text)
            assert answer.headers["Access-Control-Allow-Origin"] == PLAYER
            if answer.status == 200:
                check_body(row, json.loads(text), reused=reused)
        page, _ = await world.run.daemon.parts.metrics_page()
        counts = re.findall(rb"^pointsman_cmi5_oddities_total{.*} (.*)$", page, re.MULTILINE)
        assert set(counts) == {b"0.0"}
    assert seen == STEPS[step]


def test_every_recorded_step_is_sent_again() -> None:
    assert set(STEPS) == set(recorded())
