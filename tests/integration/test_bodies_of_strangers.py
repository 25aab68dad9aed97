"""Who is not known may send 64 KB, and each sender as much as its settings say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from pointsman.config.sources import SourceSettings
from pointsman.sources.http.body import UNKNOWN_BYTES
from tests.support.http_endpoint import AUTH, Endpoint, running
from tests.support.postbacks import GOLF, PASSWORD, form
from tests.support.xapi_factory import statement

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
VERSION = {"X-Experience-API-Version": "1.0.3"}
GOOD = AUTH["Authorization"]
WRONG = "Basic " + base64.b64encode(b"user:wrong").decode()
PAD = "x" * 2 * UNKNOWN_BYTES
SECRET = "hunter2"


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[Endpoint]:
    """Up to 200,000 bytes of xAPI, 50,000 of the webhook, 150,000 of postbacks."""
    webhook = {
        "name": "lms",
        "secret": SECRET,
        "signature": {"header": "X-Signature"},
        "learner": "who",
        "activity": "what",
        "max_body_bytes": 50_000,
    }
    postbacks = {
        "name": "scorm",
        "username": "pbuser",
        "password": PASSWORD,
        "max_body_bytes": 150_000,
    }
    sources = SourceSettings.model_validate({"webhooks": [webhook], "scorm_cloud": [postbacks]})
    async with running(tmp_path, sources=sources) as endpoint:
        yield endpoint


def said(**more: str) -> list[tuple[str, str]]:
    content = json.dumps({**statement(), "result": {"response": PAD}})
    return [("X-Experience-API-Version", "1.0.3"), *more.items(), ("content", content)]


Form = Callable[[], list[tuple[str, str]]]


@pytest.mark.parametrize(
    ("fields", "header", "status", "words"),
    [
        pytest.param(lambda: said(Authorization=GOOD), None, 200, "", id="known in time"),
        pytest.param(said, GOOD, 200, "", id="known by its header"),
        pytest.param(lambda: said(Authorization=WRONG), None, 401, "not known", id="not known"),
        pytest.param(said, WRONG, 401, "not known", id="not known by its header"),
        pytest.param(said, None, 413, "Authorization within its first 65536", id="silent"),
        pytest.param(
            lambda: [*said(), ("Authorization", GOOD)], None, 413, "within its first", id="too late"
        ),
        pytest.param(
            lambda: [*said(Authorization=GOOD), ("more", PAD)], None, 413, "200000", id="too large"
        ),
    ],
)
async def test_a_form_of_the_alternate_syntax_says_in_time_whose_it_is(
    endpoint: Endpoint, fields: Form, header: str | None, status: int, words: str
) -> None:
    headers = FORM if header is None else FORM | {"Authorization": header}
    answer = await endpoint.client.post(
        "/xapi/statements?method=POST", data=urlencode(fields()).encode(), headers=headers
    )

    assert answer.status == status, await answer.text()
    assert words in await answer.text()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(lambda: form({**GOLF, "pad": "x" * 10_000}), 204, id="small"),
        pytest.param(lambda: form({**GOLF, "pad": PAD}), 413, id="too late"),
        pytest.param(lambda: early({**GOLF, "pad": PAD}), 204, id="known in time"),
        pytest.param(lambda: early({**GOLF, "pad": PAD}, "wrong"), 401, id="not known"),
        pytest.param(lambda: early({**GOLF, "pad": 2 * PAD}), 413, id="too large"),
    ],
)
async def test_a_postback_says_in_time_whose_it_is(
    endpoint: Endpoint, body: Callable[[], bytes], status: int
) -> None:
    answer = await endpoint.client.post("/scorm-cloud/postback", data=body(), headers=FORM)

    assert answer.status == status, await answer.text()


def early(postback: dict[str, Any], password: str = PASSWORD) -> bytes:
    """A form whose credentials come first."""
    fields = {"userName": "pbuser", "password": password, "data": json.dumps(postback)}
    return urlencode(fields).encode()


@pytest.mark.parametrize(
    ("size", "is_signed", "status"),
    [(49_000, True, 204), (49_000, False, 401), (51_000, True, 413), (51_000, False, 413)],
)
async def test_a_webhook_is_read_as_far_as_its_source_may_send(
    endpoint: Endpoint, size: int, is_signed: bool, status: int
) -> None:
    body = {"who": "ana@example.com", "what": "http://example.com/course/1", "pad": ""}
    body["pad"] = "x" * (size - len(json.dumps(body)))
    sent = json.dumps(body).encode()
    signature = hmac.new(SECRET.encode(), sent, hashlib.sha256).hexdigest()
    headers = {"X-Signature": signature if is_signed else "0" * 64}
    answer = await endpoint.client.post("/webhooks/lms", data=sent, headers=headers)

    assert answer.status == status, await answer.text()
