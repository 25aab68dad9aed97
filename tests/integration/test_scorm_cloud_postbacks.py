"""Postbacks over HTTP, to a real store: what was recorded, what is wrong, what comes again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from pointsman.config.sources import SourceSettings
from pointsman.domain.clock import SystemClock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.records import Actor, InputOutcome, Observation
from pointsman.sources.replay import replay_letter
from tests.support.http_endpoint import STATEMENTS, Endpoint, basic, running
from tests.support.malformed_bodies import MALFORMED
from tests.support.postbacks import GOLF, MULTI_SCO, PASSWORD, form, recorded

PATH = "/scorm-cloud/postback"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
JSON = "application/json; charset=UTF-8"
ADL = "http://adlnet.gov/expapi/verbs/"
COURSE = "http://adlnet.gov/expapi/activities/course"


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[Endpoint]:
    """With two applications, of which the second names courses in a way that no rule takes."""
    sources = SourceSettings.model_validate(
        {
            "scorm_cloud": [
                {
                    "name": "scorm",
                    "username": "pbuser",
                    "password": PASSWORD,
                    "course_activity": "http://example.com/course/{course}",
                },
                {"name": "second", "username": "other", "password": "secret"},
            ]
        }
    )
    async with running(tmp_path, sources=sources) as endpoint:
        yield endpoint


async def post(endpoint: Endpoint, body: bytes, kind: str, auth: str | None) -> ClientResponse:
    headers = {"Content-Type": kind} | ({} if auth is None else {"Authorization": auth})
    return await endpoint.client.post(PATH, data=body, headers=headers, allow_redirects=False)


async def send(endpoint: Endpoint, postback: Any, auth: str = f"pbuser:{PASSWORD}") -> int:
    body = postback if isinstance(postback, bytes) else json.dumps(postback).encode()
    return (await post(endpoint, body, JSON, basic(auth))).status


def ana(**more: Any) -> dict[str, Any]:
    return {
        "actor": Actor("mbox", "mailto:ana@example.com"),
        "activity_type": COURSE,
        **more,
    }


#: what each recorded postback says, but for the ids; registrations made here must stay what they
#: are, or every learner would begin an attempt with the next version
OBSERVED: dict[str, dict[str, Any]] = {
    "in-progress": ana(
        verb=ADL + "progressed",
        activity="http://example.com/course/course-golf",
        registration="1f6b2c3a-0001-4c1e-9a11-000000000001",
        occurred_at=1_759_745_100_000_000,
        progress=45,
        completion=False,
    ),
    "completed-passed": ana(
        verb=ADL + "passed",
        activity="http://example.com/course/course-golf",
        registration="996c8030-4962-5365-be43-852223d44ca1",
        occurred_at=1_759_746_600_000_000,
        completion=True,
        success=True,
        score=0.92,
    ),
    "scorm12": ana(
        verb=ADL + "passed",
        activity="http://example.com/course/course-12",
        registration="8f2f5ba9-f7de-5172-8da9-868f63c20a42",
        occurred_at=1_759_752_000_000_000,
        completion=True,
        success=True,
        score=0.8,
    ),
}


@pytest.mark.parametrize("row", recorded(), ids=lambda row: row["step"])
async def test_each_recorded_postback_is_answered_and_understood(
    endpoint: Endpoint, row: dict[str, Any]
) -> None:
    answer = await endpoint.client.request(
        row["method"], PATH, headers=dict(row["headers"]), data=row["body"].encode()
    )
    assert (answer.status, await answer.read()) == (204, b"")
    (seen,) = endpoint.seen
    wanted = Observation(statement_id=seen.statement_id, **OBSERVED[row["step"].split("/")[0]])
    assert seen == wanted
    books = await endpoint.store.books()
    assert books.accepted == 1
    assert endpoint.requests == [("scorm", "POST", PATH, 204)]


async def test_form_and_json_say_the_same_so_the_second_is_a_duplicate(endpoint: Endpoint) -> None:
    assert await send(endpoint, GOLF) == 204
    before = await endpoint.snapshot_without_history()
    assert (await post(endpoint, form(GOLF), FORM, None)).status == 204
    assert await endpoint.snapshot_without_history() == before


async def test_both_spellings_of_the_user_name_are_taken(endpoint: Endpoint) -> None:
    body = form(GOLF).replace(b"userName", b"username")
    assert (await post(endpoint, body, FORM, None)).status == 204


async def test_text_xml_with_json_in_it_is_read(endpoint: Endpoint) -> None:
    body = json.dumps(GOLF).encode()
    answer = await post(endpoint, body, "text/xml", basic(f"pbuser:{PASSWORD}"))
    assert answer.status == 204
    assert len(endpoint.seen) == 1


async def test_sources_are_told_apart_by_their_credentials(endpoint: Endpoint) -> None:
    assert await send(endpoint, GOLF, "other:secret") == 204
    (seen,) = endpoint.seen
    assert seen.activity == "https://cloud.scorm.com/golf"
    assert endpoint.requests == [("second", "POST", PATH, 204)]


async def test_statements_of_postbacks_are_found_by_queries(endpoint: Endpoint) -> None:
    assert await send(endpoint, MULTI_SCO) == 204
    course = "http://example.com/course/course%2F3"
    found = await endpoint.found(activity=course, related_activities="true")
    assert len(found) == 3
    answer = await endpoint.send("GET", STATEMENTS, statementId=found[0])
    assert (await answer.json())["id"] == found[0]


async def test_what_no_rule_takes_is_understood_and_kept(endpoint: Endpoint) -> None:
    assert await send(endpoint, GOLF, "other:secret") == 204
    books = await endpoint.store.books()
    assert (books.accepted, books.outcomes[InputOutcome.UNMATCHED]) == (1, 1)


@pytest.mark.parametrize(
    ("body", "kind", "auth"),
    [
        (b"{}", JSON, None),
        (b"{}", JSON, basic("pbuser:wrong")),
        (b"{}", JSON, basic("other:" + PASSWORD)),
        (b"{}", JSON, "Basic undefined"),
        (b"{}", JSON, "Bearer " + PASSWORD),
        (form({}, password="wrong"), FORM, None),
        (form({}, user=""), FORM, None),
        (b"data=%7B%7D", FORM, None),
        (b"", FORM, None),
        (form({}), JSON, None),
        (form({}, password="\xff"), FORM, None),
        (b"userName=pbuser&password=\xff", FORM, None),
        (form({}), FORM, basic("pbuser:wrong")),
    ],
)
async def test_a_sender_who_is_not_known_gets_401_and_changes_nothing(
    endpoint: Endpoint, body: bytes, kind: str, auth: str | None
) -> None:
    before = await endpoint.snapshot()
    answer = await post(endpoint, body, kind, auth)
    said = await answer.text()
    assert answer.status == 401, said
    assert PASSWORD not in said
    assert "WWW-Authenticate" in answer.headers
    assert await endpoint.snapshot() == before


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<registrationreport regid='r'/>", "resultsFormat"),
        (b"hello", "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"{}", "course.id"),
        (b"[" * 100_000, "not JSON"),
        (json.dumps({**GOLF, "learner": {}}).encode(), "learner.id"),
        (
            json.dumps(
                {
                    **GOLF,
                    "activityDetails": {
                        "children": [
                            {"id": n, "activityCompletion": "COMPLETED"} for n in range(1001)
                        ]
                    },
                }
            ).encode(),
            "at most 1000",
        ),
    ],
)
async def test_what_is_not_understood_is_a_dead_letter_and_not_sent_again(
    endpoint: Endpoint, body: bytes, words: str
) -> None:
    assert await send(endpoint, body) == 204
    assert await send(endpoint, body) == 204
    (letter,) = await endpoint.store.dead_letters(limit=9)
    assert words in letter.reason
    assert letter.origin == "POST /scorm-cloud/postback"
    whole = await endpoint.store.dead_letter(letter.id)
    assert whole is not None
    assert whole.body == body
    assert (await endpoint.store.books()).accepted == 1


async def test_every_malformed_body_is_kept_whole(endpoint: Endpoint) -> None:
    bodies = {body for _, body, _ in MALFORMED if len(body) < 200_000}
    for body in bodies:
        assert await send(endpoint, body) == 204
    letters = await endpoint.store.dead_letters(limit=1_000)
    kept = [await endpoint.store.dead_letter(letter.id) for letter in letters]
    assert {letter.body for letter in kept if letter is not None} == bodies
    books = await endpoint.store.books()
    assert (books.balanced, books.accepted) == (True, len(bodies))


@pytest.mark.parametrize(
    "body",
    [
        b"userName=pbuser&password=pbpass&other=1",
        form("<registrationreport/>"),
        b"userName=pbuser&password=pbpass&data=\xff",
    ],
)
async def test_no_password_is_kept_in_a_dead_letter(endpoint: Endpoint, body: bytes) -> None:
    assert (await post(endpoint, body, FORM, None)).status == 204
    (letter,) = await endpoint.store.dead_letters(limit=9)
    whole = await endpoint.store.dead_letter(letter.id)
    assert whole is not None
    assert PASSWORD.encode() not in whole.body
    assert whole.body


async def test_a_dead_letter_is_read_again_as_a_postback(tmp_path: Path) -> None:
    """What was not understood for its settings is, once they are mended."""
    wrong = {"name": "scorm", "username": "u", "password": "p", "learner": "id"}
    nameless = {**GOLF, "learner": {"email": "ana@example.com"}}
    async with running(
        tmp_path, sources=SourceSettings.model_validate({"scorm_cloud": [wrong]})
    ) as one:
        assert await send(one, nameless, "u:p") == 204
        (letter,) = await one.store.dead_letters(limit=9)
        assert "learner.id" in letter.reason
        whole = await one.store.dead_letter(letter.id)
        assert whole is not None
        again = await replay_letter(one.store, one.intake, SystemClock(), whole)
        assert again == "still dead: learner.id is missing, so nobody knows who this is about"
    right = SourceSettings.model_validate({"scorm_cloud": [{**wrong, "learner": "email"}]})
    async with running(tmp_path, sources=right) as one:
        assert await replay_letter(one.store, one.intake, SystemClock(), whole) == "unmatched"
        assert await one.store.dead_letters(limit=9) == []


async def test_a_store_that_is_away_is_503_so_that_it_is_sent_again(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: Any) -> Any:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(endpoint.store, "ingest", away)
    for body in (json.dumps(GOLF).encode(), b"<xml/>"):
        answer = await post(endpoint, body, JSON, basic(f"pbuser:{PASSWORD}"))
        assert answer.status == 503
        assert answer.headers["Retry-After"]


async def test_bodies_have_the_limits_of_statements(endpoint: Endpoint) -> None:
    assert (await post(endpoint, b" " * 200_001, FORM, None)).status == 413
    assert (await post(endpoint, b"a=%zz", FORM, None)).status == 400
    answer = await endpoint.client.get(PATH)
    assert answer.status == 405


async def test_nobody_is_redirected(endpoint: Endpoint) -> None:
    url = PATH + "/"
    body = json.dumps(GOLF).encode()
    answer = await endpoint.client.post(
        url, data=body, headers={"Authorization": basic(f"pbuser:{PASSWORD}")}
    )
    assert (answer.status, answer.history) == (204, ())


async def test_without_a_source_there_is_no_route(tmp_path: Path) -> None:
    async with running(tmp_path) as endpoint:
        assert (await post(endpoint, b"{}", JSON, None)).status == 404
        assert (await endpoint.client.post("/webhooks/lms", data=b"{}")).status == 404


async def test_postbacks_that_overtake_each_other_leave_the_newest(endpoint: Endpoint) -> None:
    postbacks = [
        {
            **GOLF,
            "registrationCompletion": "COMPLETED" if minute == 9 else "INCOMPLETE",
            "completedDate": None,
            "registrationCompletionAmount": minute / 10,
            "updated": f"2025-10-06T10:0{minute}:00Z",
        }
        for minute in (3, 9, 1, 7)
    ]
    statuses = await asyncio.gather(*(send(endpoint, one) for one in postbacks))
    assert statuses == [204] * 4
    newest = max(endpoint.seen, key=lambda one: one.occurred_at)
    assert newest.completion is True
    now = micros(SystemClock().now())
    (lease,) = await endpoint.store.lease(now=now, ttl=1_000_000, limit=9)
    assert [(one.value, one.occurred_at) for one in lease.desired] == [(100, newest.occurred_at)]
