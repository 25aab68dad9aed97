"""SCORM launches of a running daemon, and what it has of their sessions."""

from __future__ import annotations

import io
import json
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from aiohttp import ClientResponse
from yarl import URL

from tests.support.http_endpoint import basic
from tests.support.launch_client import Launching

PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
TAKEN = {"result": True, "errorCode": 0}


class Said(NamedTuple):
    """What a commit says, read by hand."""

    verb: str
    completion: bool | None = None
    success: bool | None = None
    score: float | None = None
    progress: float | None = None
    duration: str | None = "PT754.5S"


async def launched(world: Launching, **asked: Any) -> dict[str, Any]:
    return await world.launch(kind="scorm", **asked)


async def commit(
    world: Launching,
    launch: dict[str, Any],
    body: Any,
    query: str = "",
    *,
    method: str = "POST",
    headers: dict[str, str] | None = None,
) -> ClientResponse:
    """Send a body as it is, or a value as JSON; the answer with its body read."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with world.run.session.request(
        method,
        URL(launch["commitUrl"] + query, encoded=True),
        data=io.BytesIO(sent),
        headers=headers or {"Content-Type": "text/plain;charset=utf-8"},
        allow_redirects=False,
    ) as answer:
        await answer.read()
        return answer


async def take(world: Launching, launch: dict[str, Any], body: Any, query: str = "") -> None:
    """Send a commit that must be taken."""
    answer = await commit(world, launch, body, query)
    assert (answer.status, await answer.json()) == (200, TAKEN)


async def data(world: Launching, launch: dict[str, Any]) -> dict[str, Any]:
    """What the next run of the player starts with."""
    async with world.run.session.get(launch["dataUrl"]) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        found: dict[str, Any] = await answer.json()
        return found


async def statements(world: Launching, launch: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of the launch's registration, in the order of storing."""
    async with world.run.session.get(
        f"{world.url}/xapi/statements",
        params={"registration": launch["registration"], "ascending": "true"},
        headers={"Authorization": basic("user:secret"), "X-Experience-API-Version": "1.0.3"},
    ) as answer:
        assert answer.status == 200
        found: list[dict[str, Any]] = (await answer.json())["statements"]
        return found


def token(launch: dict[str, Any]) -> str:
    parts: list[str] = urlsplit(launch["commitUrl"]).path.split("/")
    return parts[2]


def said(statement: dict[str, Any]) -> Said:
    result = statement.get("result", {})
    return Said(
        statement["verb"]["id"].rpartition("/")[2],
        result.get("completion"),
        result.get("success"),
        result.get("score", {}).get("scaled"),
        result.get("extensions", {}).get(PROGRESS),
        result.get("duration"),
    )
