"""What CATAPULT's LMS test suite asks of an LMS, by the numbers of its packages; no text is theirs.

001 essentials, 002 allowed, 004 moveOn, 005 conflicts, 006 modes, 007 sessions, 008 abandoned, 009
waived. 003 is about windows, which the customer's page opens; 101 to 210 are imports, which are in
tests/unit/test_courses.py. It wants conflicts rejected; last comes what is right where they are
voided.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pointsman.sources.players.cmi5 import vocabulary
from tests.support.cmi5_conflicts import CONFLICTS, MASTERY, conflicting
from tests.support.cmi5_player import PUBLISHER, Player, fetch, play, state
from tests.support.launch_client import ANA, OPERATOR, Launching, launching

ASKED: dict[str, Any] = {"masteryScore": MASTERY, "player": {"publisherId": PUBLISHER}}
CONTENT = "https://cdn.example.com/unit/index.html?paramA=1&paramB=2"
WRONG_PREFERENCES: list[tuple[str, bytes]] = [
    ("", b'{"languagePreference": "en-US,fr-BE", "audioPreference": "on"}'),
    ("text/plain", b"just text"),
    ("application/json", b"[]"),
    ("application/json", b'{"languagePreference": "en-US"}'),
    ("application/json", b'{"audioPreference": "on"}'),
    ("application/json", b'{"languagePreference": "no commas here", "audioPreference": "on"}'),
    ("application/json", b'{"languagePreference": "", "audioPreference": "on"}'),
    ("application/json", b'{"languagePreference": "en", "audioPreference": "loud"}'),
]


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path, 'grace_seconds = 0\ncmi5_conflicts = "reject"\n') as world:
        yield world


async def stated(world: Launching, registration: str) -> list[dict[str, Any]]:
    """All that is stored of it and not void, oldest first."""
    found = await world.run.get(
        f"/xapi/statements?ascending=true&limit=200&registration={registration}"
    )
    statements: list[dict[str, Any]] = found["statements"]
    return statements


def verbs(statements: list[dict[str, Any]]) -> list[str]:
    return [statement["verb"]["id"].rpartition("/")[2] for statement in statements]


def extension(statement: dict[str, Any], name: str) -> Any:
    return statement["context"]["extensions"][name]


def has(statement: dict[str, Any], kind: str, activity: str) -> bool:
    activities = statement["context"]["contextActivities"].get(kind, [])
    return activity in {one["id"] for one in activities}


async def test_001_essentials(strict: Launching) -> None:
    player_options = {
        **ASKED["player"],
        "launchParameters": "what the designer wrote",
        "entitlementKey": {"courseStructure": "sample value"},
        "learnerPreferences": {"languagePreference": "en-US"},
    }
    launch = await strict.launch(
        kind="cmi5",
        url=CONTENT,
        moveOn="CompletedAndPassed",
        masteryScore=MASTERY,
        player=player_options,
    )
    address = urlsplit(launch["launchUrl"])
    query = parse_qs(address.query)
    assert address.path.endswith("/index.html")
    assert (query["paramA"], query["paramB"]) == (["1"], ["2"])
    for name in ("endpoint", "fetch", "actor", "registration", "activityId"):
        assert len(query[name]) == 1
    assert query["activityId"] != [PUBLISHER]
    status, given = await fetch(strict, query["fetch"][0])
    assert status == 200
    player = Player(strict, launch, f"Basic {given['auth-token']}", "")
    status, data = await player.get(state(launch, vocabulary.LAUNCH_DATA))
    assert status == 200
    assert {name: data[name] for name in ("launchMode", "masteryScore", "moveOn")} == {
        "launchMode": "Normal",
        "masteryScore": MASTERY,
        "moveOn": "CompletedAndPassed",
    }
    assert data["launchParameters"] == player_options["launchParameters"]
    assert data["entitlementKey"] == player_options["entitlementKey"]
    template = data["contextTemplate"]
    assert {"id": PUBLISHER, "objectType": "Activity"} in template["contextActivities"]["grouping"]
    status, preferences = await player.get(player.preferences)
    assert status == 200
    assert set(preferences) == {"languagePreference", "audioPreference"}
    player.template = template
    player.session = template["extensions"][vocabulary.SESSION_ID]
    # each as PUT: 204, and neither id nor anything else is put in
    for verb in ("initialized", "passed", "completed", "terminated"):
        assert await player.put(player.statement(verb)) == (204, "")
    statements = await stated(strict, launch["registration"])
    assert verbs(statements) == [
        *("launched", "initialized", "passed", "completed", "satisfied", "terminated")
    ]
    launched, satisfied = statements[0], statements[4]
    for statement in (launched, satisfied):
        assert has(statement, "category", vocabulary.CMI5_CATEGORY)
        assert has(statement, "grouping", PUBLISHER)
        assert extension(statement, vocabulary.SESSION_ID) == player.session
    assert extension(launched, vocabulary.MASTERY_SCORE) == MASTERY
    assert extension(launched, vocabulary.LAUNCH_MODE) == "Normal"
    assert extension(launched, vocabulary.LAUNCH_URL) == CONTENT
    assert extension(launched, vocabulary.MOVE_ON) == "CompletedAndPassed"
    assert extension(launched, vocabulary.LAUNCH_PARAMETERS) == player_options["launchParameters"]
    # a launch is a course of one unit, so there is no block to be satisfied
    assert satisfied["object"]["definition"]["type"] == vocabulary.COURSE_TYPE
    assert satisfied["object"]["id"] != PUBLISHER


async def test_002_allowed_and_004_move_on(strict: Launching) -> None:
    for move_on, said, met_after in (
        ("Completed", ["experienced", "completed"], 4),
        ("CompletedOrPassed", ["experienced", "completed"], 4),
        ("Passed", ["experienced", "passed"], 4),
        ("CompletedOrPassed", ["experienced", "passed"], 4),
        ("NotApplicable", ["experienced"], 0),
    ):
        player = await play(strict, **ASKED, moveOn=move_on)
        await player.good("initialized", *said, "terminated")
        expected = ["launched", "initialized", *said, "terminated"]
        expected.insert(met_after, "satisfied")
        assert verbs(await stated(strict, player.launch["registration"])) == expected


async def test_005_1_conflicts_are_rejected(strict: Launching) -> None:
    """Each with 403, whole batches too, and nothing of them is stored."""
    launch = await strict.launch(kind="cmi5", moveOn="CompletedAndPassed", **ASKED)
    before = Player(strict, launch, "Basic bm86Z29vZA==", "")
    assert (await before.say("experienced"))[0] == 401
    _, given = await fetch(strict, launch["fetchUrl"])
    player = Player(strict, launch, f"Basic {given['auth-token']}", "")
    _, data = await player.get(state(launch, vocabulary.LAUNCH_DATA))
    player.template = data["contextTemplate"]
    player.session = player.template["extensions"][vocabulary.SESSION_ID]
    player.mastery_score = MASTERY
    await refused(player, player.statement("initialized"), "section 11")
    assert (await player.get(player.preferences))[0] == 404
    status, again = await fetch(strict, launch["fetchUrl"])
    assert (status, again["error-code"], "auth-token" in again) == (200, "1", False)
    await check_documents(player)
    await refused(player, player.statement("experienced"), "must come after initialized")
    await player.good("initialized", "experienced")
    known = player.statement("experienced")
    assert (await player.post(known))[0] == 200
    voiding = {**player.statement("experienced"), "verb": {"id": vocabulary.VOIDED}}
    await refused(player, {**voiding, "object": {"objectType": "StatementRef", "id": known["id"]}})
    await check_foreign(player)
    wrong = {}
    for conflict in CONFLICTS:
        status, body = await player.post(conflicting(conflict, player.statement(conflict.verb)))
        if status != 403:
            wrong[conflict.name] = (status, body)
    assert wrong == {}
    batch = [player.statement("experienced"), player.statement("initialized")]
    assert (await player.post(batch))[0] == 403
    await player.good("completed")
    await refused(player, player.statement("initialized"), "says a verb again")
    await refused(player, player.statement("completed"), "says a verb again")
    await player.good("passed")
    await refused(player, player.statement("passed"), "says a verb again")
    await refused(player, player.statement("failed"), "failed after passed")
    # what was taken already is no conflict when it is said again
    assert (await player.post(known))[0] == 204
    await player.good("terminated")
    assert verbs(await stated(strict, launch["registration"])) == [
        *("launched", "initialized", "experienced", "experienced"),
        *("completed", "passed", "satisfied", "terminated"),
    ]
    assert (await player.post(known))[0] == 403
    assert (await player.get(state(launch, "bookmark")))[0] == 403
    page, _ = await strict.run.daemon.parts.metrics_page()
    assert b'pointsman_cmi5_oddities_total{kind="not_utc"} 1.0' in page
    assert b'pointsman_inputs_total{result="refused",source="launch"}' in page


async def refused(player: Player, statement: dict[str, Any], why: str = "") -> None:
    status, body = await player.post(statement)
    assert status == 403, (statement, body)
    assert why in body


async def check_documents(player: Player) -> None:
    """What is the LMS's, or another learner's, or no preferences."""
    for method in ("PUT", "DELETE"):
        status, _ = await player.request(
            method, state(player.launch, vocabulary.LAUNCH_DATA), "application/json", b"{}"
        )
        assert status == 403
    good = WRONG_PREFERENCES[0][1]
    nobody = player.preferences.partition("&agent")[0]
    assert (await player.request("PUT", nobody, "application/json", good))[0] == 400
    other = f'{nobody}&agent={{"mbox":"mailto:ben@example.com"}}'
    assert (await player.request("PUT", other, "application/json", good))[0] == 403
    for content_type, body in WRONG_PREFERENCES:
        status, text = await player.request("PUT", player.preferences, content_type, body)
        assert (status, "section 11" in text) == (403, True), (content_type, body, text)
    assert (await player.request("PUT", player.preferences, "application/json", good))[0] == 204


async def check_foreign(player: Player) -> None:
    """Actors, objects and registrations that are not the launch's are 403 in any case."""
    agent = player.launch["actor"]
    for change, allowed in (
        ({"actor": {**agent, "objectType": "Group"}}, {403}),
        ({"actor": {**agent, "objectType": "Unknown"}}, {400, 403}),
        ({"actor": {"mbox": f"mailto:{ANA}"}}, {403}),
        ({"object": {"id": "https://example.com/not/the/lms/id"}}, {403}),
    ):
        assert (await player.post({**player.statement("passed"), **change}))[0] in allowed
    other = player.statement("passed")
    other["context"]["registration"] = str(uuid.uuid4())
    await refused(player, other, "registration")
    authorization, player.authorization = player.authorization, ""
    assert (await player.say("experienced"))[0] == 401
    player.authorization = authorization


async def test_005_2_failed_is_said_once_and_passed_not_after_it(strict: Launching) -> None:
    player = await play(strict, **ASKED)
    await player.good("initialized", "failed")
    await refused(player, player.statement("failed"), "says a verb again")
    await refused(player, player.statement("passed"), "both passed and failed")
    await player.good("terminated")


@pytest.mark.parametrize("mode", ["Browse", "Review"])
async def test_006_nothing_counts_that_was_not_launched_to(strict: Launching, mode: str) -> None:
    player = await play(strict, **ASKED, mode=mode)
    await player.good("initialized")
    for verb in ("completed", "failed", "passed"):
        await refused(player, player.statement(verb), "section 10.2.2")
    await player.good("experienced", "terminated")


async def test_007_completed_and_passed_are_said_once_in_a_registration(
    strict: Launching,
) -> None:
    first = await play(strict, **ASKED)
    await first.good("initialized", "completed", "passed", "terminated")
    second = await play(strict, **ASKED, registration=first.launch["registration"])
    await second.good("initialized")
    for verb in ("completed", "passed", "failed"):
        await refused(second, second.statement(verb), "section 9.3")
    await second.good("terminated")


async def test_008_an_abandoned_session_says_and_reads_nothing(strict: Launching) -> None:
    first = await play(strict, **ASKED)
    await first.good("initialized")
    registration = first.launch["registration"]
    await play(strict, **ASKED, registration=registration)
    await refused(first, first.statement("experienced"), "launched again")
    assert (await first.get(state(first.launch, "bookmark")))[0] == 403
    (abandoned,) = (
        statement
        for statement in await stated(strict, registration)
        if statement["verb"]["id"] == vocabulary.ABANDONED
    )
    assert abandoned["actor"]["account"] == first.launch["actor"]["account"]
    assert abandoned["object"]["id"] == first.launch["activity"]
    assert abandoned["result"]["duration"].startswith("PT")
    assert has(abandoned, "category", vocabulary.CMI5_CATEGORY)
    assert extension(abandoned, vocabulary.SESSION_ID) == first.session


async def test_009_waived_is_followed_by_satisfied(strict: Launching) -> None:
    player = await play(strict, **ASKED, moveOn="Completed")
    await player.good("initialized", "terminated")
    registration = player.launch["registration"]
    async with strict.run.session.post(
        f"{strict.url}/launches/{registration}/waive",
        json={"reason": "Administrative"},
        headers={"Authorization": OPERATOR},
    ) as answer:
        assert answer.status == 200
    waived, satisfied = (await stated(strict, registration))[-2:]
    assert verbs([waived, satisfied]) == ["waived", "satisfied"]
    assert waived["result"] == {
        "success": True,
        "completion": True,
        "extensions": {vocabulary.REASON: "Administrative"},
    }
    for category in (vocabulary.CMI5_CATEGORY, vocabulary.MOVE_ON_CATEGORY):
        assert has(waived, "category", category)
    assert has(satisfied, "category", vocabulary.CMI5_CATEGORY)
    session = extension(waived, vocabulary.SESSION_ID)
    assert session != player.session
    assert extension(satisfied, vocabulary.SESSION_ID) == session


async def test_where_conflicts_are_voided_they_are_taken_and_count(tmp_path: Path) -> None:
    """cmi5 section 6.3 as it is without a setting: nothing that a learner did is lost."""
    async with launching(tmp_path) as world:
        wrong = {}
        for conflict in CONFLICTS:
            player = await play(world, **ASKED)
            await player.good("initialized")
            statement = conflicting(conflict, player.statement(conflict.verb))
            status, body = await player.post(statement)
            (statement_id,) = [statement["id"]] if "id" in statement else [body[2:-2]]
            shown = await is_void(world, statement_id)
            # and said again it is known, and voided no second time
            again = (await player.post({**statement, "id": statement_id}))[0]
            if (status, shown, again) != (200, not conflict.is_mended, 204):
                wrong[conflict.name] = (status, shown, again, body)
        assert wrong == {}


async def test_a_voided_half_of_move_on_counts(
    tmp_path: Path,
) -> None:
    async with launching(tmp_path) as world:
        player = await play(world, **ASKED, moveOn="CompletedAndPassed")
        # before initialized, and without a duration
        completed = player.statement("completed")
        del completed["result"]["duration"]
        assert (await player.post(completed))[0] == 200
        assert await is_void(world, completed["id"])
        await player.good("initialized", "passed")
        assert "satisfied" in verbs(await stated(world, player.launch["registration"]))


async def is_void(world: Launching, statement_id: str) -> bool:
    """Whether it is, and by a statement of the LMS."""
    found = await world.run.get("/xapi/statements?verb=" + vocabulary.VOIDED)
    voiding = [
        statement for statement in found["statements"] if statement["object"]["id"] == statement_id
    ]
    assert len(voiding) <= 1
    assert all(statement["actor"]["account"]["name"] == "pointsman" for statement in voiding)
    name = "voidedStatementId" if voiding else "statementId"
    assert (await world.run.get(f"/xapi/statements?{name}={statement_id}"))["id"] == statement_id
    return bool(voiding)
