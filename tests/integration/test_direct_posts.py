"""Posts of statements are answered as the application's router would have them answered."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from demo.processes import PATIENCE, free_port
from pointsman.domain.clock import SystemClock
from pointsman.sources.http.app import HttpDeps, make_app
from pointsman.sources.http.body import BytesInFlight
from pointsman.sources.http.connection import ConnectionHooks, ConnectionTimes
from pointsman.sources.http.connection_limits import ConnectionLimits
from pointsman.sources.http.middleware import RequestsUnderWay
from pointsman.sources.http.server import HttpServer
from tests.support.http_endpoint import AUTH, PLAYER, STATEMENTS, Endpoint, basic, running
from tests.support.xapi_factory import statement

_HEAD = {
    "Host": "127.0.0.1",
    **AUTH,
    "X-Experience-API-Version": "1.0.3",
    "Content-Type": "application/json",
}
#: closes the connection, where the request before it has not
_LAST = b"GET /xapi/about HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#: what differs from one answer to the next, however they are made
_MOMENTS = re.compile(rb"(?<=\r\nDate: )[^\r]+|(?<=Through: )[^\r]+|[0-9]+(?=\r\nX-Exp)")


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def _body(number: int, **changes: object) -> bytes:
    return json.dumps(statement(id=_id(number), **changes)).encode()


def _request(
    body: bytes = b"",
    path: str = STATEMENTS,
    method: str = "POST",
    version: str = "1.1",
    without: str = "",
    **more: str,
) -> bytes:
    """`more` are headers; `without` leaves one out."""
    headers = _HEAD | {"Content-Length": str(len(body))}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if name != without]
    return "\r\n".join((f"{method} {path} HTTP/{version}", *lines, "", "")).encode() + body


def _chunked(body: bytes) -> bytes:
    head = _request(without="Content-Length", Transfer_Encoding="chunked")
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


_FORM = b"content=%7B%7D"
_TYPE = "application/x-www-form-urlencoded"
#: each on a connection of its own; the posts have their order, for some say again what was said
_ROWS = {
    "a statement": _request(_body(1)),
    "the same again": _request(_body(1)),
    "its id with other content": _request(_body(1, timestamp="2026-01-01T00:00:00Z")),
    "another with its array": _request(b"[" + _body(2) + b"]"),
    "one of xAPI 2.0": _request(_body(3), X_Experience_API_Version="2.0.0"),
    "one of xAPI 1.0": _request(_body(4), X_Experience_API_Version="1.0"),
    "one of no version": _request(_body(5), without="X-Experience-API-Version"),
    "one of another version": _request(_body(5), X_Experience_API_Version="0.95"),
    "an empty array": _request(b"[]"),
    "an empty body": _request(),
    "no length": _request(without="Content-Length"),
    "no JSON": _request(b"{"),
    "no statement": _request(b'{"id": 1}'),
    "another type": _request(_body(5), Content_Type="text/plain"),
    "no type": _request(_body(5), without="Content-Type"),
    "no host": _request(_body(6), without="Host"),
    "no credential": _request(_body(7), without="Authorization"),
    "no credential and a large body": _request(b"x" * 300_000, without="Authorization"),
    "another credential": _request(_body(7), Authorization=basic("user:other")),
    "no credential at all": _request(_body(7), Authorization="Basic"),
    "a browser without a credential": _request(
        _body(7), without="Authorization", Origin=PLAYER, Sec_Fetch_Site="cross-site"
    ),
    "a lenient source": _request(_body(8), Authorization=basic("lenient:pass")),
    "HTTP/1.0": _request(_body(9), version="1.0"),
    "HTTP/1.0 that goes on": _request(_body(10), version="1.0", Connection="keep-alive"),
    "the last of its connection": _request(_body(11), Connection="close"),
    "two at once": _request(_body(12)) + _request(_body(13)),
    "twelve at once": b"".join(_request(_body(20 + number)) for number in range(12)),
    "chunked": _chunked(_body(14)),
    "of an allowed origin": _request(_body(15), Origin=PLAYER),
    "of another origin": _request(_body(16), Origin="https://elsewhere.example"),
    "of no origin": _request(_body(17), Origin="null"),
    "refused, of an allowed origin": _request(b"{", Origin=PLAYER),
    "invited": _request(_body(18), Expect="100-continue"),
    "expecting something else": _request(_body(19), Expect="more"),
    "compressed": _request(_body(19), Content_Encoding="gzip"),
    "not compressed": _request(_body(19), Content_Encoding="identity"),
    "too large": _request(b"x" * 300_000),
    "an upgrade": _request(_body(41), Connection="Upgrade", Upgrade="websocket"),
    "a statement, after all these": _request(_body(42)),
    "HEAD": _request(method="HEAD"),
    "GET": _request(method="GET", path=f"{STATEMENTS}?statementId={_id(99)}"),
    "PUT": _request(_body(43), method="PUT", path=f"{STATEMENTS}?statementId={_id(43)}"),
    "PUT without an id": _request(_body(44), method="PUT"),
    "DELETE": _request(method="DELETE"),
    "PATCH": _request(method="PATCH"),
    "a method in small letters": _request(_body(44), method="post"),
    "OPTIONS": _request(method="OPTIONS"),
    "a preflight": _request(method="OPTIONS", Origin=PLAYER, Access_Control_Request_Method="POST"),
    "a slash more": _request(_body(45), path=f"{STATEMENTS}/"),
    "two slashes": _request(_body(46), path=f"/{STATEMENTS}"),
    "a query": _request(_body(46), path=f"{STATEMENTS}?registration=1"),
    "an empty query": _request(_body(46), path=f"{STATEMENTS}?"),
    "a fragment": _request(_body(47), path=f"{STATEMENTS}#x"),
    "?method=POST": _request(_FORM, path=f"{STATEMENTS}?method=POST", Content_Type=_TYPE),
    "?method=GET": _request(b"limit=x", path=f"{STATEMENTS}?method=GET", Content_Type=_TYPE),
    "an escaped path": _request(_body(48), path="/xapi/%73tatements"),
    "a path with dots": _request(_body(49), path="/xapi/x/../statements"),
    "the whole address": _request(_body(50), path=f"http://127.0.0.1{STATEMENTS}"),
    "a path below": _request(_body(51), path=f"{STATEMENTS}/more"),
    "another path": _request(_body(51), path="/xapi/statement"),
}


@web.middleware
async def _of_others(request: web.Request, handler: Handler) -> web.StreamResponse:
    return await handler(request)


@asynccontextmanager
async def listening(
    deps: HttpDeps, *, by_router: bool, drain_seconds: float = 0
) -> AsyncIterator[tuple[int, HttpServer]]:
    """The application as the daemon serves it, or with all by its router, and its port."""
    requests = RequestsUnderWay(BytesInFlight(10_000_000))
    app = make_app(replace(deps, requests=requests))
    if by_router:
        app.middlewares.insert(0, _of_others)
    port = free_port()
    limits, times = ConnectionLimits(50, 50, ()), ConnectionTimes(60, 60)
    server = HttpServer(
        app,
        requests,
        SystemClock(),
        limits,
        times,
        ConnectionHooks(),
        host="127.0.0.1",
        port=port,
        drain_seconds=drain_seconds,
    )
    await server.open()
    try:
        yield port, server
    finally:
        await server.close()


async def _answered(port: int, sent: bytes, last: bytes = _LAST) -> bytes:
    """All that comes until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(PATIENCE):
        try:
            writer.write(sent + last)
            answers = await reader.read()
        except ConnectionResetError:
            answers = b"reset"
    writer.close()
    return _MOMENTS.sub(b"-", answers)


def _told(endpoint: Endpoint) -> object:
    return endpoint.requests, endpoint.refused, len(endpoint.seen)


async def test_what_is_answered_without_the_router_is_answered_as_with_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with (
        running(tmp_path / "a") as one,
        running(tmp_path / "b") as other,
        listening(one.deps, by_router=False) as (direct, _),
        listening(other.deps, by_router=True) as (routed, _),
    ):
        for name, sent in _ROWS.items():
            answers = await _answered(direct, sent)
            assert answers == await _answered(routed, sent), name
            assert _told(one) == _told(other), name
            assert answers.startswith(b"HTTP/1."), name
        counts = [await endpoint.snapshot_without_history() for endpoint in (one, other)]
        assert counts[0][0] == counts[1][0]


async def test_a_stop_answers_posts_and_ends_those_whose_body_does_not_come(tmp_path: Path) -> None:
    async with (
        running(tmp_path) as endpoint,
        listening(endpoint.deps, by_router=False) as (port, server),
    ):
        slow = asyncio.create_task(_answered(port, _request(_body(1))[:-1], b""))
        idle = await asyncio.open_connection("127.0.0.1", port)
        assert (await _answered(port, _request(_body(2)))).startswith(b"HTTP/1.1 200 ")
        server.begin_drain(0)
        idle[1].write(_request(_body(3)))
        answer = await idle[0].read()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"\r\nConnection: close\r\n" in answer
        await server.close()
        answer = await slow
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After" in answer
        assert endpoint.requests[-1][0] == "players"
        idle[1].close()
