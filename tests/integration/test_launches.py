"""Launches: from a page's request to a player's statements and what the platform then shows."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from typer.testing import CliRunner

from pointsman.cli import app
from pointsman.cli.operator_identity import begun
from pointsman.commands import ReplayPage, replay
from pointsman.domain.operator_actions import ActionKind
from pointsman.domain.park_codes import CURED_BY_TOKEN
from tests.support.launch_client import (
    ANA,
    BEN,
    COURSE,
    OPERATOR,
    SIGNING_KEY,
    Launching,
    launching,
)
from tests.support.running_daemon import ADL
from tests.support.store_queries import list_parked, look

OTHER = "https://content.example.com/other"
RULES = """
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""
OF_ANA, OF_BEN = (f"%7B%22mbox%22%3A%22mailto%3A{who}%22%7D" for who in (ANA, BEN))
STATE = f"/xapi/activities/state?activityId={COURSE}&stateId=s"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path, RULES) as running:
        yield running


async def test_a_launched_player_moves_the_topic_that_its_launch_names(world: Launching) -> None:
    launch = await world.launch(topicId="topic_demo_1", courseId="course_demo")
    for verb in ("initialized", "completed"):
        assert (await world.say(launch, verb))[0] == 200
    await world.run.until(lambda: len(world.run.ran) >= 2)
    data = await world.run.ask(
        '{ PagesCompletedByCourse(courseId: "course_demo") { ... on PageEntity { id } } }', ANA
    )
    assert data == {"PagesCompletedByCourse": [{"id": "topic_demo_1"}]}
    names = {name for name, _ in world.run.ran}
    assert names == {"UpdateCourseStatus", "UpdateTopicAndCourseProgress"}


async def test_without_topic_and_course_the_rules_say_what_the_activity_is(
    world: Launching,
) -> None:
    launch = await world.launch(activity="https://content.example.com/topic_demo_2")
    status, _ = await world.say(launch, "completed", launch["activity"])
    assert status == 200
    await world.run.until(lambda: bool(world.run.ran))
    assert [arguments["topicId"] for _, arguments in world.run.ran] == ["topic_demo_2"]


async def test_the_launch_address_has_what_players_read(world: Launching) -> None:
    launch = await world.launch(url="https://cdn.example.com/a/index.html?lang=en#start")
    parts = urlsplit(launch["launchUrl"])
    assert (parts.netloc, parts.path, parts.fragment) == (
        "cdn.example.com",
        "/a/index.html",
        "start",
    )
    query = {name: value for name, (value,) in parse_qs(parts.query).items()}
    assert query == {
        "lang": "en",
        "endpoint": f"{world.url}/xapi/",
        "auth": launch["authorization"],
        "actor": json.dumps(launch["actor"], separators=(",", ":")),
        "registration": launch["registration"],
        "activity_id": COURSE,
    }


async def test_a_statement_without_registration_gets_that_of_its_launch(world: Launching) -> None:
    launch = await world.launch()
    _, body = await world.say(launch, "experienced", f"{COURSE}/page1")
    (statement_id,) = json.loads(body)
    _, found = await world.send(launch, "GET", f"/xapi/statements?statementId={statement_id}")
    assert json.loads(found)["context"]["registration"] == launch["registration"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"actor": {"mbox": f"mailto:{BEN}"}}, "actor"),
        ({"actor": {"objectType": "Group", "mbox": f"mailto:{ANA}"}}, "actor"),
        ({"context": {"registration": "39b0aaf8-0000-4000-8000-000000000000"}}, "registration"),
        ({"object": {"id": OTHER}}, "activity"),
        ({"object": {"id": f"{COURSE}-2"}}, "activity"),
        ({"object": {"objectType": "Agent", "mbox": f"mailto:{ANA}"}}, "about an activity"),
        (
            {
                "verb": {"id": f"{ADL}voided"},
                "object": {
                    "objectType": "StatementRef",
                    "id": "39b0aaf8-0000-4000-8000-000000000000",
                },
            },
            "about an activity",
        ),
    ],
)
async def test_what_is_not_its_own_a_player_may_not_say(
    world: Launching, more: dict[str, Any], words: str
) -> None:
    launch = await world.launch()
    good: dict[str, Any] = {"actor": launch["actor"], "verb": {"id": f"{ADL}completed"}}
    mixed = [{**good, "object": {"id": COURSE}}, {**good, "object": {"id": COURSE}, **more}]
    status, body = await world.send(launch, "POST", "/xapi/statements", json=mixed)
    assert status == 403, body
    assert words in json.loads(body)["error"]["reason"]
    assert "statement 1" in json.loads(body)["error"]["reason"]
    page, _ = await world.run.daemon.parts.metrics_page()
    assert b'pointsman_inputs_total{result="refused",source="launch"} 1.0' in page
    _, found = await world.send(launch, "GET", "/xapi/statements")
    assert json.loads(found)["statements"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/xapi/statements?agent={OF_BEN}"),
        ("GET", "/xapi/statements?related_agents=true"),
        ("GET", f"/xapi/statements?activity={OTHER}"),
        ("GET", f"/xapi/activities?activityId={OTHER}"),
        ("GET", f"/xapi/agents?agent={OF_BEN}"),
        ("PUT", f"/xapi/activities/profile?activityId={COURSE}&profileId=p"),
        ("DELETE", f"/xapi/activities/profile?activityId={COURSE}&profileId=p"),
        ("PUT", f"/xapi/agents/profile?agent={OF_BEN}&profileId=p"),
        ("GET", f"{STATE}&agent={OF_BEN}"),
        ("PUT", f"{STATE}&agent={OF_ANA}&registration=39b0aaf8-0000-4000-8000-000000000000"),
    ],
)
async def test_what_is_not_its_own_a_player_may_not_see_or_write(
    world: Launching, method: str, path: str
) -> None:
    launch = await world.launch()
    status, body = await world.send(launch, method, path)
    assert status == 403, body
    assert "launch credential" in body


async def test_a_player_sees_its_own_learners_statements_and_documents(world: Launching) -> None:
    ana, ben = await world.launch(), await world.launch(learner=BEN)
    _, body = await world.say(ben, "experienced")
    (of_ben,) = json.loads(body)
    await world.say(ana, "experienced")
    _, found = await world.send(ana, "GET", "/xapi/statements")
    (statement,) = json.loads(found)["statements"]
    assert statement["actor"] == ana["actor"]
    status, _ = await world.send(ana, "GET", f"/xapi/statements?statementId={of_ben}")
    assert status == 404
    agent = json.dumps(ana["actor"])
    where = f"/xapi/activities/state?activityId={COURSE}&stateId=s&agent={agent}&utm=1"
    assert (await world.send(ana, "PUT", where, data=b"page 3"))[0] == 204
    assert await world.send(ana, "GET", where) == (200, "page 3")


async def test_no_launch_lets_a_learner_act_as_another(world: Launching) -> None:
    """What a browser sent to a launcher that passed it on: ana's launch with ben as its actor."""
    ben = await world.launch(learner=BEN)
    await world.say(ben, "experienced")
    for actor in ({"mbox": f"mailto:{BEN}"}, {"mbox": f"mailto:{BEN.upper()}"}):
        refused = await world.launch(status=400, actor=actor)
        assert refused["error"]["reason"].startswith("actor: is another learner")
    ana = await world.launch(actor={"mbox": f"mailto:{ANA.title()}"})
    _, found = await world.send(ana, "GET", "/xapi/statements")
    assert json.loads(found)["statements"] == []


async def test_a_newer_auth_token_wakes_what_was_parked_for_want_of_one(world: Launching) -> None:
    launch = await world.launch(topicId="topic_demo_1", authToken=None)
    await world.say(launch, "completed")
    await world.run.until(lambda: bool(list_parked(world.run.database, CURED_BY_TOKEN)))
    again = await world.launch(registration=launch["registration"], topicId="topic_demo_1")
    assert again["registration"] == launch["registration"]
    await world.run.until(lambda: bool(world.run.ran))
    assert list_parked(world.run.database) == []


async def test_a_registration_is_of_one_learner_and_activity(world: Launching) -> None:
    launch = await world.launch()
    registration = launch["registration"]
    for more in ({"learner": BEN}, {"activity": OTHER}, {"kind": "cmi5"}):
        refused = await world.launch(status=409, registration=registration, **more)
        assert registration in refused["error"]["reason"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"activity": "no iri"}, "activity"),
        ({"learner": "", "authToken": "t"}, "learner"),
        ({"authToken": "TOKEN\n"}, "authToken: has a line break at character 6"),
        ({"authToken": "TO\0KEN"}, "authToken: has NUL at character 3"),
        ({"authToken": ""}, "authToken: is empty"),
        ({"authToken": "\u20ac"}, "authToken: has U+20AC"),
        ({"kind": "scrom"}, "kind"),
        ({"courseId": "a", "courseSlug": "b"}, "give one"),
        ({"courseCompleted": "passed"}, "courseCompleted"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"actor": {"name": "Ana"}}, "actor"),
        ({"lifetimeSeconds": 10**9}, "max_lifetime_hours"),
        ({"registration": "1"}, "registration"),
        ({"unknown": 1}, "unknown"),
        ({"player": {"a": "x" * 20_000}}, "player"),
    ],
)
async def test_a_launch_that_can_not_be_is_refused_with_the_fields_name(
    world: Launching, more: dict[str, Any], words: str
) -> None:
    refused = await world.launch(status=400, **more)
    assert words in refused["error"]["reason"]
    assert world.token(ANA) not in json.dumps(refused)


async def test_only_operators_launch(world: Launching, capsys: pytest.CaptureFixture[str]) -> None:
    for authorization in (None, "Basic dXNlcjpzZWNyZXQ=", OPERATOR[:-2]):
        headers = {} if authorization is None else {"Authorization": authorization}
        async with world.run.session.post(
            f"{world.url}/launches", json={}, headers=headers
        ) as answer:
            assert answer.status == 401
    launch = await world.launch()
    async with world.run.session.post(
        f"{world.url}/launches", json={}, headers={"Authorization": launch["authorization"]}
    ) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "{here}"}, 201),
        ({"Origin": "https://page.example.com"}, 201),
    ],
)
async def test_another_sites_page_can_not_launch_with_the_password_that_a_browser_keeps(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    origins = ("*", "https://page.example.com")
    async with launching(tmp_path, cors_origins=origins) as world:
        sent = {name: value.format(here=world.url) for name, value in headers.items()}
        # what a form of any page can send
        sent |= {"Authorization": OPERATOR, "Content-Type": "text/plain"}
        body = json.dumps({"learner": ANA, "activity": COURSE, "authToken": "of-another"})
        async with world.run.session.post(
            f"{world.url}/launches", data=body, headers=sent
        ) as answer:
            assert answer.status == status, await answer.text()


async def test_neither_auth_token_nor_credential_is_on_the_disk_or_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with launching(tmp_path, RULES) as world:
        token = world.token(ANA)
        launch = await world.launch(topicId="topic_demo_1", authToken=token)
        await world.say(launch, "completed")
        await world.say(launch, "completed", OTHER)
        await world.run.until(lambda: bool(world.run.ran))
    (tmp_path / "tokens.json").unlink()  # the harness's own
    written = _all_of(tmp_path)
    shown = "".join(capfd.readouterr())
    for secret in (token, launch["credential"], launch["authorization"]):
        assert secret.encode() not in written
        assert secret not in shown


async def test_the_registration_of_a_launch_joins_what_other_sources_say(world: Launching) -> None:
    """Where it is about the launch's learner and activity; else the rules decide."""
    launch = await world.launch(topicId="topic_demo_1")
    context = {"registration": launch["registration"]}
    await world.run.say("completed", COURSE, ANA, context=context)
    await world.run.until(lambda: bool(world.run.ran))
    assert [arguments["topicId"] for _, arguments in world.run.ran] == ["topic_demo_1"]
    await world.run.say("completed", COURSE, BEN, context=context)
    await world.run.until(lambda: bool(list_parked(world.run.database)))
    (parked,) = list_parked(world.run.database)
    assert (parked.recipient.id, parked.target.key) == (BEN, "intro")


async def test_a_replay_finds_the_launch_of_a_statement_again(world: Launching) -> None:
    launch = await world.launch(topicId="topic_demo_1")
    await world.say(launch, "completed")
    await world.run.until(lambda: bool(world.run.ran))
    settings = world.run.settings

    async def pages() -> list[ReplayPage]:
        found: list[ReplayPage] = []
        action = begun(ActionKind.REPLAY, {})
        await replay(settings, since=0, until=2**62, action=action, on_page=found.append)
        return found

    (page,) = await pages()
    assert (page.statements, page.skipped, page.result.outcomes) == (1, 0, {})
    assert page.result.moves == ()


async def test_an_expired_or_foreign_credential_opens_nothing(world: Launching) -> None:
    launch = await world.launch()
    header, claims, signature = launch["credential"].split(".")
    read = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert read["exp"] - read["iat"] == 8 * 3600
    forged = jwt.encode(read, "another-key-that-is-long-enough-too", algorithm="HS256")
    late = jwt.encode({**read, "exp": read["iat"]}, SIGNING_KEY, algorithm="HS256")
    other = jwt.encode({**read, "aud": "scorm"}, SIGNING_KEY, algorithm="HS256")
    gone = jwt.encode({**read, "reg": str(uuid.uuid4())}, SIGNING_KEY, algorithm="HS256")
    nothing = jwt.encode(read, "", algorithm="none")
    for credential, words in (
        (forged, "no launch credential of ours"),
        (late, "expired"),
        (other, "another purpose"),
        (gone, "not known any longer"),
        (nothing, "no launch credential of ours"),
        (f"{header}.{claims}.{signature[::-1]}", "no launch credential of ours"),
    ):
        bearer = {**launch, "authorization": f"Bearer {credential}"}
        status, body = await world.say(bearer, "completed")
        assert status == 401
        assert words in json.loads(body)["error"]["reason"]
    as_bearer = {**launch, "authorization": f"Bearer {launch['credential']}"}
    assert (await world.say(as_bearer, "completed"))[0] == 200


def _all_of(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in folder.glob("pointsman.db*"))


async def test_a_launch_is_shown_at_a_terminal(world: Launching) -> None:
    launch = await world.launch(topicId="topic_demo_1", courseId="course_demo")
    config = str(world.run.database.with_name("pointsman.toml"))
    shown = await asyncio.to_thread(
        CliRunner().invoke, app, ["launches", "show", launch["registration"].upper(), "-c", config]
    )
    assert shown.exit_code == 0, shown.output
    for words in (ANA, COURSE, "topic_demo_1", "id course_demo"):
        assert words in shown.output
    unknown = await asyncio.to_thread(
        CliRunner().invoke, app, ["launches", "show", str(uuid.uuid4()), "-c", config]
    )
    assert unknown.exit_code == 1


async def test_a_launched_player_states_so_much_at_once_and_no_more(world: Launching) -> None:
    launch = await world.launch()

    def said(**more: Any) -> dict[str, Any]:
        verb = {"id": "http://adlnet.gov/expapi/verbs/experienced"}
        return {"actor": launch["actor"], "verb": verb, "object": {"id": COURSE}, **more}

    sizes = {}
    for count in (50, 51):
        batch = [said() for _ in range(count)]
        sizes[count] = await world.send(launch, "POST", "/xapi/statements", json=batch)
    large = io.BytesIO(json.dumps(said(result={"response": "x" * 1_100_000})).encode())
    too_large, _ = await world.send(launch, "POST", "/xapi/statements", data=large)

    assert sizes[50][0] == 200
    assert sizes[51][0] == 400
    assert "at most 50 are taken at once (launches.limits.request_statements)" in sizes[51][1]
    assert too_large == 413


async def test_each_statement_of_a_batch_keeps_its_own_id_or_gets_one(world: Launching) -> None:
    launch = await world.launch()
    named = str(uuid.uuid4())
    one = {
        "actor": launch["actor"],
        "verb": {"id": f"{ADL}experienced"},
        "object": {"id": COURSE},
        "context": {"registration": launch["registration"]},
    }
    batch = [{**one, "id": named}, one]
    status, body = await world.send(launch, "POST", "/xapi/statements", json=batch)
    assert status == 200, body
    first, second = json.loads(body)
    assert first == named != second
    _, found = await world.send(launch, "GET", f"/xapi/statements?statementId={second}")
    assert json.loads(found)["id"] == second


@pytest.mark.parametrize("learner", ["ana;1@example.com", "ana,lee@example.com", "ana@lms:7"])
async def test_a_learner_that_no_mailbox_can_name_is_an_account(
    world: Launching, learner: str
) -> None:
    launch = await world.launch(learner=learner, authToken=None)
    assert launch["actor"]["account"]["name"] == learner
    assert (await world.say(launch, "experienced"))[0] == 200


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", None])
async def test_a_launched_player_that_can_set_no_content_type_is_understood(
    world: Launching, kind: str | None
) -> None:
    launch = await world.launch()
    agent = json.dumps(launch["actor"])
    key = {"activityId": COURSE, "agent": agent, "stateId": "resume"}
    credential = {
        "Authorization": launch["authorization"],
        "X-Experience-API-Version": "1.0.0",
    }
    more: dict[str, Any] = {"skip_auto_headers": ["Content-Type"]}
    if kind is not None:
        more = {"headers": {"Content-Type": kind}}
    answers = []
    for method, content in (("GET", {}), ("PUT", {"content": "page=3"}), ("GET", {})):
        data = urlencode({**credential, **key, **content}).encode()
        url = f"{world.url}/xapi/activities/state?method={method}"
        async with world.run.session.post(url, data=data, **more) as answer:
            answers.append((answer.status, await answer.text()))
    assert answers == [(404, ""), (204, ""), (200, "page=3")]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com index.html", "url: must not hold ' '"),
        ("https:///index.html", "url: must name a host"),
        ("https://h:port/", "url: is no URL"),
        ("ftp://example.com/", "url: must be an http:// or https:// URL"),
    ],
)
async def test_a_url_that_no_browser_opens_is_refused(
    world: Launching, url: str, words: str
) -> None:
    for kind in ("xapi", "cmi5", "scorm"):
        refused = await world.launch(status=400, kind=kind, url=url)
        assert words in refused["error"]["reason"]
    player = {"returnURL": url}
    refused = await world.launch(status=400, kind="cmi5", player=player)
    assert "player.returnURL" in refused["error"]["reason"]


async def test_a_launch_can_ask_for_both_completed_and_passed(world: Launching) -> None:
    launch = await world.launch(courseId="course_demo", courseCompleted="completed_and_passed")
    await world.say(launch, "completed", result={"completion": True})
    await world.run.until(lambda: bool(world.run.ran))
    statuses = [arguments["status"] for name, arguments in world.run.ran if "Course" in name]
    assert "completed" not in [status.lower() for status in statuses]
    await world.say(launch, "passed", result={"success": True})
    await world.run.until(
        lambda: any("completed" in str(arguments).lower() for _, arguments in world.run.ran)
    )


async def test_a_launch_is_on_the_record_with_the_credential_and_the_address(
    world: Launching,
) -> None:
    launch = await world.launch()
    (action,) = look(world.run.database, lambda store: store.operator_actions(limit=9))
    assert (action.kind, action.learner, action.outcome) == (ActionKind.LAUNCH, ANA, "done")
    assert (action.who, action.origin) == ("operator", "127.0.0.1")
    assert action.details == {"registration": launch["registration"], "activity": COURSE}


@pytest.mark.parametrize("of_learner", [False, True])
async def test_a_launch_that_is_revoked_opens_nothing_from_then_on(
    world: Launching, of_learner: bool
) -> None:
    """By registration or learner; from another process, as replicas are, and for every player."""
    launches = {kind: await world.launch(kind=kind) for kind in ("xapi", "cmi5", "scorm")}
    of_ben = await world.launch(learner=BEN)
    player = await _fetched(world, await world.launch(kind="cmi5"))
    assert (await world.say(launches["xapi"], "experienced"))[0] == 200
    assert (await world.say(player, "initialized"))[0] == 200
    config = str(world.run.database.with_name("pointsman.toml"))
    asked = [[launch["registration"]] for launch in (*launches.values(), player)]
    for named in [["--learner", ANA.upper()]] if of_learner else asked:
        shown = await asyncio.to_thread(
            CliRunner().invoke, app, ["launches", "revoke", *named, "-c", config]
        )
        assert shown.exit_code == 0, shown.output
    for launch, kind in ((launches["xapi"], "xapi"), (player, "cmi5")):
        status, body = await world.say(launch, "experienced")
        assert (status, "was revoked" in body) == (401, True), kind
    for method, url in (
        ("POST", launches["cmi5"]["fetchUrl"]),
        ("POST", launches["scorm"]["commitUrl"]),
        ("GET", launches["scorm"]["dataUrl"]),
    ):
        async with world.run.session.request(method, url, data=b"{}") as answer:
            assert (answer.status, "was revoked" in await answer.text()) == (401, True), url
    again = await world.launch(registration=launches["xapi"]["registration"])
    assert (await world.say(again, "experienced"))[0] == 200
    assert (await world.say(launches["xapi"], "experienced"))[0] == 401
    assert (await world.say(of_ben, "experienced"))[0] == 200


async def _fetched(world: Launching, launch: dict[str, Any]) -> dict[str, Any]:
    """The launch with what its fetch URL gives, and statements of its session."""
    async with world.run.session.post(launch["fetchUrl"]) as answer:
        token = (await answer.json())["auth-token"]
    return {**launch, "authorization": f"Basic {token}"}


async def test_revoking_a_launch_that_is_not_there_says_so(world: Launching) -> None:
    config = str(world.run.database.with_name("pointsman.toml"))
    for named, code in (([str(uuid.uuid4())], 1), ([], 2), (["r", "--learner", "l"], 2)):
        shown = await asyncio.to_thread(
            CliRunner().invoke, app, ["launches", "revoke", *named, "-c", config]
        )
        assert shown.exit_code == code, shown.output
