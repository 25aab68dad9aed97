"""cmi5 over HTTP: from a launch to what the platform shows."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import orjson
import pytest

from pointsman.domain.operator_actions import ActionKind
from pointsman.sources.players.cmi5 import vocabulary
from tests.support.cmi5_player import PUBLISHER, Player, fetch, play, state
from tests.support.launch_client import (
    ANA,
    COURSE,
    OPERATOR,
    SIGNING_KEY,
    Launching,
    launching,
)
from tests.support.running_daemon import ADL
from tests.support.store_queries import look

TOPIC: dict[str, Any] = {"topicId": "topic_demo_1", "courseId": "course_demo"}
RULES = """
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path, RULES) as running:
        yield running


async def stated(world: Launching, player: Player, verb: str | None = None) -> list[dict[str, Any]]:
    """What is stored under the registration and not void, oldest first."""
    registration = player.launch["registration"]
    found = await world.run.get(
        f"/xapi/statements?ascending=true&limit=100&registration={registration}"
    )
    statements: list[dict[str, Any]] = found["statements"]
    return [statement for statement in statements if verb in {None, statement["verb"]["id"]}]


async def oddities(world: Launching) -> dict[str, float]:
    """What was counted, by kind; each is there from the start, at 0."""
    page, _ = await world.run.daemon.parts.metrics_page()
    found = {}
    for line in page.decode().splitlines():
        if line.startswith("pointsman_cmi5_oddities_total{"):
            kind, count = line.removeprefix('pointsman_cmi5_oddities_total{kind="').split('"} ')
            if float(count):
                found[kind] = float(count)
    return found


async def test_from_launch_to_what_the_platform_shows(world: Launching) -> None:
    player = await play(world, **TOPIC, moveOn="CompletedAndPassed", masteryScore=0.8)
    await player.good("initialized")
    await player.progress(40)
    await world.run.until(lambda: len(world.run.ran) >= 2)
    await player.say("passed", score={"scaled": 0.9})
    await player.good("completed", "terminated")
    await world.run.until(lambda: 100 in values(world))
    data = await world.run.ask(
        '{ PagesCompletedByCourse(courseId: "course_demo") { ... on PageEntity { id } } }', ANA
    )
    assert data == {"PagesCompletedByCourse": [{"id": "topic_demo_1"}]}
    assert values(world)[0] == 40
    assert [one["verb"]["id"].rpartition("/")[2] for one in await stated(world, player)] == [
        "launched",
        "initialized",
        "progressed",
        "passed",
        "completed",
        "satisfied",
        "terminated",
    ]
    assert await oddities(world) == {}


def values(world: Launching) -> list[int]:
    return [
        arguments["progress"]
        for name, arguments in world.run.ran
        if name == "UpdateTopicAndCourseProgress"
    ]


async def test_the_fetch_url_gives_its_credential_once(world: Launching) -> None:
    launch = await world.launch(kind="cmi5")
    answers = await asyncio.gather(*(fetch(world, launch["fetchUrl"]) for _ in range(5)))
    given = [body for _, body in answers if "auth-token" in body]
    assert len(given) == 1
    assert [status for status, _ in answers] == [200] * 5
    others = [body for _, body in answers if body not in given]
    assert others == [{"error-code": "1", "error-text": "Already in Use"}] * 4


async def test_a_new_launch_of_a_registration_can_be_fetched_once_more(world: Launching) -> None:
    first = await world.launch(kind="cmi5")
    second = await world.launch(kind="cmi5", registration=first["registration"])
    assert second["fetchUrl"] != first["fetchUrl"]
    assert (await fetch(world, first["fetchUrl"]))[1]["error-code"] == "1"
    assert "auth-token" in (await fetch(world, second["fetchUrl"]))[1]
    assert (await fetch(world, second["fetchUrl"]))[1]["error-code"] == "1"


async def test_a_fetch_url_that_never_was_good_is_401(world: Launching) -> None:
    launch = await world.launch(kind="cmi5")
    base, _, token = launch["fetchUrl"].rpartition("/")
    claims = jwt.decode(token, options={"verify_signature": False})
    expired = jwt.encode({**claims, "exp": claims["iat"]}, SIGNING_KEY, algorithm="HS256")
    forged = jwt.encode(claims, "another-key-that-is-long-enough-too", algorithm="HS256")
    other = jwt.encode({**claims, "aud": "xapi"}, SIGNING_KEY, algorithm="HS256")
    for shown, code in ((expired, "1"), (forged, "2"), (other, "2"), ("x", "2")):
        status, body = await fetch(world, f"{base}/{shown}")
        assert (status, body["error-code"]) == (401, code)
    async with world.run.session.get(launch["fetchUrl"]) as answer:
        assert answer.status == 405
    page, _ = await world.run.daemon.parts.metrics_page()
    assert token.encode() not in page
    assert b'route="/cmi5/fetch/{token}"' in page


async def test_launch_data_and_preferences_are_there_before_the_player(world: Launching) -> None:
    player = await play(
        world,
        moveOn="Passed",
        masteryScore=0.75,
        url="https://cdn.example.com/unit/?lang=en",
        player={
            "publisherId": PUBLISHER,
            "launchMethod": "OwnWindow",
            "launchParameters": "mode=demo",
            "returnURL": "https://learn.example.com/back",
            "entitlementKey": {"courseStructure": "abc", "alternate": "def"},
            "learnerPreferences": {"languagePreference": "de-DE,en", "audioPreference": "off"},
        },
    )
    launch = player.launch
    _, data = await player.get(state(launch, vocabulary.LAUNCH_DATA))
    assert data == {
        "contextTemplate": {
            "registration": launch["registration"],
            "contextActivities": {"grouping": [{"objectType": "Activity", "id": PUBLISHER}]},
            "extensions": {vocabulary.SESSION_ID: player.session},
        },
        "launchMode": "Normal",
        "launchMethod": "OwnWindow",
        "moveOn": "Passed",
        "masteryScore": 0.75,
        "launchParameters": "mode=demo",
        "returnURL": "https://learn.example.com/back",
        "entitlementKey": {"courseStructure": "abc", "alternate": "def"},
    }
    agent = orjson.dumps(launch["actor"]).decode()
    profile = f"/xapi/agents/profile?profileId={vocabulary.PREFERENCES}&agent={agent}"
    assert await player.get(profile) == (
        200,
        {"languagePreference": "de-DE,en", "audioPreference": "off"},
    )
    (launched,) = await stated(world, player)
    assert launched["verb"]["id"] == vocabulary.LAUNCHED
    assert launched["context"]["contextActivities"] == {
        "category": [{"objectType": "Activity", "id": vocabulary.CMI5_CATEGORY}],
        "grouping": [{"objectType": "Activity", "id": PUBLISHER}],
    }
    assert launched["context"]["extensions"] == {
        vocabulary.SESSION_ID: player.session,
        vocabulary.MASTERY_SCORE: 0.75,
        vocabulary.LAUNCH_MODE: "Normal",
        vocabulary.LAUNCH_URL: "https://cdn.example.com/unit/?lang=en",
        vocabulary.MOVE_ON: "Passed",
        vocabulary.LAUNCH_PARAMETERS: "mode=demo",
    }
    query = {
        name: value for name, (value,) in parse_qs(urlsplit(launch["launchUrl"]).query).items()
    }
    assert query == {
        "lang": "en",
        "endpoint": launch["endpoint"],
        "fetch": launch["fetchUrl"],
        "actor": json.dumps(launch["actor"], separators=(",", ":")),
        "registration": launch["registration"],
        "activityId": COURSE,
    }
    assert launch["actor"] == {
        "objectType": "Agent",
        "account": {"homePage": launch["actor"]["account"]["homePage"], "name": ANA},
    }


async def test_without_preferences_there_is_no_profile(world: Launching) -> None:
    player = await play(world)
    agent = orjson.dumps(player.launch["actor"]).decode()
    status, _ = await player.get(
        f"/xapi/agents/profile?profileId={vocabulary.PREFERENCES}&agent={agent}"
    )
    assert status == 404


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_launch_data_is_not_the_players_to_change(world: Launching, method: str) -> None:
    player = await play(world)
    shown = {**player.launch, "authorization": player.authorization}
    where = state(player.launch, vocabulary.LAUNCH_DATA)
    body = {} if method == "DELETE" else {"json": {"launchMode": "Normal"}}
    status, text = await world.send(shown, method, where, **body)
    assert status == 403, text
    assert vocabulary.LAUNCH_DATA in text
    all_of_them = where.replace(f"&stateId={vocabulary.LAUNCH_DATA}", "")
    status, text = await world.send(shown, "DELETE", all_of_them)
    assert status == 403, text
    assert (await player.get(where))[0] == 200
    bookmark = state(player.launch, "bookmark")
    assert (await world.send(shown, "PUT", bookmark, data=b"3"))[0] == 204
    assert (await world.send(shown, "DELETE", bookmark))[0] == 204


@pytest.mark.parametrize("verb", [vocabulary.LAUNCHED, vocabulary.SATISFIED, f"{ADL}satisfied"])
async def test_a_player_may_not_say_what_is_the_lmss(world: Launching, verb: str) -> None:
    player = await play(world, **TOPIC, moveOn="Passed")
    statement = {**player.statement("completed"), "verb": {"id": verb}}
    status, body = await player.post(statement)
    assert status == 403
    assert "the LMS's to say" in body
    assert [one["verb"]["id"] for one in await stated(world, player)] == [vocabulary.LAUNCHED]


async def test_a_session_id_that_is_not_its_own_is_refused_and_a_missing_one_put_in(
    world: Launching,
) -> None:
    player = await play(world)
    foreign = player.statement("initialized")
    foreign["context"]["extensions"][vocabulary.SESSION_ID] = str(uuid.uuid4())
    status, body = await player.post(foreign)
    assert status == 403
    assert "section 9.6.3.1" in body
    missing = player.statement("initialized")
    del missing["context"]["extensions"]
    assert (await player.post(missing))[0] == 200
    (kept,) = await stated(world, player, vocabulary.INITIALIZED)
    assert kept["context"]["extensions"] == {vocabulary.SESSION_ID: player.session}
    assert await oddities(world) == {"no_session_id": 1}


async def test_a_lost_initialized_loses_nothing(world: Launching) -> None:
    player = await play(world, **TOPIC, moveOn="Completed")
    await player.good("completed")
    await world.run.until(lambda: 100 in values(world))
    assert await oddities(world) == {"not_initialized": 1}


async def test_nothing_is_taken_after_terminated(tmp_path: Path) -> None:
    async with launching(tmp_path, "grace_seconds = 0\n" + RULES) as world:
        player = await play(world, **TOPIC)
        await player.good("initialized", "terminated")
        status, body = await player.say("completed")
        assert status == 403
        assert "launches.grace_seconds" in body
        assert len(await stated(world, player)) == 3
        assert (await fetch(world, player.launch["fetchUrl"]))[1]["error-code"] == "1"
        again = await play(world, **TOPIC, registration=player.launch["registration"])
        await again.good("initialized", "completed")
        await world.run.until(lambda: 100 in values(world))
        assert await stated(world, again, vocabulary.ABANDONED) == []


async def test_what_comes_soon_after_terminated_is_taken_and_counted(world: Launching) -> None:
    player = await play(world, **TOPIC)
    await player.good("initialized", "terminated", "completed")
    await world.run.until(lambda: 100 in values(world))
    assert await oddities(world) == {"after_terminated": 1}


async def test_a_session_that_a_newer_launch_supersedes_is_abandoned(world: Launching) -> None:
    asked = {**TOPIC, "player": {"publisherId": PUBLISHER}}
    first = await play(world, **asked)
    await first.good("initialized")
    await first.progress(30)
    registration = first.launch["registration"]
    second = await play(
        world, **TOPIC, registration=registration, player={"publisherId": PUBLISHER}
    )
    assert second.session != first.session
    (abandoned,) = await stated(world, second, vocabulary.ABANDONED)
    assert abandoned["context"]["extensions"] == {vocabulary.SESSION_ID: first.session}
    assert abandoned["result"]["duration"].startswith("PT")
    status, body = await first.say("completed")
    assert status == 403
    assert "launched again" in body
    await second.good("initialized", "completed", "terminated")
    third = await play(world, **TOPIC, registration=registration)
    assert len(await stated(world, third, vocabulary.ABANDONED)) == 1
    await world.run.until(lambda: 100 in values(world))
    # that a session broke off is not that the learner gave up the course
    assert "not-completed" not in json.dumps(world.run.ran, default=str)


async def test_one_that_was_launched_and_never_came_is_not_abandoned(world: Launching) -> None:
    first = await world.launch(kind="cmi5")
    second = await play(world, registration=first["registration"])
    assert await stated(world, second, vocabulary.ABANDONED) == []
    assert len(await stated(world, second, vocabulary.LAUNCHED)) == 2


SATISFIED: list[tuple[str, list[tuple[str, float | None]], bool]] = [
    ("Passed", [("completed", None)], False),
    ("Passed", [("passed", None)], True),
    ("Passed", [("passed", 0.79)], False),
    ("Passed", [("failed", 0.2), ("passed", 0.8)], True),
    ("Completed", [("passed", 0.9)], False),
    ("Completed", [("completed", None)], True),
    ("CompletedAndPassed", [("completed", None)], False),
    ("CompletedAndPassed", [("completed", None), ("failed", 0.1)], False),
    ("CompletedAndPassed", [("passed", 1.0), ("completed", None)], True),
    ("CompletedOrPassed", [("completed", None)], True),
    ("CompletedOrPassed", [("passed", None)], True),
    ("CompletedOrPassed", [("failed", 0.1)], False),
    ("NotApplicable", [], True),
]


@pytest.mark.parametrize(("move_on", "says", "met"), SATISFIED)
async def test_satisfied_is_stated_once_when_move_on_is_met(
    world: Launching, move_on: str, says: list[tuple[str, float | None]], *, met: bool
) -> None:
    player = await play(world, **TOPIC, moveOn=move_on, masteryScore=0.8)
    await player.good("initialized")
    await player.progress(100)
    for verb, scaled in says:
        result = {} if scaled is None else {"score": {"scaled": scaled}}
        assert (await player.say(verb, **result))[0] == 200
    await player.good("terminated")
    satisfied = await stated(world, player, vocabulary.SATISFIED)
    assert len(satisfied) == int(met)
    assert "result" not in json.dumps(satisfied)
    await world.run.until(lambda: max(values(world), default=0) == (100 if met else 99))
    data = await world.run.ask(
        '{ PagesCompletedByCourse(courseId: "course_demo") { ... on PageEntity { id } } }', ANA
    )
    assert data == {"PagesCompletedByCourse": [{"id": "topic_demo_1"}] if met else []}


async def test_the_halves_of_move_on_may_come_at_once(world: Launching) -> None:
    player = await play(world, **TOPIC, moveOn="CompletedAndPassed")
    await asyncio.gather(player.good("completed"), player.good("passed"))
    assert len(await stated(world, player, vocabulary.SATISFIED)) == 1


async def test_move_on_is_met_over_several_sessions(world: Launching) -> None:
    player = await play(world, **TOPIC, moveOn="CompletedAndPassed")
    await player.good("initialized", "completed", "terminated")
    again = await play(
        world, **TOPIC, moveOn="CompletedAndPassed", registration=player.launch["registration"]
    )
    assert await stated(world, again, vocabulary.SATISFIED) == []
    await again.good("initialized", "passed", "terminated")
    (satisfied,) = await stated(world, again, vocabulary.SATISFIED)
    assert satisfied["context"]["extensions"] == {vocabulary.SESSION_ID: again.session}


async def test_what_cmi5_only_allows_does_not_meet_move_on(world: Launching) -> None:
    player = await play(world, **TOPIC, moveOn="Passed")
    allowed = player.statement("passed")
    allowed["context"]["contextActivities"] = {"category": []}
    part = {**player.statement("passed"), "object": {"id": f"{COURSE}/test"}}
    for statement in (player.statement("initialized"), allowed, part):
        assert (await player.post(statement))[0] == 200
    assert await stated(world, player, vocabulary.SATISFIED) == []
    assert await oddities(world) == {"not_cmi5_defined": 1, "not_the_activity": 1}


@pytest.mark.parametrize("mode", ["Browse", "Review"])
async def test_browse_and_review_write_no_progress(world: Launching, mode: str) -> None:
    player = await play(world, **TOPIC, mode=mode, moveOn="Completed")
    await player.good("initialized", "completed", "terminated")
    again = await play(
        world, **TOPIC, moveOn="Completed", registration=player.launch["registration"]
    )
    await again.good("initialized")
    assert await stated(world, again, vocabulary.SATISFIED) == []
    await world.run.until(lambda: bool(world.run.ran))
    assert values(world) == []
    await again.good("completed")
    await world.run.until(lambda: 100 in values(world))


async def test_a_course_without_topic_is_completed_when_satisfied(world: Launching) -> None:
    player = await play(world, courseId="course_demo", moveOn="CompletedAndPassed")
    await player.good("initialized", "completed")
    await world.run.until(lambda: bool(world.run.ran))
    await player.good("passed")
    await world.run.until(lambda: len(world.run.ran) >= 2)
    assert [str(arguments["status"]) for _, arguments in world.run.ran] == ["started", "completed"]


async def test_a_rule_says_the_topic_and_the_launch_when_it_is_complete(world: Launching) -> None:
    activity = "https://content.example.com/topic_demo_2"
    player = await play(world, activity=activity, moveOn="CompletedAndPassed")
    await player.good("initialized", "completed")
    await world.run.until(lambda: values(world) == [99])
    await player.good("passed")
    await world.run.until(lambda: values(world) == [99, 100])


async def waive(
    world: Launching, registration: str, reason: Any, authorization: str = OPERATOR
) -> tuple[int, dict[str, Any]]:
    async with world.run.session.post(
        f"{world.url}/launches/{registration}/waive",
        json={"reason": reason},
        headers={"Authorization": authorization},
    ) as answer:
        return answer.status, await answer.json()


async def test_an_operator_waives(world: Launching) -> None:
    player = await play(world, **TOPIC, moveOn="CompletedAndPassed")
    registration = player.launch["registration"]
    status, first = await waive(world, registration, "Administrative")
    assert status == 200
    assert (await waive(world, registration, "Tested Out")) == (200, first)
    again, recorded, _ = look(world.run.database, lambda store: store.operator_actions(limit=9))
    assert (recorded.kind, again.kind) == (ActionKind.WAIVE, ActionKind.WAIVE)
    assert recorded.details == {"registration": registration, "reason": "Administrative"}
    (waived,) = await stated(world, player, vocabulary.WAIVED)
    assert waived["id"] == first["statement"]
    assert waived["result"] == {
        "success": True,
        "completion": True,
        "extensions": {vocabulary.REASON: "Administrative"},
    }
    assert waived["context"]["extensions"][vocabulary.SESSION_ID] != player.session
    assert len(await stated(world, player, vocabulary.SATISFIED)) == 1
    await world.run.until(lambda: 100 in values(world))


async def test_a_waiver_that_can_not_be_says_why(world: Launching) -> None:
    player = await play(world)
    other = await world.launch()
    registration = player.launch["registration"]
    for name, reason, shown, status, part in (
        (registration, " ", OPERATOR, 400, "reason"),
        (registration, 1, OPERATOR, 400, "reason"),
        (str(uuid.uuid4()), "Administrative", OPERATOR, 404, "no launch"),
        ("x", "Administrative", OPERATOR, 404, "UUID"),
        (other["registration"], "Administrative", OPERATOR, 409, "only cmi5"),
        (registration, "Administrative", player.authorization, 401, "known"),
    ):
        got, body = await waive(world, name, reason, shown)
        assert got == status, body
        assert part in body["error"]["reason"]
    assert await stated(world, player, vocabulary.WAIVED) == []


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"player": {"publisherID": PUBLISHER}}, "player.publisherID"),
        ({"player": {"publisherId": COURSE}}, "player.publisherId"),
        ({"player": {"returnURL": "javascript:alert(1)"}}, "player.returnURL"),
        ({"player": {"launchMethod": "NewWindow"}}, "player.launchMethod"),
        ({"player": {"entitlementKey": "abc"}}, "player.entitlementKey"),
        ({"player": {"learnerPreferences": {"audioPreference": "loud"}}}, "audioPreference"),
        ({"moveOn": "Sometime"}, "moveOn"),
        ({"masteryScore": 1.1}, "masteryScore"),
        ({"actor": {"mbox": "mailto:ana@example.com"}}, "account"),
        ({"url": "https://cdn.example.com/?a=1&registration=x"}, "url: must not have registration"),
    ],
)
async def test_a_cmi5_launch_that_can_not_be_names_its_field(
    world: Launching, more: dict[str, Any], part: str
) -> None:
    refused = await world.launch(status=400, kind="cmi5", **more)
    assert part in refused["error"]["reason"]


async def test_no_credential_of_a_session_is_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with launching(tmp_path, RULES) as world:
        player = await play(world)
        await player.good("completed")

        def broken(*_: object) -> None:
            raise RuntimeError("a fault of ours")

        monkeypatch.setattr("pointsman.sources.http.cmi5.in_base64", broken)
        launch = await world.launch(kind="cmi5")
        async with world.run.session.post(launch["fetchUrl"]) as answer:
            assert answer.status == 500
    shown = "".join(capfd.readouterr())
    assert "/cmi5/fetch/{token}" in shown
    for one in (player.launch, launch):
        assert one["fetchUrl"].rpartition("/")[2] not in shown
    assert player.authorization.removeprefix("Basic ") not in shown


async def test_other_players_know_nothing_of_sessions(world: Launching) -> None:
    launch = await world.launch()
    for verb in ("terminated", "completed", "satisfied"):
        assert (await world.say(launch, verb))[0] == 200
    _, found = await world.send(launch, "GET", "/xapi/statements")
    assert vocabulary.SESSION_ID not in found
    assert f"{ADL}launched" not in found
