"""What goes out: through proxies, with certificates, in whole bodies, and without cookies."""

from __future__ import annotations

import ast
import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from demo.processes import free_port
from pointsman.outgoing.client import HttpClient, NoReply
from pointsman.outgoing.settings import OutgoingSettings
from tests.support.forward_proxy import forward_proxy
from tests.support.own_authority import Authority
from tests.support.raw_server import Handler, raw_server

HOST = "learn.example.invalid"
SOURCE = Path(__file__).parents[2] / "src" / "pointsman"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def server(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """Its port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    try:
        yield port
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client(
    out: Mapping[str, Any] | None = None, timeout_seconds: float = 10
) -> AsyncIterator[HttpClient]:
    made = HttpClient(
        OutgoingSettings.model_validate(out or {}),
        "platform.",
        timeout_seconds=timeout_seconds,
        max_bytes=1_000,
    )
    try:
        yield made
    finally:
        await made.close()


async def echo(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.method} {request.path} {await request.text()}")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_the_environments_proxy_is_asked_for_plain_addresses(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    async with server(echo) as port, forward_proxy({HOST: port}) as proxy, client() as http:
        monkeypatch.setenv(variable, proxy.url)
        reply = await http.send("POST", f"http://{HOST}/helium", body=b"hi")
        assert (reply.status, reply.body) == (200, b"POST /helium hi")
        assert proxy.asked == [f"POST http://{HOST}/helium"]


async def test_https_goes_through_a_tunnel_to_a_server_of_ones_own_authority(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.client("pointsman")
    out = {"ca_file": authority.file, "cert_file": cert, "key_file": key}
    async with (
        server(echo, authority.server(HOST)) as port,
        forward_proxy({HOST: port}) as proxy,
        client(out) as http,
        client({"ca_file": authority.file}) as nameless,
        client() as stranger,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        reply = await http.send("POST", f"https://{HOST}/helium", body=b"hi")
        assert reply.body == b"POST /helium hi"
        assert proxy.asked == [f"CONNECT {HOST}:443"]
        with pytest.raises(NoReply, match=r"through the proxy http://127.* of HTTPS_PROXY"):
            await nameless.send("GET", f"https://{HOST}/helium")
        with pytest.raises(NoReply, match=r"is trusted with platform\.ca_file"):
            await stranger.send("GET", f"https://{HOST}/helium")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("by", ["setting", "environment"])
async def test_a_proxy_that_wants_a_password_is_shown_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str, by: str
) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.client("pointsman")
    tls = authority.server(HOST) if scheme == "https" else None
    async with server(echo, tls) as port, forward_proxy({HOST: port}, "us:p w") as proxy:
        out: dict[str, Any] = {"ca_file": authority.file, "cert_file": cert, "key_file": key}
        if by == "setting":
            (tmp_path / "password").write_text("p w\n")
            out |= {
                "proxy": proxy.url,
                "proxy_user": "us",
                "proxy_password_file": tmp_path / "password",
            }
        else:
            monkeypatch.setenv(f"{scheme}_proxy", proxy.url.replace("//", "//us:p%20w@"))
        async with client(out) as http:
            reply = await http.send("GET", f"{scheme}://{HOST}/x")
            assert reply.status == 200
        async with client({"proxy": proxy.url}) as http:
            if scheme == "http":
                assert (await http.send("GET", f"http://{HOST}/x")).status == 407
            else:
                with pytest.raises(NoReply, match=r"407.* of platform\.proxy"):
                    await http.send("GET", f"https://{HOST}/x")


async def test_the_setting_goes_before_the_environment_and_direct_means_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with server(echo) as port, forward_proxy({HOST: port}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        async with client({"proxy": proxy.url}) as http:
            assert (await http.send("GET", f"http://{HOST}/x")).status == 200
        async with client({"proxy": "direct"}) as http:
            assert (await http.send("GET", f"http://127.0.0.1:{port}/x")).status == 200
        monkeypatch.setenv("NO_PROXY", "10.0.0.0/8, 127.0.0.0/8")
        async with client() as http:
            assert (await http.send("GET", f"http://127.0.0.1:{port}/x")).status == 200
        assert len(proxy.asked) == 1


async def test_a_host_that_cant_be_reached_is_said_with_what_can_be_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with client() as http:
        with pytest.raises(NoReply) as caught:
            await http.send("GET", f"https://{HOST}/x?apiKey=s3cret")
        said = str(caught.value)
        assert HOST in said
        assert "(no proxy is set: HTTPS_PROXY or platform.proxy would name one)" in said
        assert "s3cret" not in said
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
        with pytest.raises(NoReply, match=r"through the proxy http://127.* of https_proxy"):
            await http.send("GET", f"https://{HOST}/x")
        monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")
        with pytest.raises(NoReply, match="https_proxy: must be http://HOST:PORT"):
            await http.send("GET", f"https://{HOST}/x")


async def test_certificates_that_are_replaced_are_used_for_new_connections(
    tmp_path: Path,
) -> None:
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(old.file.read_bytes())
    cert, key = new.client("pointsman")
    out = {"ca_file": trusted, "cert_file": cert, "key_file": key}
    async with server(echo, new.server("localhost")) as port, client(out) as http:
        with pytest.raises(NoReply):
            await http.send("GET", f"https://localhost:{port}/x")
        trusted.write_bytes(new.file.read_bytes())
        async with asyncio.timeout(60):
            while True:
                try:
                    assert (await http.send("GET", f"https://localhost:{port}/x")).status == 200
                except NoReply:
                    await asyncio.sleep(0.1)  # it looks once a second
                else:
                    break
        trusted.write_text("half of a")
        assert (await http.send("GET", f"https://localhost:{port}/x")).status == 200


def in_pieces(pieces: list[bytes], *, chunked: bool) -> Handler:
    """Sends a body in pieces of its own choice."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        size = sum(map(len, pieces))
        length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + length + b"\r\n\r\n")
        for piece in pieces:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            await writer.drain()
            await asyncio.sleep(0.002)
        if chunked:
            writer.write(b"0\r\n\r\n")

    return handle


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("size", [1, 7, 22, 400])
async def test_a_body_is_whole_however_it_is_cut(chunked: bool, size: int) -> None:
    body = b'{"authToken": "TOKEN", "expiresIn": 3600}'
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    async with raw_server(in_pieces(pieces, chunked=chunked)) as port, client() as http:
        reply = await http.send("GET", f"http://127.0.0.1:{port}/x")
    assert (reply.body, reply.is_whole) == (body, True)


async def test_a_body_that_is_too_large_is_cut_and_said_to_be() -> None:
    async def large(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 100_000)

    async with server(large) as port, client() as http:
        reply = await http.send("GET", f"http://127.0.0.1:{port}/x")
        assert (len(reply.body), reply.is_whole) == (1_000, False)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
async def test_what_is_no_answer_is_said_to_be_none(sent: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)

    async with raw_server(handle) as port, client() as http:
        with pytest.raises(NoReply) as caught:
            await http.send("GET", f"http://127.0.0.1:{port}/x?apiKey=s3cret")
    assert str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_a_server_that_does_not_end_is_given_up() -> None:
    never = asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    async with server(slow) as port, client(timeout_seconds=0.1) as http:
        with pytest.raises(NoReply, match=r"127\.0\.0\.1 did not answer within 0\.1 s"):
            await http.send("GET", f"http://127.0.0.1:{port}/x")
        never.set()


async def test_no_cookie_of_one_answer_goes_with_another_request() -> None:
    sent: list[str | None] = []

    async def setter(request: web.Request) -> web.Response:
        sent.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "session=ana; Path=/"})

    async with server(setter) as port, client() as http:
        for _ in range(2):
            # aiohttp keeps no cookies of addresses, so the host has a name
            await http.send("GET", f"http://localhost:{port}/x")
    assert sent == [None, None]


def test_every_session_that_goes_out_is_made_in_one_place() -> None:
    makers = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and "ClientSession" in ast.unparse(node.func):
                makers.append(path.relative_to(SOURCE).as_posix())
                assert "DummyCookieJar" in ast.unparse(node)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "aiohttp.request":
                raise AssertionError(f"{path} makes a session of its own")
    assert makers == ["outgoing/client.py"]
