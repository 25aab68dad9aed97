"""The endpoint as players meet it: the real application, intake and store, over a real socket."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from pointsman.config.sources import SourceSettings
from pointsman.domain.clock import SystemClock
from pointsman.domain.launch import Launch
from pointsman.domain.records import Decision, Observation
from pointsman.mapping import ConfiguredIdentity, Mapper, Rule, Template
from pointsman.sources.http.app import HttpDeps, make_app
from pointsman.sources.http.authorization import BasicCredential, HttpSource
from pointsman.sources.http.direct_posts import answer_of
from pointsman.sources.http.failed_attempts import FailedAttempts
from pointsman.sources.http.health import ReadyState
from pointsman.sources.http.settings import HttpSettings
from pointsman.sources.pipeline import Pipeline
from pointsman.statements import Limits
from pointsman.store.base import Store
from pointsman.store.sqlite import SqliteStore
from pointsman.wiring.adapters import adapters, postback_sources, webhook_sources
from pointsman.wiring.stores import key_reader

ORIGIN = "https://learn.example.com"
PLAYER = "https://player.example"
STATEMENTS = "/xapi/statements"
STATE = "/xapi/activities/state"
ACTIVITY_PROFILE = "/xapi/activities/profile"
AGENT_PROFILE = "/xapi/agents/profile"

Client = TestClient[Any, Any]


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


AUTH = {"Authorization": basic("user:pass")}
LENIENT = {"Authorization": basic("lenient:pass")}
JSON = {"Content-Type": "application/json"}


def headers(version: str = "1.0.3", **more: str) -> dict[str, str]:
    """Of a good request of a known sender; `If_Match` is If-Match."""
    extra = {name.replace("_", "-"): value for name, value in more.items()}
    return AUTH | {"X-Experience-API-Version": version} | extra


@dataclass
class Endpoint:
    """The running endpoint, what it talks to, and the version that requests are sent in."""

    client: Client
    store: Store
    intake: Pipeline
    version: str = "1.0.3"
    requests: list[tuple[str, str, str, int]] = field(default_factory=list)
    #: what was decided about
    seen: list[Observation] = field(default_factory=list)
    #: statements that were turned away, by source
    refused: list[tuple[str, int]] = field(default_factory=list)
    #: what its application is made of
    deps: HttpDeps = field(kw_only=True)

    async def send(
        self, method: str, path: str, *, data: Any = None, version: str | None = None, **more: Any
    ) -> ClientResponse:
        """`more` are parameters; what begins with a capital is a header."""
        said = {name: value for name, value in more.items() if name[0].isupper()}
        params = {name: value for name, value in more.items() if not name[0].isupper()}
        body = data if isinstance(data, bytes) or data is None else json.dumps(data).encode()
        if body is not None:
            said.setdefault("Content_Type", "application/json")
        return await self.client.request(
            method,
            path,
            params=params,
            data=body,
            headers=headers(version or self.version, **said),
            skip_auto_headers=["Content-Type"],
        )

    async def post(self, statements: Any, **more: Any) -> list[str]:
        """Ids of statements that are taken."""
        answer = await self.send("POST", STATEMENTS, data=statements, **more)
        assert answer.status == 200, await answer.text()
        ids: list[str] = await answer.json()
        return ids

    async def found(self, **query: Any) -> list[str]:
        """Ids of all statements that a query finds, in order, page after page."""
        answer = await self.send("GET", STATEMENTS, **query)
        ids: list[str] = []
        while True:
            assert answer.status == 200, await answer.text()
            page = await answer.json()
            ids += [one["id"] for one in page["statements"]]
            if not page["more"]:
                return ids
            answer = await self.client.get(page["more"], headers=headers(self.version))

    async def snapshot(self) -> tuple[Any, ...]:
        """All that a refused request must leave as it was."""
        books = (await self.store.books()).as_json()
        return books, await self.store.backlog(), (await self.store.stats()).rows

    async def snapshot_without_history(self) -> tuple[Any, ...]:
        """All that a duplicate must leave as it was; the history notes that it came."""
        books, backlog, rows = await self.snapshot()
        return books, backlog, {name: rows[name] for name in rows if name != "moves"}


@dataclass
class Watched:
    """A mapping, and what it was asked."""

    mapping: Mapper
    seen: list[Observation] = field(default_factory=list)

    def decide(self, seen: Observation, launch: Launch | None = None) -> Decision:
        self.seen.append(seen)
        return self.mapping.decide(seen, launch)


class AsTheDaemon(TestServer):
    """Posts go the way that they go in the daemon."""

    async def start_server(
        self, loop: asyncio.AbstractEventLoop | None = None, **kwargs: Any
    ) -> None:
        await super().start_server(loop, **kwargs)
        assert self.runner is not None
        server = self.runner.server
        assert server is not None
        server.request_handler = answer_of(self.app, server.request_handler)


@asynccontextmanager
async def running(
    folder: Path,
    version: str = "1.0.3",
    *,
    sources: SourceSettings | None = None,
    on_commit: Callable[[float, int], None] = lambda _seconds, _submissions: None,
) -> AsyncIterator[Endpoint]:
    """With two sources: `user` is strict, and `lenient` is; courses have a rule.

    `sources` has those that send no statements; `on_commit` is told of each commit, at once.
    """
    foreign = sources or SourceSettings.model_construct()
    store = SqliteStore(folder / "store.db", read_keys=key_reader(ORIGIN), on_commit=on_commit)
    await store.open()
    rule = Rule(
        name="course",
        activity=Template("http://example.com/course/{number}"),
        topic_id=Template("{number}"),
    )
    clock, ids = SystemClock(), store.statement_ids
    mapping = Watched(Mapper([rule], ConfiguredIdentity()))
    intake = Pipeline(
        store,
        mapping,
        Limits(),
        clock,
        lambda *_: None,
        ORIGIN,
        adapters=adapters(foreign, ids),
        ids=store.statement_ids,
    )
    requests: list[tuple[str, str, str, int]] = []
    refused: list[tuple[str, int]] = []

    async def ready() -> ReadyState:
        return ReadyState()

    async def page(_accept: str) -> tuple[bytes, str]:
        return b"", "text/plain"

    deps = HttpDeps(
        intake=intake,
        store=store,
        sources=[
            HttpSource("players", (BasicCredential("user", SecretStr("pass")),)),
            HttpSource("launched", (BasicCredential("lenient", SecretStr("pass")),), lenient=True),
        ],
        settings=HttpSettings(max_body_bytes=200_000, cors_origins=(PLAYER,)),
        ready=ready,
        metrics_page=page,
        on_request=lambda *one: requests.append(one[:4]),
        on_refused=lambda *one: refused.append(one),
        clock=clock,
        attempts=FailedAttempts(100_000, clock),
        authority_home_page=ORIGIN,
        defining_sources=("players", "launched"),
        postbacks=postback_sources(foreign, ids),
        webhooks=webhook_sources(foreign, ids),
    )
    async with TestClient(AsTheDaemon(make_app(deps))) as client:
        yield Endpoint(client, store, intake, version, requests, mapping.seen, refused, deps=deps)
    await store.close()
