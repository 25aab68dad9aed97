"""Published clients against a running daemon: in Node, in a browser, in Python."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import tincan

from tests.support.browser import open_tab
from tests.support.clients import in_node, in_page, page
from tests.support.http_endpoint import basic
from tests.support.running_daemon import Running, running

RULES = """
[[rules]]
activity = "http://example.com/course/{number}"
topic_id = "topic-{number}"
[[sources.http]]
name = "launched"
lenient = true
credentials = [{ key = "lenient", secret = "secret" }]
"""
#: what must be seen in either place; an error of null is none
TINCANJS: dict[str, Any] = {
    "fresh": None,
    "attempted": None,
    "batch": None,
    "saved": None,
    "kept": ["page=3&ü", "application/octet-stream", 42],
    "replaced": None,
    "stale": 412,
    "merged": {"a": 1, "b": 2},
    "states": ["bookmark", "data"],
    "profile": None,
    "profiles": ["p"],
    "note": None,
    "long": None,
    "longKept": "long",
    "attached": None,
    "attachment": "naïve note",
    "completed": None,
    "newest": ["completed", "commented"],
    "older": ["progressed", "experienced"],
    "about": True,
    "stranger": 401,
    "refused": 400,
    "strict": 400,
    "lenient": None,
}
SESSION: dict[str, Any] = {
    "about": True,
    "fresh": "refused",
    "ids": 2,
    "read": True,
    "merged": {"page": 1, "quiz": 2},
    "stale": "refused",
    "states": ["bookmark"],
    "profile": {"language": "de"},
    "person": "Person",
    "activity": {"en": "Lesson"},
    "voided": "refused",
    "void": True,
    "attached": "taken",
    "parts": 2,
    "found": 1,
    "more": 1,
    "refused": "refused",
    "stranger": "refused",
}
#: with axios in Node this client sends attachments as application/octet-stream, which xAPI forbids
NODE_AXIOS = SESSION | {"attached": "refused", "parts": 1}
XAPI = {
    where: {
        f"{adapter} {version}": NODE_AXIOS if (where, adapter) == ("node", "axios") else SESSION
        for adapter in ("axios", "fetch")
        for version in ("1.0.3", "2.0.0")
    }
    for where in ("node", "browser")
}

Run = Callable[[str, dict[str, str]], Awaitable[Any]]


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, RULES, cors_origins=("*",)) as daemon:
        yield daemon


def settings(daemon: Running) -> dict[str, str]:
    return {
        "endpoint": f"{daemon.url}/xapi/",
        "auth": basic("user:secret"),
        "wrong": basic("user:wrong"),
        "lenient": basic("lenient:secret"),
    }


@asynccontextmanager
async def place(name: str, client: str, tmp_path: Path) -> AsyncIterator[tuple[Run, Run]]:
    """Runs a scenario, and another one after the player was started again."""
    if name == "node":
        yield in_node, in_node
        return
    async with page(client) as url, open_tab(tmp_path / "profile", url) as tab:

        async def run(scenario: str, given: dict[str, str]) -> Any:
            await tab.until("typeof scenarios === 'object'")
            return await tab.run(in_page(scenario, given))

        async def again(scenario: str, given: dict[str, str]) -> Any:
            await tab.command("Page.navigate", url=f"{url}?again")
            await tab.until("location.search === '?again'")
            return await run(scenario, given)

        yield run, again


@pytest.mark.parametrize("where", ["node", "browser"])
async def test_tincanjs_does_all_it_can(daemon: Running, where: str, tmp_path: Path) -> None:
    async with place(where, "tincanjs", tmp_path) as (run, again):
        assert await run("tincanjs", settings(daemon)) == TINCANJS
        resumed = await again("tincanjs-resumed", settings(daemon))
        assert resumed == {"bookmark": "page=4"}


@pytest.mark.parametrize("where", ["node", "browser"])
async def test_xapi_js_does_all_it_can(daemon: Running, where: str, tmp_path: Path) -> None:
    async with place(where, "xapi", tmp_path) as (run, again):
        assert await run("xapi", settings(daemon)) == XAPI[where]
        assert await again("xapi-resumed", settings(daemon)) == {"bookmark": {"page": 9}}


async def test_pypi_tincan_does_all_it_can(daemon: Running) -> None:
    await asyncio.to_thread(python_session, f"{daemon.url}/xapi/")


def python_session(endpoint: str) -> None:
    lrs = tincan.RemoteLRS(endpoint=endpoint, version="1.0.3", username="user", password="secret")
    assert "1.0.3" in lrs.about().content.version
    agent = tincan.Agent(mbox="mailto:ana@example.com")
    activity = tincan.Activity(id="http://example.com/course/1")
    verb = tincan.Verb(id="http://adlnet.gov/expapi/verbs/completed")
    fresh = lrs.retrieve_state(activity, agent, "bookmark")
    assert (fresh.success, bytes(fresh.content.content)) == (True, b"")

    unnamed = lrs.save_statement(tincan.Statement(actor=agent, verb=verb, object=activity))
    assert unnamed.success, unnamed.data
    name = str(uuid.uuid4())
    named = tincan.Statement(id=name, actor=agent, verb=verb, object=activity)
    assert lrs.save_statement(named).success
    batch = [tincan.Statement(actor=agent, verb=verb, object=activity) for _ in range(3)]
    assert lrs.save_statements(batch).success
    assert lrs.retrieve_statement(name).content.stored is not None
    found = lrs.query_statements({"agent": agent, "verb": verb, "limit": 2}).content
    assert len(found.statements) == 2
    assert len(lrs.more_statements(found.more).content.statements) == 2

    state = tincan.StateDocument(activity=activity, agent=agent, id="bookmark", content="page=3")
    assert lrs.save_state(state).success
    kept = lrs.retrieve_state(activity, agent, "bookmark").content
    assert bytes(kept.content) == b"page=3"
    assert lrs.retrieve_state_ids(activity, agent).content == ["bookmark"]
    assert lrs.clear_state(activity, agent).success
    profile = tincan.AgentProfileDocument(agent=agent, id="p", content="{}")
    assert not lrs.save_agent_profile(profile).success  # it sends no If-None-Match
    lrs = tincan.RemoteLRS(
        endpoint=endpoint, version="1.0.3", username="lenient", password="secret"
    )
    assert lrs.save_agent_profile(profile).success
    about = tincan.ActivityProfileDocument(activity=activity, id="p", content="{}")
    assert lrs.save_activity_profile(about).success

    stranger = tincan.RemoteLRS(endpoint=endpoint, version="1.0.3", username="u", password="x")
    refused = stranger.save_statement(named)
    assert (refused.success, refused.response.status) == (False, 401)
