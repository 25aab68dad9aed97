"""Launches as a customer's page asks for them, of a daemon that runs in this process."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.processes import free_port
from pointsman.emulator import Emulator
from pointsman.platforms.tokens.vault import new_key
from tests.support.running_daemon import ADL, Running, running

OPERATOR = "Basic " + base64.b64encode(b"operator:operator-secret").decode()
SIGNING_KEY = "a-key-of-tests-that-is-long-enough"
ANA = "ana@example.com"
BEN = "ben@example.com"
COURSE = "https://content.example.com/intro"


@dataclass(slots=True)
class Launching:
    """A daemon that launches; `url` is how players reach it."""

    run: Running

    @property
    def url(self) -> str:
        return self.run.url

    async def launch(self, *, status: int = 201, **asked: Any) -> dict[str, Any]:
        """Ask for a launch; without an authToken it brings Ana's. None leaves a field out."""
        body: dict[str, Any] = {"learner": ANA, "activity": COURSE, **asked}
        if "authToken" not in body:
            body["authToken"] = self.token(body["learner"])
        body = {name: value for name, value in body.items() if value is not None}
        async with self.run.session.post(
            f"{self.url}/launches", json=body, headers={"Authorization": OPERATOR}
        ) as answer:
            assert answer.status == status, await answer.text()
            assert answer.headers.get("Location") is None
            found: dict[str, Any] = await answer.json()
            return found

    def token(self, learner: str) -> str:
        return self.run.emulator.issue_token(learner)

    async def send(
        self, launch: dict[str, Any], method: str, path: str, **more: Any
    ) -> tuple[int, str]:
        """A request of a launched player."""
        headers = {
            "Authorization": launch["authorization"],
            "X-Experience-API-Version": "1.0.3",
            **more.pop("headers", {}),
        }
        async with self.run.session.request(
            method, f"{self.url}{path}", headers=headers, **more
        ) as answer:
            return answer.status, await answer.text()

    async def say(
        self, launch: dict[str, Any], verb: str, activity: str = COURSE, **more: Any
    ) -> tuple[int, str]:
        """One statement of a launched player."""
        statement = {
            "id": str(uuid.uuid4()),
            "actor": launch["actor"],
            "verb": {"id": f"{ADL}{verb}"},
            "object": {"id": activity},
            **more,
        }
        return await self.send(launch, "POST", "/xapi/statements", json=statement)


@asynccontextmanager
async def launching(
    folder: Path,
    rules: str = "",
    *,
    tokens: str | None = None,
    emulator: Emulator | None = None,
    port: int | None = None,
    cors_origins: tuple[str, ...] = (),
    public_url: str | None = None,
) -> AsyncIterator[Launching]:
    """A daemon whose authTokens come with launches alone, unless `tokens` says otherwise."""
    port = port or free_port()
    key = f'encryption_key = "{new_key()}"'
    launches = f"""
[launches]
public_url = "{public_url or f"http://127.0.0.1:{port}"}"
operators = [{{ key = "operator", secret = "operator-secret" }}]
signing_key = "{SIGNING_KEY}"
"""
    async with running(
        folder,
        launches + rules,
        tokens=f"{tokens or 'launches = true'}\n{key}",
        emulator=emulator,
        port=port,
        cors_origins=cors_origins,
    ) as run:
        yield Launching(run)
