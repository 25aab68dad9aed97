"""Published clients of npm: installed once, run in Node, and served to a browser."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from demo.processes import PATIENCE
from tests.support.tools import need

FOLDER = Path(__file__).parents[1] / "clients"
_DOCS = Path(__file__).parents[2] / "docs"
_MODULES = FOLDER / "node_modules"
#: what a page loads, by the scenario's first word
_SCRIPTS = {
    "tincanjs": ("node_modules/tincanjs/build/tincan.js", "TinCan"),
    "xapi": ("node_modules/@xapi/xapi/dist/XAPI.umd.js", "XAPI"),
    "scorm": ("node_modules/scorm-again/dist/scorm-again.js", "window"),
}


async def node() -> str:
    """The program, with the clients installed; skips the test where there is none."""
    program, npm = need("node", "npm")
    with (FOLDER / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marker = _MODULES / ".package-lock.json"
        newest = (FOLDER / "package-lock.json").stat().st_mtime
        if not marker.exists() or marker.stat().st_mtime < newest:
            await _run(npm, "ci", "--no-audit", "--no-fund", "--loglevel=error")
            os.utime(marker)
    return program


async def in_node(scenario: str, settings: Mapping[str, Any], program: str = "run.js") -> Any:
    """What a scenario saw."""
    return json.loads(await _run(await node(), program, scenario, json.dumps(settings)))


async def _run(*command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=FOLDER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0, err.decode()
    return out


@asynccontextmanager
async def page(client: str) -> AsyncIterator[str]:
    """A page of another origin that has loaded a client and the scenarios; its address."""
    await node()
    script, _ = _SCRIPTS[client]
    html = (
        '<!doctype html><title>player</title><link rel="icon" href="data:,">'
        f'<script src="/{script}"></script>'
        f'<script src="/{"scorm" if client == "scorm" else "scenarios"}.js"></script>'
    )

    async def index(_request: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", index)
    app.router.add_static("/", FOLDER)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@asynccontextmanager
async def player_page() -> AsyncIterator[str]:
    """docs/players/scorm.html, with a course beside it, on an origin of its own; its address."""
    await node()
    files = {
        "scorm.html": ("text/html", _DOCS / "players" / "scorm.html"),
        "scorm-again.js": ("text/javascript", _MODULES / "scorm-again/dist/scorm-again.min.js"),
        "sco.html": ("text/html", FOLDER / "sco.html"),
    }

    async def file(request: web.Request) -> web.Response:
        kind, path = files[request.match_info["name"]]
        return web.Response(body=path.read_bytes(), content_type=kind)

    app = web.Application()
    app.router.add_get(f"/{{name:{'|'.join(files)}}}", file)
    async with TestServer(app) as server:
        yield str(server.make_url("/scorm.html"))


def in_page(scenario: str, settings: Mapping[str, Any]) -> str:
    """The expression that runs a scenario in such a page."""
    _, client = _SCRIPTS[scenario.partition("-")[0]]
    return f"scenarios[{json.dumps(scenario)}]({client}, {json.dumps(settings)})"
