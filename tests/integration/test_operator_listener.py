"""[http.operator]: what operators ask is on a port of its own, and players' port has none of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
from typer.testing import CliRunner

from demo.processes import free_port
from pointsman.cli import app
from pointsman.sources.http.routes import ROUTES, UI, Listener
from tests.support.launch_client import ANA, COURSE, OPERATOR, launching

#: of sources that this configuration does not have
_NOT_HERE = {"/confirmations/{name}", "/scorm-cloud/postback", "/webhooks/{source}"}


async def answered(session: aiohttp.ClientSession, url: str) -> set[str]:
    """The paths of the table that are known at this address."""
    there = set()
    for path in {route.path for route in ROUTES}:
        # a variable of a path stands for anything but braces
        async with session.options(url + path.replace("{", "").replace("}", "")) as answer:
            assert answer.status in {204, 404}
            if answer.status == 204:
                there.add(path)
    return there


async def status_under(session: aiohttp.ClientSession, url: str, host: str) -> int:
    """Of a request whose browser thinks that `host` is at this address."""
    async with session.get(url, headers={"Host": host}) as answer:
        if answer.status == 421:
            assert "http.operator.hosts" in await answer.text()
        return answer.status


def paths_of(*listeners: Listener) -> set[str]:
    return {route.path for route in ROUTES if route.listener in listeners} - _NOT_HERE


async def test_each_port_answers_its_own_routes_and_no_other(tmp_path: Path) -> None:
    port = free_port()
    operator = f"http://127.0.0.1:{port}"
    key = 'keys = [{ name = "ben", key = "a-key-that-nobody-guesses" }]'
    hosts = 'hosts = ["pointsman-operator"]'
    section = f"[http.operator]\nport = {port}\n{hosts}\n{key}\n"
    everybody = ("*",)
    async with (
        launching(tmp_path, section, cors_origins=everybody) as world,
        aiohttp.ClientSession() as session,
    ):
        public = await answered(session, world.url)
        private = await answered(session, operator)
        asked = {"learner": ANA, "activity": COURSE, "authToken": world.token(ANA)}
        headers = {"Authorization": OPERATOR}
        async with session.post(f"{operator}/launches", json=asked, headers=headers) as answer:
            launch = await answer.json()
        said, _ = await world.say(launch, "completed")
        rebound = {
            path: await status_under(session, operator + path, "rebound.example")
            for path in ("/", "/metrics", "/readyz", "/ui", "/ui/login")
        }
        own = {
            name: await status_under(session, f"{operator}/metrics", name)
            for name in ("localhost", "pointsman-operator:80", f"10.0.0.7:{port}")
        }
        players = await status_under(session, f"{world.url}/", "rebound.example")
        page = {"Origin": "https://evil.example"}
        async with session.get(f"{operator}/metrics", headers=page) as answer:
            shared = answer.headers.get("Access-Control-Allow-Origin")
        async with session.get(f"{operator}/") as answer:
            places = (await answer.json())["places"]
        config = ["--config", str(tmp_path / "pointsman.toml")]
        waited = await asyncio.to_thread(CliRunner().invoke, app, ["wait", "daemon", *config])
        explained = CliRunner().invoke(app, ["check", *config])

    assert public == paths_of(Listener.PUBLIC)
    assert private == paths_of(Listener.OPERATOR)
    assert said == 200
    assert set(rebound.values()) == {421}
    assert set(own.values()) == {200}
    assert players == 200
    assert shared is None
    assert set(places) == {"/healthz", "/readyz", "/metrics"}
    assert waited.output == f"the daemon at {world.url} takes statements\n"
    assert f"HTTP for operators on 127.0.0.1:{port}: metrics, probes and" in explained.output
    assert f"by POST {operator}/launches with" in explained.output


async def test_one_port_answers_all_where_there_is_no_section(tmp_path: Path) -> None:
    async with launching(tmp_path) as world, aiohttp.ClientSession() as session:
        there = await answered(session, world.url)

    # a page for operators wants their listener
    assert there == paths_of(*Listener) - {route.path for route in UI.values()}
