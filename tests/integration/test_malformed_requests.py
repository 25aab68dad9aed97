"""Bad requests of every kind get a 4xx with a reason, and leave the store as it was."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from tests.support.http_endpoint import STATEMENTS, Endpoint, running
from tests.support.http_endpoint import headers as good_headers
from tests.support.malformed_bodies import GOOD, MALFORMED

HEADERS = good_headers() | {"Content-Type": "application/json"}
ID = "0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11"
OTHER = "1f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11"
BODY = json.dumps(GOOD).encode()

Client = TestClient[Any, Any]


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[Endpoint]:
    """With one statement in it."""
    async with running(tmp_path) as endpoint:
        answer = await endpoint.send("PUT", STATEMENTS, statementId=ID, data=BODY)
        assert answer.status == 204
        yield endpoint


async def _reason(answer: ClientResponse) -> str:
    payload = await answer.json()
    return json.dumps(payload, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "words"), [m[1:] for m in MALFORMED], ids=[m[0] for m in MALFORMED]
)
async def test_a_malformed_body_is_refused_with_a_reason_and_changes_nothing(
    endpoint: Endpoint, body: bytes, words: str
) -> None:
    before = await endpoint.snapshot()
    answer = await endpoint.client.post(STATEMENTS, headers=HEADERS, data=body)
    assert answer.status == 400
    assert words in json.loads(await _reason(answer))["error"]["reason"]
    assert await endpoint.snapshot() == before


def _headers(**changes: str | None) -> dict[str, str]:
    merged = {**HEADERS, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return {name: value for name, value in merged.items() if value is not None}


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


Send = Callable[[Client], Any]
REQUESTS: list[tuple[str, int, str, Send]] = [
    (
        "no version header",
        400,
        "X-Experience-API-Version",
        lambda c: c.post(STATEMENTS, headers=_headers(X_Experience_API_Version=None), data=BODY),
    ),
    *(
        (
            f"version {version!r}",
            400,
            "X-Experience-API-Version",
            lambda c, v=version: c.post(
                STATEMENTS, headers=_headers(X_Experience_API_Version=v), data=BODY
            ),
        )
        for version in ("0.9", "1.1.0", "3.0.0", "one", "1.0.x")
    ),
    *(
        (
            f"credentials {name}",
            401,
            "",
            lambda c, v=value: c.post(STATEMENTS, headers=_headers(Authorization=v), data=BODY),
        )
        for name, value in (
            ("missing", None),
            ("empty", ""),
            ("of another scheme", "Digest abc"),
            ("undefined", "Basic undefined"),
            ("empty user and password", "Basic Og=="),
            ("no base64", "Basic ???"),
            ("without colon", _basic("user")),
            ("with a wrong secret", _basic("user:wrong")),
            ("with a wrong user", _basic("resu:pass")),
            ("with a bearer nobody has", "Bearer pass"),
        )
    ),
    (
        "too big by its length",
        413,
        "200000",
        lambda c: c.post(STATEMENTS, headers=HEADERS, data=b" " * 200_001),
    ),
    (
        "no content type",
        400,
        "Content-Type",
        lambda c: c.post(STATEMENTS, headers=_headers(Content_Type="text/plain"), data=BODY),
    ),
    (
        "a form",
        400,
        "Content-Type",
        lambda c: c.post(
            STATEMENTS,
            headers=_headers(Content_Type="application/x-www-form-urlencoded"),
            data=BODY,
        ),
    ),
    (
        "multipart without its boundary",
        400,
        "boundary",
        lambda c: c.post(
            STATEMENTS, headers=_headers(Content_Type="multipart/mixed; boundary=x"), data=BODY
        ),
    ),
    (
        "compressed",
        415,
        "Content-Encoding",
        lambda c: c.post(STATEMENTS, headers=_headers(Content_Encoding="gzip"), data=BODY),
    ),
    (
        "alternate request syntax without a form",
        400,
        "must be a form",
        lambda c: c.post(STATEMENTS + "?method=PUT", headers=HEADERS, data=BODY),
    ),
    (
        "PUT without an id",
        400,
        "statementId",
        lambda c: c.put(STATEMENTS, headers=HEADERS, data=BODY),
    ),
    (
        "PUT with a bad id",
        400,
        "statementId",
        lambda c: c.put(STATEMENTS + "?statementId=1", headers=HEADERS, data=BODY),
    ),
    (
        "PUT with another id in the body",
        400,
        "statementId",
        lambda c: c.put(
            f"{STATEMENTS}?statementId={OTHER}",
            headers=HEADERS,
            data=json.dumps({**GOOD, "id": ID}).encode(),
        ),
    ),
    (
        "PUT of an array",
        400,
        "array",
        lambda c: c.put(
            f"{STATEMENTS}?statementId={OTHER}", headers=HEADERS, data=json.dumps([GOOD]).encode()
        ),
    ),
    (
        "PUT of a known id with other content",
        409,
        ID,
        lambda c: c.put(
            f"{STATEMENTS}?statementId={ID}",
            headers=HEADERS,
            data=json.dumps({**GOOD, "verb": {"id": "http://a/b"}}).encode(),
        ),
    ),
    (
        "POST of a known id with other content in a batch",
        409,
        ID,
        lambda c: c.post(
            STATEMENTS,
            headers=HEADERS,
            data=json.dumps([GOOD, {**GOOD, "id": ID, "verb": {"id": "http://a/b"}}]).encode(),
        ),
    ),
    (
        "GET with a parameter that nobody knows",
        400,
        "lenient",
        lambda c: c.get(STATEMENTS + "?utm=1", headers=HEADERS),
    ),
    (
        "GET with a bad id",
        400,
        "statementId",
        lambda c: c.get(STATEMENTS + "?statementId=x", headers=HEADERS),
    ),
    (
        "GET of an unknown statement",
        404,
        OTHER,
        lambda c: c.get(f"{STATEMENTS}?statementId={OTHER}", headers=HEADERS),
    ),
    ("DELETE", 405, "", lambda c: c.delete(STATEMENTS, headers=HEADERS)),
    ("an unknown resource", 404, "", lambda c: c.get("/xapi/nothing", headers=HEADERS)),
]


@pytest.mark.parametrize(
    ("status", "words", "send"), [one[1:] for one in REQUESTS], ids=[one[0] for one in REQUESTS]
)
async def test_a_malformed_request_is_refused_with_a_reason_and_changes_nothing(
    endpoint: Endpoint, status: int, words: str, send: Send
) -> None:
    before = await endpoint.snapshot()
    answer = await send(endpoint.client)
    reason = await _reason(answer)
    assert answer.status == status, reason
    assert words in reason
    assert "pass" not in reason.replace("password", "")
    assert await endpoint.snapshot() == before


async def test_a_chunked_body_that_grows_too_big_is_refused(endpoint: Endpoint) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 10_000

    before = await endpoint.snapshot()
    answer = await endpoint.client.post(STATEMENTS, headers=HEADERS, data=chunks())
    assert answer.status == 413
    assert await endpoint.snapshot() == before


async def test_what_was_refused_is_accepted_once_it_is_mended(endpoint: Endpoint) -> None:
    answer = await endpoint.client.post(STATEMENTS, headers=HEADERS, data=BODY)
    assert answer.status == 200
    (statement_id,) = await answer.json()
    found = await endpoint.client.get(
        STATEMENTS, params={"statementId": statement_id}, headers=HEADERS
    )
    assert found.status == 200
    statement = await found.json()
    assert statement["id"] == statement_id
    assert statement["object"] == GOOD["object"]
