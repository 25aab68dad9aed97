"""Requests in credentials mode from another origin, in Chromium, with cors_origins = ["*"].

A beacon always is one (W3C Beacon section 4.2); of JSON it has a preflight first.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from demo.processes import PATIENCE
from tests.support.browser import Tab, open_tab
from tests.support.launch_client import Launching, launching
from tests.support.scorm_sessions import launched, statements


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path, cors_origins=("*",)) as running:
        yield running


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    """A page of its own origin."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>player</title>", content_type="text/html")

    async def icon(_request: web.Request) -> web.Response:
        return web.Response(status=204)

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/favicon.ico", icon)
    async with TestServer(app) as server:
        address = str(server.make_url("/"))
        async with open_tab(tmp_path / "browser", address) as opened:
            await opened.until("document.title === 'player'")
            yield opened


async def arrives(world: Launching, launch: dict[str, Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await statements(world, launch):  # noqa: ASYNC110 - it is on its way
            await asyncio.sleep(0.05)


def form(launch: dict[str, Any]) -> tuple[str, str]:
    """A statement in the alternate syntax, which needs no header: where to, and the form."""
    statement = {
        "id": str(uuid.uuid4()),
        "actor": launch["actor"],
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": launch["activity"]},
    }
    fields = {
        "Authorization": launch["authorization"],
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
        "content": json.dumps(statement),
    }
    script = f"new URLSearchParams({json.dumps(fields)}).toString()"
    return f"{launch['endpoint']}statements?method=POST", script


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
async def test_a_beacon_of_a_last_commit_arrives(world: Launching, tab: Tab, kind: str) -> None:
    launch = await launched(world)
    commit = json.dumps({"cmi": {"core": {"lesson_status": "completed"}}})
    blob = f"new Blob([{json.dumps(commit)}], {{type: {kind!r}}})"
    assert await tab.run(f"navigator.sendBeacon({launch['commitUrl']!r}, {blob})") is True
    await arrives(world, launch)
    assert tab.errors == []


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain"])
async def test_a_beacon_of_a_statement_in_a_form_arrives(
    world: Launching, tab: Tab, kind: str
) -> None:
    launch = await world.launch()
    url, script = form(launch)
    blob = f"new Blob([{script}], {{type: {kind!r}}})"
    assert await tab.run(f"navigator.sendBeacon({url!r}, {blob})") is True
    await arrives(world, launch)


@pytest.mark.parametrize("keepalive", ["false", "true"])
async def test_a_fetch_with_credentials_reads_its_answer(
    world: Launching, tab: Tab, keepalive: str
) -> None:
    launch = await world.launch()
    statement = {
        "actor": launch["actor"],
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": launch["activity"]},
    }
    headers = {
        "Authorization": launch["authorization"],
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
    }
    ids = await tab.run(
        f"fetch({launch['endpoint'] + 'statements'!r}, {{method: 'POST', credentials: 'include', "
        f"keepalive: {keepalive}, headers: {json.dumps(headers)}, "
        f"body: {json.dumps(json.dumps(statement))}}}).then((answer) => answer.json())"
    )
    assert len(ids) == 1
    assert tab.errors == []


async def test_a_page_that_asks_for_launches_with_credentials_learns_nothing(
    world: Launching, tab: Tab
) -> None:
    said = await tab.run(
        f"fetch({world.url + '/launches'!r}, {{method: 'POST', credentials: 'include', body: ''}})"
        ".then(() => 'read', () => 'withheld')"
    )
    assert said == "withheld"


@pytest.mark.parametrize("path", ["/xapi/statements", "/scorm/no-token/commit"])
async def test_a_refusal_is_read_by_the_page_and_asks_nobody_for_a_password(
    world: Launching, tab: Tab, path: str
) -> None:
    status = await tab.run(
        f"fetch({world.url + path!r}, {{method: 'POST', credentials: 'include', body: '{{}}'}})"
        ".then((answer) => answer.status)"
    )
    assert status == 401
