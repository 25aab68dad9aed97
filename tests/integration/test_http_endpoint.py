"""The HTTP endpoint over a real socket, with an intake that only remembers."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, AppRunner, Request, TCPSite
from pydantic import SecretStr
from yarl import URL

from demo.processes import PATIENCE
from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import InputRefused, StatementConflict, StoreUnavailable
from pointsman.sources.batch import Accepted, StatementBatch
from pointsman.sources.http.app import HttpDeps, make_app
from pointsman.sources.http.authorization import BasicCredential, BearerCredential, HttpSource
from pointsman.sources.http.failed_attempts import FailedAttempts
from pointsman.sources.http.health import ReadyState
from pointsman.sources.http.settings import HttpSettings
from pointsman.statements import Problem, StatementsRefused
from pointsman.store.sqlite import SqliteStore
from tests.support.xapi_factory import statement

ID = "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"
PLAYER = "https://player.example"
LIMIT = 4096
SAID = orjson.dumps(statement(id=ID))
AUTH = {"Authorization": "Basic " + base64.b64encode(b"key:s3cret").decode()}
VERSION = {"X-Experience-API-Version": "1.0.3"}
GOOD = AUTH | VERSION | {"Content-Type": "application/json"}

Client = TestClient[Request, Application]


@dataclass
class World:
    """What the endpoint talks to, and what it said."""

    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    fails: Exception | None = None
    already_stored: bool = False
    ready: ReadyState = ReadyState()  # noqa: RUF009 - it is frozen
    requests: list[tuple[str, str, str, int]] = field(default_factory=list)
    refused: list[tuple[str, int]] = field(default_factory=list)

    async def accept(self, batch: StatementBatch) -> Accepted:
        if self.fails is not None:
            raise self.fails
        self.bodies.append((batch.source, batch.body))
        return Accepted([item.statement_id for item in batch.items], self.already_stored)

    async def keep_dead_letter(self, source: str, body: bytes, reason: str, origin: str) -> None:
        raise NotImplementedError

    async def is_ready(self) -> ReadyState:
        return self.ready

    async def page(self, accept: str) -> tuple[bytes, str]:
        as_text = "text/plain; version=0.0.4; charset=utf-8"
        return b"pointsman_up 1\n", as_text if "openmetrics" not in accept else accept

    def saw(self, source: str, method: str, route: str, status: int, seconds: float) -> None:
        assert seconds >= 0
        self.requests.append((source, method, route, status))

    def turned_away(self, source: str, statements: int) -> None:
        self.refused.append((source, statements))


class Away(SqliteStore):
    """A store that does not answer."""

    async def consistent_through(self) -> int:
        raise StoreUnavailable


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def deps(world: World, tmp_path: Path) -> HttpDeps:
    return HttpDeps(
        intake=world,
        store=Away(tmp_path / "nobody opens it.db"),
        sources=[
            HttpSource("player", (BasicCredential("key", SecretStr("s3cret")),)),
            HttpSource("gateway", (BearerCredential(SecretStr("tok")),)),
        ],
        settings=HttpSettings(max_body_bytes=LIMIT, cors_origins=(PLAYER,)),
        ready=world.is_ready,
        metrics_page=world.page,
        on_request=world.saw,
        on_refused=world.turned_away,
        clock=SystemClock(),
        attempts=FailedAttempts(100_000, SystemClock()),
        authority_home_page="https://lrs.example",
        body_timeout=0.3,
    )


@pytest.fixture
async def client(deps: HttpDeps) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(deps))) as client:
        yield client


async def error_of(response: ClientResponse) -> dict[str, Any]:
    assert response.content_type == "application/json"
    error: dict[str, Any] = (await response.json())["error"]
    assert error["status"] == response.status
    return error


@pytest.mark.parametrize("path", ["/xapi/statements", "/xapi/statements/"])
async def test_a_post_is_answered_with_its_ids(client: Client, world: World, path: str) -> None:
    headers = GOOD | {"Content-Type": "application/json; charset=utf-8"}
    response = await client.post(path, data=SAID, headers=headers, allow_redirects=False)
    assert response.status == 200
    assert await response.json() == [ID]
    assert response.headers["X-Experience-API-Version"] == "1.0.3"
    assert world.bodies == [("player", SAID)]
    assert world.requests == [("player", "POST", "/xapi/statements", 200)]


async def test_a_put_is_answered_empty(client: Client, world: World) -> None:
    headers = GOOD | {"Authorization": "Bearer tok", "X-Experience-API-Version": "2.0.0"}
    response = await client.put(
        "/xapi/statements", params={"statementId": ID.upper()}, data=SAID, headers=headers
    )
    assert response.status == 204
    assert await response.read() == b""
    assert response.headers["X-Experience-API-Version"] == "2.0.0"
    assert world.bodies == [("gateway", SAID)]


async def test_what_was_known_already_is_answered_empty(client: Client, world: World) -> None:
    world.already_stored = True
    response = await client.post("/xapi/statements", data=SAID, headers=GOOD)
    assert response.status == 204
    assert await response.read() == b""


@pytest.mark.parametrize(
    ("method", "query", "headers", "status", "says"),
    [
        ("PUT", "", {}, 400, "statementId is missing"),
        ("PUT", "?statementId=", {}, 400, "must be a UUID"),
        ("PUT", "?statementId=7", {}, 400, "must be a UUID"),
        ("PUT", f"?statementId={ID}&statementId={ID}", {}, 400, "given once"),
        ("POST", "?method=PUT", {}, 400, "must be a form"),
        ("PUT", f"?method=PUT&statementId={ID}", {}, 400, "is for POST"),
        ("POST", "?registration=x", {}, 400, "'registration' is not known"),
        ("PUT", "?statementId=%zz", {}, 400, "two hex digits"),
        ("PUT", "?statementId=%ff", {}, 400, "UTF-8"),
        ("POST", "", {"X-Experience-API-Version": "0.95"}, 400, "1.0, 1.0.x or 2.0.x"),
        ("POST", "", {"Content-Encoding": "gzip"}, 415, "Content-Encoding"),
        ("POST", "", {"Expect": "200-ok"}, 417, "100-continue"),
    ],
)
async def test_what_a_request_may_not_be(
    client: Client,
    world: World,
    method: str,
    query: str,
    headers: dict[str, str],
    status: int,
    says: str,
) -> None:
    data = None if method == "GET" else SAID
    response = await client.request(
        method, URL(f"/xapi/statements{query}", encoded=True), data=data, headers=GOOD | headers
    )
    assert response.status == status
    assert says in (await error_of(response))["reason"]
    expected = "2.0.0" if "X-Experience-API-Version" in headers else "1.0.3"
    assert response.headers["X-Experience-API-Version"] == expected
    assert world.bodies == []


async def test_the_version_header_is_required(client: Client) -> None:
    headers = AUTH | {"Content-Type": "application/json"}
    response = await client.post("/xapi/statements", data=SAID, headers=headers)
    assert response.status == 400
    assert "is missing" in (await error_of(response))["reason"]


@pytest.mark.parametrize(
    ("authorization", "says"),
    [
        (None, "missing"),
        ("Basic undefined", "base64"),
        ("Basic Og==", "empty"),
        ("Digest x", "Basic or Bearer"),
        ("Basic " + base64.b64encode(b"key:wr0ng").decode(), "not known"),
        ("Bearer wr0ng", "not known"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_strangers_are_told_what_is_wrong(
    client: Client, world: World, method: str, authorization: str | None, says: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = await client.request(method, "/xapi/statements", data=SAID, headers=headers)
    assert response.status == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic realm=")
    error = await error_of(response)
    assert says in error["reason"]
    assert "wr0ng" not in error["reason"]
    assert world.bodies == []
    assert world.requests == [("", method, "/xapi/statements", 401)]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Origin": "https://player.example"},
    ],
)
async def test_no_browser_is_asked_for_a_password_that_it_would_keep(
    client: Client, headers: dict[str, str]
) -> None:
    for path in ("/xapi/statements", "/xapi/activities/state"):
        response = await client.get(path, headers=headers)
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_body_announced_too_long_is_refused_unread(client: Client, world: World) -> None:
    response = await client.post("/xapi/statements", data=b" " * (LIMIT + 1), headers=GOOD)
    assert response.status == 413
    assert str(LIMIT) in (await error_of(response))["reason"]
    fits = await client.post("/xapi/statements", data=SAID.ljust(LIMIT), headers=GOOD)
    assert fits.status == 200
    assert len(world.bodies) == 1


async def test_a_chunked_body_is_refused_when_it_grows_too_long(
    client: Client, world: World
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 1000

    response = await client.post("/xapi/statements", data=chunks(), headers=GOOD)
    assert response.status == 413
    await error_of(response)
    assert world.bodies == []


async def raw(client: Client, head: str, *parts: bytes) -> bytes:
    """The answer to a request that a well-behaved client would not send, part by part."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(head.replace("\n", "\r\n").encode())
    for part in parts:
        await asyncio.sleep(0.05)
        writer.write(part)
    answer = await reader.read(65_536)
    writer.close()
    await writer.wait_closed()
    return answer


def request_head(**extra: str) -> str:
    lines = {"Host": "x", **GOOD, **{k.replace("_", "-"): v for k, v in extra.items()}}
    return (
        "POST /xapi/statements HTTP/1.1\n" + "".join(f"{k}: {v}\n" for k, v in lines.items()) + "\n"
    )


async def test_a_body_that_does_not_come_is_not_waited_for(client: Client, world: World) -> None:
    answer = await raw(client, request_head(Content_Length="10"), b"{")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in answer
    assert world.bodies == []


async def test_a_broken_chunk_is_the_senders_mistake(client: Client, world: World) -> None:
    answer = await raw(client, request_head(Transfer_Encoding="chunked"), b"1\r\n{\r\n", b"zz\r\n")
    # 408 where the parser only says that no more of the body will come
    assert answer[:13] in {b"HTTP/1.1 400 ", b"HTTP/1.1 408 "}
    assert world.bodies == []


async def test_half_a_body_of_a_sender_that_left_is_not_submitted(
    world: World, deps: HttpDeps
) -> None:
    # Not the test server: it cancels what a lost connection was about, the daemon's does not.
    runner = AppRunner(make_app(replace(deps, body_timeout=30)))
    await runner.setup()
    await TCPSite(runner, "127.0.0.1", 0).start()
    _, port = runner.addresses[0][:2]
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request_head(Content_Length="10").replace("\n", "\r\n").encode() + b"{")
    for _ in range(10):  # turns of the loop: the handler has begun
        await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(PATIENCE):
        while not world.requests:  # noqa: ASYNC110 - the hook can't say it otherwise
            await asyncio.sleep(0.01)
    await runner.cleanup()
    assert world.requests == [("player", "POST", "/xapi/statements", 400)]
    assert world.bodies == []


async def test_strangers_are_not_invited_to_send_a_body(client: Client) -> None:
    head = request_head(Content_Length="2", Expect="100-continue", Authorization="Basic x")
    assert (await raw(client, head)).startswith(b"HTTP/1.1 401 ")


async def test_known_senders_are_invited_to_send_a_body(client: Client, world: World) -> None:
    response = await client.post("/xapi/statements", data=SAID, headers=GOOD, expect100=True)
    assert response.status == 200
    assert world.bodies == [("player", SAID)]


@pytest.mark.parametrize(
    ("fails", "status", "refused"),
    [
        (InputRefused("not JSON"), 400, [("player", 1)]),
        (StatementConflict((ID,)), 409, [("player", 1)]),
        (StoreUnavailable("disk full"), 503, []),
    ],
)
async def test_what_the_intake_raises_is_answered(
    client: Client,
    world: World,
    fails: Exception,
    status: int,
    refused: list[tuple[str, int]],
) -> None:
    world.fails = fails
    response = await client.post("/xapi/statements", data=SAID, headers=GOOD | {"Origin": PLAYER})
    assert response.status == status
    assert await error_of(response) == {"status": status, "reason": str(fails), "problems": []}
    assert response.headers["Access-Control-Allow-Origin"] == PLAYER
    assert response.headers.get("Retry-After") == ("2" if status == 503 else None)
    assert world.refused == refused


async def test_refused_statements_are_named_one_by_one(client: Client, world: World) -> None:
    world.fails = StatementsRefused(
        (
            Problem(1, ID, "actor.mbox", "must be a mailto IRI"),
            Problem(1, ID, "verb.id", "is missing"),
            Problem(3, None, "actor", "is missing \ud800"),
        )
    )
    response = await client.post("/xapi/statements", data=b"[]", headers=GOOD)
    assert response.status == 400
    assert (await error_of(response))["problems"] == [
        {"statement": 1, "id": ID, "field": "actor.mbox", "rule": "must be a mailto IRI"},
        {"statement": 1, "id": ID, "field": "verb.id", "rule": "is missing"},
        {"statement": 3, "id": None, "field": "actor", "rule": "is missing \ud800"},
    ]
    assert world.refused == [("player", 2)]


async def test_an_error_of_ours_is_answered_without_its_details(
    client: Client, world: World
) -> None:
    world.fails = RuntimeError("at /etc/secret")
    response = await client.post("/xapi/statements", data=SAID, headers=GOOD)
    assert response.status == 500
    reason = (await error_of(response))["reason"]
    assert "secret" not in reason
    assert "its log has it as" in reason
    assert world.requests == [("player", "POST", "/xapi/statements", 500)]


async def test_get_waits_for_the_store_to_come_back(client: Client, world: World) -> None:
    response = await client.get(f"/xapi/statements?statementId={ID}", headers=AUTH | VERSION)
    assert response.status == 503
    assert response.headers["Retry-After"] == "2"


async def test_a_method_that_is_not_there_is_answered_with_those_that_are(
    client: Client, world: World
) -> None:
    response = await client.delete("/xapi/statements", headers=GOOD | {"Origin": PLAYER})
    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST, PUT"
    assert response.headers["Access-Control-Allow-Origin"] == PLAYER
    await error_of(response)
    assert (await client.request("PROPFIND", "/healthz")).status == 405
    assert world.requests[-1] == ("", "other", "unknown", 405)


@pytest.mark.parametrize("path", ["/nothing", "/xapi", "/xapi/verbs", "/xapi/statements/more"])
async def test_an_unknown_path_is_404_in_json(client: Client, world: World, path: str) -> None:
    response = await client.get(path, headers={"Origin": PLAYER}, allow_redirects=False)
    assert response.status == 404
    assert "a player's endpoint ends with /xapi" in str(await error_of(response))
    assert response.headers["Access-Control-Allow-Origin"] == PLAYER
    assert world.requests == [("", "GET", "unknown", 404)]


async def test_a_preflight_needs_no_credentials(client: Client) -> None:
    headers = {
        "Origin": PLAYER,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, x-trace",
    }
    for path in ("/xapi/statements", "/xapi/statements/", "/xapi/about"):
        response = await client.options(path, headers=headers)
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == PLAYER
        assert response.headers["Access-Control-Allow-Headers"].endswith("x-trace")
    assert (await client.options("/xapi/nothing", headers=headers)).status == 404


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}])
async def test_other_origins_get_no_cors_headers(client: Client, headers: dict[str, str]) -> None:
    for response in (
        await client.options("/xapi/statements", headers=headers),
        await client.post("/xapi/statements", data=SAID, headers=GOOD | headers),
    ):
        assert not [name for name in response.headers if name.startswith("Access-Control")]
        assert response.headers["Vary"] == "Origin"


async def test_about_is_open_to_everybody(client: Client) -> None:
    response = await client.get("/xapi/about")
    told = await response.json()
    assert told["version"] == ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0"]
    assert told["extensions"] == {"tag:pointsman,2026:limits": {"max_body_bytes": LIMIT}}
    assert response.headers["X-Experience-API-Version"] == "2.0.0"
    assert (await client.head("/xapi/about")).status == 200


async def test_a_stranger_on_a_known_senders_connection_is_a_stranger(
    client: Client, world: World
) -> None:
    await client.post("/xapi/statements", data=SAID, headers=GOOD)
    await client.get("/xapi/about")
    assert world.requests[-1] == ("", "GET", "/xapi/about", 200)


async def test_a_daemon_whose_part_keeps_ending_is_not_healthy(deps: HttpDeps) -> None:
    problem = "audit has ended 3 times in a row"
    sick = replace(deps, health_problem=lambda: problem)
    async with TestClient(TestServer(make_app(sick))) as client:
        answer = await client.get("/healthz")
        assert answer.status == 503
        assert problem in await answer.text()


async def test_probes_and_metrics(client: Client, world: World) -> None:
    assert (await client.get("/healthz")).status == 200
    assert (await client.get("/readyz")).status == 200
    page = await client.get("/metrics")
    assert page.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert await page.text() == "pointsman_up 1\n"
    openmetrics = "application/openmetrics-text; version=1.0.0"
    page = await client.get("/metrics", headers={"Accept": openmetrics})
    assert page.headers["Content-Type"] == openmetrics
    world.ready = ReadyState("draining: this daemon is about to stop", {"a part": "a problem"})
    response = await client.get("/readyz")
    assert response.status == 503
    error = await error_of(response)
    assert "draining" in error["reason"]
    assert error["details"] == {"a part": "a problem"}
    # Draining says that no new sender should come; those already here are served.
    assert (await client.post("/xapi/statements", data=SAID, headers=GOOD)).status == 200
