"""Units of the published @xapi/cmi5, on a host of their own: in Node and in a browser."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.browser import Tab, open_tab
from tests.support.clients import FOLDER, in_node, node

_UNIT = (
    "<!doctype html><title>unit</title>"
    '<script src="/node_modules/@xapi/cmi5/dist/Cmi5.umd.js"></script>'
    '<script src="/cmi5.js"></script>'
)

#: runs a session of a launch, given what it needs beside; what it saw
Session = Callable[..., Awaitable[Any]]


@asynccontextmanager
async def units() -> AsyncIterator[str]:
    """The address of a unit."""
    await node()

    async def unit(_request: web.Request) -> web.Response:
        return web.Response(text=_UNIT, content_type="text/html")

    app = web.Application()
    app.router.add_get("/unit", unit)
    app.router.add_static("/", FOLDER)
    async with TestServer(app) as server:
        yield str(server.make_url("/unit"))


async def load(tab: Tab, launch: dict[str, Any]) -> None:
    """Load the unit anew. Leaving the page is what closing its tab is to the player."""
    await tab.command("Page.navigate", url="about:blank")
    await tab.until("location.href === 'about:blank'")
    await tab.command("Page.navigate", url=launch["launchUrl"])
    await tab.until("typeof cmi5Sessions === 'object' && typeof Cmi5 === 'function'")


@asynccontextmanager
async def sessions(where: str, folder: Path) -> AsyncIterator[Session]:
    """Each session in a page that was newly loaded."""
    if where == "node":

        async def run(name: str, launch: dict[str, Any], **given: Any) -> Any:
            return await in_node(name, {"launchUrl": launch["launchUrl"], **given}, "cmi5.js")

        yield run
        return
    async with open_tab(folder / "profile", "about:blank") as tab:

        async def load_and_run(name: str, launch: dict[str, Any], **given: Any) -> Any:
            await load(tab, launch)
            return await tab.run(
                f"cmi5Sessions[{json.dumps(name)}](new Cmi5(), {json.dumps(given)})"
            )

        yield load_and_run
