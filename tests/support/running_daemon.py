"""A daemon and an emulator in this process, on real sockets: from a statement to the platform."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from demo.processes import PATIENCE, free_port
from pointsman.app import Daemon
from pointsman.config import Settings, load
from pointsman.domain.clock import SystemClock
from pointsman.emulator import Catalogue, Emulator, builtin_catalogue
from pointsman.emulator.server import serve

API_KEY = "the-api-key"
ADL = "http://adlnet.gov/expapi/verbs/"
_HEADERS = {
    "Authorization": "Basic " + base64.b64encode(b"user:secret").decode(),
    "X-Experience-API-Version": "1.0.3",
    "Content-Type": "application/json",
}
_CONFIG = """
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = 0
drain_seconds = 1
cors_origins = {origins}
[platform]
url = "{url}"
api_key = "{key}"
[delivery]
progress_interval_seconds = 0
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[audit]
enabled = false
[learners.tokens]
{tokens}
"""


@dataclass(slots=True)
class Running:
    """What a test can do to the two, and see of them."""

    emulator: Emulator
    daemon: Daemon
    url: str
    session: aiohttp.ClientSession
    settings: Settings

    @property
    def config(self) -> Path:
        """The file of the settings."""
        return self.database.parent / "pointsman.toml"

    @property
    def database(self) -> Path:
        return self.settings.store.path

    async def say(self, verb: str, activity: str, who: str, **more: Any) -> None:
        """One statement over HTTP; `more` are further properties of it."""
        statement = {
            "id": str(uuid.uuid4()),
            "actor": {"mbox": f"mailto:{who}"},
            "verb": {"id": f"{ADL}{verb}"},
            "object": {"id": activity},
            **more,
        }
        async with self.session.post(
            f"{self.url}/xapi/statements", headers=_HEADERS, json=statement
        ) as answer:
            # 204 where it is stored already
            assert answer.status in {200, 204}, await answer.text()

    async def get(self, path: str) -> Any:
        """What an xAPI resource answers to the source, in JSON."""
        async with self.session.get(f"{self.url}{path}", headers=_HEADERS) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def ask(self, query: str, who: str | None = None) -> Any:
        """What the platform's API answers, in data."""
        headers = {"authToken": self.emulator.issue_token(who)} if who else {}
        reply = await self.emulator.handle(
            query={"apiKey": API_KEY}, headers=headers, body=json.dumps({"query": query}).encode()
        )
        payload = json.loads(reply.body)
        assert "errors" not in payload, payload
        return payload["data"]

    async def until(self, ready: Callable[[], bool]) -> None:
        """Wait for what must come."""
        async with asyncio.timeout(PATIENCE):
            while not ready():  # noqa: ASYNC110 - what is awaited is on a platform
                await asyncio.sleep(0.01)

    @property
    def ran(self) -> list[tuple[str, Mapping[str, Any]]]:
        """(operation, arguments) of the mutations that ran."""
        return [(one.name, one.arguments) for one in self.emulator.history if one.name != "Login"]


@asynccontextmanager
async def running(
    folder: Path,
    rules: str,
    *,
    catalogue: Catalogue | None = None,
    tokens: str = 'file = "tokens.json"',
    emulator: Emulator | None = None,
    cors_origins: Sequence[str] = (),
    port: int | None = None,
) -> AsyncIterator[Running]:
    """Both, with `rules` and `tokens` in TOML.

    In `tokens.json` every learner of the catalogue has a token and a user id.
    """
    catalogue = catalogue or builtin_catalogue()
    emulator = emulator or Emulator(catalogue, api_key=API_KEY, clock=SystemClock())
    known = {
        learner.email: {"authToken": emulator.issue_token(learner.email), "userId": learner.id}
        for learner in catalogue.learners
    }
    (folder / "tokens.json").write_text(json.dumps(known))
    async with serve(emulator, host="127.0.0.1", port=0) as platform:
        port = port or free_port()
        config = folder / "pointsman.toml"
        config.write_text(
            _CONFIG.format(
                port=port,
                url=platform,
                key=API_KEY,
                tokens=tokens,
                origins=json.dumps(list(cors_origins)),
            )
            + rules
        )
        settings = load(config)
        async with Daemon(settings, config=config) as daemon, aiohttp.ClientSession() as session:
            yield Running(emulator, daemon, f"http://127.0.0.1:{port}", session, settings)
