"""Documents: 1.0.3 Part 3 sections 2.2, 2.3, 2.6, 2.7 and 3.1, 2.0 sections 4.1.4 and 4.1.6."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.support.http_endpoint import ACTIVITY_PROFILE, AGENT_PROFILE, LENIENT, STATE, Endpoint
from tests.support.xapi_factory import ANA, BEN, LESSON, new_id

AGENT = json.dumps(ANA)
STATE_KEY = {"activityId": LESSON, "agent": AGENT, "stateId": "bookmark"}
KEYS: dict[str, dict[str, str]] = {
    STATE: STATE_KEY,
    ACTIVITY_PROFILE: {"activityId": LESSON, "profileId": "p"},
    AGENT_PROFILE: {"agent": AGENT, "profileId": "p"},
}
RESOURCES = pytest.mark.parametrize(("path", "key"), KEYS.items(), ids=KEYS)
NAMES = {STATE: "stateId", ACTIVITY_PROFILE: "profileId", AGENT_PROFILE: "profileId"}
TEXT = "text/plain; charset=utf-16"


async def put(
    endpoint: Endpoint, path: str, key: dict[str, str], data: Any, **more: Any
) -> ClientResponse:
    return await endpoint.send("PUT", path, data=data, **key, **{"If_None_Match": "*"} | more)


def without(key: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in key.items() if name not in names}


@RESOURCES
async def test_a_document_is_kept_byte_for_byte(
    endpoint: Endpoint, path: str, key: dict[str, str]
) -> None:
    """2.2, 2.3, 2.6, 2.7: PUT, GET, HEAD, DELETE."""
    content = b"\x00\xff\xfe {\r\n"
    missing = await endpoint.send("GET", path, **key)
    assert (missing.status, await missing.read()) == (404, b"")
    answer = await put(endpoint, path, key, content, Content_Type=TEXT)
    assert (answer.status, await answer.read()) == (204, b"")
    answer = await endpoint.send("GET", path, **key)
    assert (answer.status, await answer.read()) == (200, content)
    assert answer.headers["Content-Type"] == TEXT
    assert answer.headers["ETag"] == f'"{hashlib.sha1(content).hexdigest()}"'  # noqa: S324
    modified = parsedate_to_datetime(answer.headers["Last-Modified"])
    assert datetime.now(UTC) - modified < timedelta(seconds=30)
    assert answer.headers["X-Experience-API-Version"] == endpoint.version
    head = await endpoint.send("HEAD", path, **key)
    assert (head.status, await head.read()) == (200, b"")
    assert head.headers["ETag"] == answer.headers["ETag"]
    answer = await endpoint.send("DELETE", path, **key)
    assert (answer.status, await answer.read()) == (204, b"")
    assert (await endpoint.send("GET", path, **key)).status == 404
    assert (await endpoint.send("DELETE", path, **key)).status == 204


@RESOURCES
async def test_post_makes_a_document_and_merges_into_it(
    endpoint: Endpoint, path: str, key: dict[str, str]
) -> None:
    """2.2: one level deep."""
    first = {"a": 1, "b": {"x": 1, "y": 2}}
    answer = await endpoint.send("POST", path, data=first, **key)
    assert (answer.status, await answer.read()) == (204, b"")
    tag = (await endpoint.send("GET", path, **key)).headers["ETag"]
    answer = await endpoint.send("POST", path, data={"b": {"x": 3}, "c": None}, **key)
    assert answer.status == 204
    answer = await endpoint.send("GET", path, **key)
    assert await answer.json() == {"a": 1, "b": {"x": 3}, "c": None}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["ETag"] != tag


@RESOURCES
@pytest.mark.parametrize("content", [b"1", b"true", b'"text"', b"[1]", b"{}"])
async def test_post_of_any_json_makes_a_document(
    endpoint: Endpoint, path: str, key: dict[str, str], content: bytes
) -> None:
    assert (await endpoint.send("POST", path, data=content, **key)).status == 204
    answer = await endpoint.send("GET", path, **key)
    assert await answer.read() == content


@RESOURCES
@pytest.mark.parametrize(
    ("old", "old_kind", "new", "kind"),
    [
        (b"{}", "application/json", b"{", "application/json"),
        (b"{}", "application/json", b"[1]", "application/json"),
        (b"{}", "application/json", b"1", "application/json"),
        (b"{}", "application/json", b"{}", "text/plain"),
        (b"{}", "text/plain", b"{}", "application/json"),
        (b"[1]", "application/json", b"{}", "application/json"),
        (b"1", "application/json", b"{}", "application/json"),
        (b"x", "text/plain", b"y", "text/plain"),
        (None, "", b"{", "application/json"),
    ],
)
async def test_post_refuses_what_can_not_be_merged(
    endpoint: Endpoint,
    path: str,
    key: dict[str, str],
    old: bytes | None,
    old_kind: str,
    new: bytes,
    kind: str,
) -> None:
    """2.2: 400, and the document stays."""
    if old is not None:
        await put(endpoint, path, key, old, Content_Type=old_kind)
    answer = await endpoint.send("POST", path, data=new, Content_Type=kind, **key)
    assert answer.status == 400
    assert "JSON" in await answer.text()
    kept = await endpoint.send("GET", path, **key)
    assert kept.status == (404 if old is None else 200)
    if old is not None:
        assert await kept.read() == old


@RESOURCES
async def test_without_a_name_all_are_listed(
    endpoint: Endpoint, path: str, key: dict[str, str]
) -> None:
    """GET multiple: since is exclusive."""
    name = NAMES[path]
    rest = without(key, name)
    empty = await endpoint.send("GET", path, **rest)
    assert (empty.status, await empty.json()) == (200, [])
    await put(endpoint, path, {**rest, name: "b"}, b"1")
    between = datetime.now(UTC).isoformat()
    await put(endpoint, path, {**rest, name: "a"}, b"2")
    answer = await endpoint.send("GET", path, **rest)
    assert await answer.json() == ["a", "b"]
    answer = await endpoint.send("GET", path, since=between, **rest)
    assert await answer.json() == ["a"]
    answer = await endpoint.send("GET", path, since=between, **{**rest, name: "b"})
    assert answer.status == 200


async def test_all_states_are_deleted_at_once(endpoint: Endpoint) -> None:
    """2.3: DELETE multiple."""
    registration = new_id()
    keys = [
        STATE_KEY,
        {**STATE_KEY, "stateId": "x"},
        {**STATE_KEY, "registration": registration},
    ]
    other = {**STATE_KEY, "agent": json.dumps(BEN)}
    for key in (*keys, other):
        await put(endpoint, STATE, key, b"1")
    rest = without(STATE_KEY, "stateId")
    assert (await endpoint.send("DELETE", STATE, registration=registration, **rest)).status == 204
    assert (await endpoint.send("GET", STATE, **keys[2])).status == 404
    assert (await endpoint.send("GET", STATE, **keys[0])).status == 200
    assert (await endpoint.send("DELETE", STATE, **rest)).status == 204
    assert await (await endpoint.send("GET", STATE, **rest)).json() == []
    assert (await endpoint.send("GET", STATE, **other)).status == 200


async def test_a_registration_tells_states_apart(endpoint: Endpoint) -> None:
    """2.3."""
    registration = new_id()
    await put(endpoint, STATE, STATE_KEY, b"without")
    await put(endpoint, STATE, {**STATE_KEY, "registration": registration}, b"with")
    shown = await endpoint.send("GET", STATE, registration=registration.upper(), **STATE_KEY)
    assert await shown.read() == b"with"
    shown = await endpoint.send("GET", STATE, **STATE_KEY)
    assert await shown.read() == b"without"


async def test_agents_are_compared_by_what_identifies_them(endpoint: Endpoint) -> None:
    """Part 2 section 2.4.2: however their JSON is written."""
    spelt = '{ "name": "Ana", "objectType": "Agent", "mbox": "mailto:ANA@example.com" }'
    await put(endpoint, STATE, STATE_KEY, b"1")
    assert (await endpoint.send("GET", STATE, **{**STATE_KEY, "agent": spelt})).status == 200


MISTAKES = {
    "no agent": without(STATE_KEY, "agent"),
    "no activityId": without(STATE_KEY, "activityId"),
    "agent is no JSON": {**STATE_KEY, "agent": "ana"},
    "agent without identifier": {**STATE_KEY, "agent": "{}"},
    "agent is an array": {**STATE_KEY, "agent": "[]"},
    "activityId is no IRI": {**STATE_KEY, "activityId": "lesson"},
    "stateId empty": {**STATE_KEY, "stateId": ""},
    "registration is no UUID": {**STATE_KEY, "registration": "x"},
    "a parameter of another resource": {**STATE_KEY, "profileId": "x"},
    "an unknown parameter": {**STATE_KEY, "foo": "x"},
    "misspelt": {**STATE_KEY, "activityid": LESSON},
}


@pytest.mark.parametrize("key", MISTAKES.values(), ids=MISTAKES)
@pytest.mark.parametrize("method", ["PUT", "POST", "GET", "DELETE"])
async def test_parameters_that_are_wrong_are_refused(
    endpoint: Endpoint, method: str, key: dict[str, str]
) -> None:
    """2.2 and 3.2."""
    data = b"{}" if method in {"PUT", "POST"} else None
    answer = await endpoint.send(method, STATE, data=data, **key)
    assert answer.status == 400
    assert (await answer.json())["error"]["reason"].startswith("the parameter ")


@RESOURCES
async def test_writing_needs_a_name(endpoint: Endpoint, path: str, key: dict[str, str]) -> None:
    rest = without(key, NAMES[path])
    for method in ("PUT", "POST"):
        assert (await endpoint.send(method, path, data=b"{}", **rest)).status == 400
    expected = 204 if path == STATE else 400
    assert (await endpoint.send("DELETE", path, **rest)).status == expected
    assert (await endpoint.send("GET", path, since="x", **rest)).status == 400


async def test_a_parameter_twice_is_refused(endpoint: Endpoint) -> None:
    url = f"{STATE}?activityId={LESSON}&activityId={LESSON}&stateId=x"
    assert (await endpoint.send("GET", url)).status == 400


@RESOURCES
async def test_if_match(endpoint: Endpoint, path: str, key: dict[str, str]) -> None:
    """3.1: with quotes and without, for PUT, POST and DELETE."""
    await put(endpoint, path, key, b'{"n": 1}')
    for method in ("PUT", "POST", "DELETE"):
        data = None if method == "DELETE" else b'{"n": 9}'
        for wrong in ("1234", '"' + "0" * 40 + '"'):
            answer = await endpoint.send(method, path, data=data, If_Match=wrong, **key)
            assert answer.status == 412
            assert answer.content_type == "text/plain"
            assert "nothing was changed" in await answer.text()
    tag = (await endpoint.send("GET", path, **key)).headers["ETag"]
    for given in (tag, "etag"):
        shown = await endpoint.send("GET", path, **key)
        tag = shown.headers["ETag"]
        sent = tag.strip('"') if given == "etag" else f'"nonsense", W/{tag}'
        answer = await endpoint.send("PUT", path, data=[given], If_Match=sent, **key)
        assert answer.status == 204, await answer.text()
    shown = await endpoint.send("GET", path, **key)
    assert await shown.json() == ["etag"]
    answer = await endpoint.send("DELETE", path, If_Match=shown.headers["ETag"], **key)
    assert answer.status == 204
    assert (await endpoint.send("PUT", path, data=b"{}", If_Match="*", **key)).status == 412


@RESOURCES
async def test_if_none_match(endpoint: Endpoint, path: str, key: dict[str, str]) -> None:
    """3.1: only where there is none yet."""
    assert (await put(endpoint, path, key, b"1")).status == 204
    answer = await put(endpoint, path, key, b"2")
    assert answer.status == 412
    assert await (await endpoint.send("GET", path, **key)).read() == b"1"


@RESOURCES
async def test_put_without_either(endpoint: Endpoint, path: str, key: dict[str, str]) -> None:
    """3.1, and 2.0 section 4.1.4: 409 where there is one, in plain text that says what to do."""
    old_state = path == STATE and endpoint.version == "1.0.3"
    answer = await endpoint.send("PUT", path, data=b"1", **key)
    new_profile = path != STATE and endpoint.version == "1.0.3"
    assert answer.status == (400 if new_profile else 204)
    await endpoint.send("POST", path, data=b"1", **key)
    answer = await endpoint.send("PUT", path, data=b"2", **key)
    assert answer.status == (204 if old_state else 409)
    kept = await endpoint.send("GET", path, **key)
    assert await kept.read() == (b"2" if old_state else b"1")
    if answer.status == 409:
        assert answer.content_type == "text/plain"
        assert kept.headers["ETag"] in await answer.text()


async def test_a_lenient_source_may_make_a_profile_without_either(one: Endpoint) -> None:
    """As PyPI's tincan does it; to replace one it needs the ETag all the same."""
    lenient = LENIENT["Authorization"]
    key = KEYS[AGENT_PROFILE]
    for data, status in ((b"1", 204), (b"2", 409)):
        answer = await one.send("PUT", AGENT_PROFILE, data=data, Authorization=lenient, **key)
        assert answer.status == status


async def test_a_document_never_runs_as_a_page_of_ours(one: Endpoint) -> None:
    await put(one, STATE, STATE_KEY, b"<script>", Content_Type="text/html")
    answer = await one.send("GET", STATE, **STATE_KEY)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
