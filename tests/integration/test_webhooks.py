"""Signed webhooks over HTTP, to a real store: right ones, wrong ones, and what comes again."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from pointsman.config.sources import SourceSettings
from pointsman.domain.errors import StoreUnavailable
from tests.support.http_endpoint import Endpoint, running
from tests.support.malformed_bodies import MALFORMED

SECRET = "hunter2"
STANDARD = base64.b64encode(b"standard-hunter2").decode()
LMS, SVIX = "/webhooks/lms", "/webhooks/svix"
BODY: dict[str, Any] = {
    "user": {"email": "ana@example.com"},
    "course": 7,
    "percent": 40,
    "done": False,
}


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[Endpoint]:
    """With a sender that signs the body alone, and one after Standard Webhooks that sends lists."""
    sources = SourceSettings.model_validate(
        {
            "webhooks": [
                {
                    "name": "lms",
                    "secret": SECRET,
                    "signature": {"header": "X-Signature", "prefix": "sha256="},
                    "learner": "user.email",
                    "activity": "http://example.com/course/{course}",
                    "progress": "percent",
                    "completed": "done",
                },
                {
                    "name": "svix",
                    "standard": True,
                    "secret": f"whsec_{STANDARD}",
                    "items": "data",
                    "learner": "$.user.email",
                    "activity": "http://example.com/course/{id}",
                    "progress": "p",
                },
            ]
        }
    )
    async with running(tmp_path, sources=sources) as endpoint:
        yield endpoint


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-Signature": "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()}


def standard(body: bytes, name: str = "msg_1", at: float | None = None) -> dict[str, str]:
    sent_at = str(int(time.time() if at is None else at))
    lead = f"{name}.{sent_at}.".encode()
    digest = hmac.new(b"standard-hunter2", lead + body, hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return {
        "webhook-id": name,
        "webhook-timestamp": sent_at,
        "webhook-signature": f"v1,{signature}",
    }


async def post(
    endpoint: Endpoint, path: str, body: bytes, headers: dict[str, str]
) -> ClientResponse:
    return await endpoint.client.post(path, data=body, headers=headers, allow_redirects=False)


async def send(endpoint: Endpoint, body: Any) -> ClientResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await post(endpoint, LMS, raw, signed(raw))


async def reason(answer: ClientResponse) -> str:
    said = (await answer.json())["error"]["reason"]
    assert "hunter2" not in said
    return str(said)


async def test_a_signed_body_is_stored_before_it_is_answered(endpoint: Endpoint) -> None:
    answer = await send(endpoint, BODY)
    assert (answer.status, await answer.read()) == (204, b"")
    (seen,) = endpoint.seen
    assert (seen.activity, seen.progress, seen.completion) == (
        "http://example.com/course/7",
        40,
        False,
    )
    assert (await endpoint.store.books()).accepted == 1
    assert endpoint.requests == [("lms", "POST", "/webhooks/{source}", 204)]


async def test_a_body_that_comes_again_is_a_duplicate(endpoint: Endpoint) -> None:
    assert (await send(endpoint, BODY)).status == 204
    before = await endpoint.snapshot_without_history()
    assert (await send(endpoint, BODY)).status == 204
    assert await endpoint.snapshot_without_history() == before


async def test_standard_webhooks_come_under_the_names_of_svix_too(endpoint: Endpoint) -> None:
    body = json.dumps({"user": BODY["user"], "data": [{"id": 1, "p": 40}]}).encode()
    headers = {name.replace("webhook-", "svix-"): text for name, text in standard(body).items()}
    assert (await post(endpoint, SVIX, body, headers)).status == 204
    assert [seen.progress for seen in endpoint.seen] == [40]


async def test_standard_webhooks_are_known_by_their_id(endpoint: Endpoint) -> None:
    def body(progress: int) -> bytes:
        items = [{"id": n, "p": progress} for n in (1, 2)]
        return json.dumps({"user": BODY["user"], "data": items}).encode()

    first = body(1)
    assert (await post(endpoint, SVIX, first, standard(first))).status == 204
    before = await endpoint.snapshot_without_history()
    # sent again some time later, with another signature
    again = standard(first, at=time.time() - 60)
    assert (await post(endpoint, SVIX, first, again)).status == 204
    assert await endpoint.snapshot_without_history() == before
    # the same id with other content: nothing else could be sent in its place
    assert (await post(endpoint, SVIX, body(2), standard(body(2)))).status == 204
    letters = await endpoint.store.dead_letters(limit=9)
    assert [letter.source for letter in letters] == ["svix", "svix"]
    assert all("already stored with different content" in letter.reason for letter in letters)
    assert endpoint.refused == []
    assert (await post(endpoint, SVIX, body(2), standard(body(2), "msg_2"))).status == 204
    books = await endpoint.store.books()
    assert (books.accepted, books.balanced) == (6, True)


async def test_a_list_with_nothing_in_it_is_taken(endpoint: Endpoint) -> None:
    body = b'{"data": []}'
    assert (await post(endpoint, SVIX, body, standard(body))).status == 204
    assert endpoint.seen == []


GOOD = json.dumps(BODY).encode()


@pytest.mark.parametrize(
    ("path", "headers", "words"),
    [
        (LMS, {}, "the header X-Signature is missing; expected sha256={HMAC-SHA256 of {body}"),
        (LMS, {"X-Signature": "sha256=00"}, "X-Signature must be sha256="),
        (LMS, {"X-Signature": "sha256=" + "0" * 64}, "is not one of this body"),
        (LMS, signed(GOOD, "stranger"), "with a known secret"),
        (LMS, signed(GOOD + b" "), "of this body"),
        (LMS, {"X-Signature": "sha256=ä".encode().decode("latin-1")}, "characters"),
        (LMS, {"Authorization": "Basic dXNlcjpwYXNz"}, "X-Signature is missing"),
        (SVIX, signed(GOOD), "webhook-signature or svix-signature is missing"),
        (SVIX, standard(GOOD, at=0), "webhook-timestamp is"),
        (SVIX, standard(GOOD + b" "), "webhook-signature is not one"),
        (SVIX, {**standard(GOOD), "webhook-id": "msg_9"}, "webhook-signature is not one"),
    ],
)
async def test_what_is_not_signed_gets_401_and_is_never_read(
    endpoint: Endpoint, path: str, headers: dict[str, str], words: str
) -> None:
    before = await endpoint.snapshot()
    for body in (GOOD, b"{") if "is not one of this body" in words else (GOOD,):
        answer = await post(endpoint, path, body, headers)
        said = (await answer.json())["error"]["reason"].replace("the signature in ", "")
        assert answer.status == 401, said
        assert words in said
        assert answer.headers["WWW-Authenticate"].startswith("Signature")
    assert await endpoint.snapshot() == before
    assert endpoint.requests[0][0] == ""
    assert endpoint.refused == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff", "not JSON"),
        ({**BODY, "user": {}}, "the body has nothing at user.email"),
        ({**BODY, "course": None}, "the body has nothing at course"),
        ([], "the body has nothing at course"),
    ],
)
async def test_a_signed_body_that_lacks_something_gets_400_with_the_path(
    endpoint: Endpoint, body: Any, words: str
) -> None:
    before = await endpoint.snapshot()
    answer = await send(endpoint, body)
    assert answer.status == 400
    assert words in await reason(answer)
    assert await endpoint.snapshot() == before
    assert endpoint.refused == [("lms", 1)]


async def test_every_malformed_body_is_refused_with_a_reason(endpoint: Endpoint) -> None:
    before = await endpoint.snapshot()
    for _, body, _ in MALFORMED:
        if len(body) < 200_000:
            answer = await send(endpoint, body)
            assert answer.status == 400
            assert await reason(answer)
    assert await endpoint.snapshot() == before


async def test_more_items_than_a_request_may_have_are_refused(endpoint: Endpoint) -> None:
    items = [{"id": number, "p": 1} for number in range(1_001)]
    body = json.dumps({"user": BODY["user"], "data": items}).encode()
    answer = await post(endpoint, SVIX, body, standard(body))
    assert answer.status == 400
    assert "http.max_statements" in await reason(answer)


@pytest.mark.parametrize("path", ["/webhooks/nobody", "/webhooks/%00", "/webhooks/lms/x"])
async def test_a_source_that_is_not_known_is_404(endpoint: Endpoint, path: str) -> None:
    assert (await post(endpoint, path, GOOD, signed(GOOD))).status == 404


async def test_limits_are_those_of_statements(endpoint: Endpoint) -> None:
    large = b" " * 200_001
    assert (await post(endpoint, LMS, large, signed(large))).status == 413
    packed = gzip.compress(GOOD)
    headers = {**signed(packed), "Content-Encoding": "gzip"}
    assert (await post(endpoint, LMS, packed, headers)).status == 415
    assert (await endpoint.client.get(LMS)).status == 405


async def test_a_store_that_is_away_is_503(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: Any) -> Any:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(endpoint.store, "ingest", away)
    answer = await send(endpoint, BODY)
    assert answer.status == 503
    assert answer.headers["Retry-After"]
