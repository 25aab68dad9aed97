"""A headless Chromium, driven by its DevTools protocol; POINTSMAN_TEST_BROWSER has its path."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from demo.processes import PATIENCE

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--remote-debugging-port=0",
)


def find() -> str:
    """The browser's path; skips the test where there is none."""
    if path := os.environ.get("POINTSMAN_TEST_BROWSER"):
        return path
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    pytest.skip(f"needs one of {', '.join(_NAMES)}")


class Tab:
    """One page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._socket = socket
        self._session = session
        self._ids = itertools.count(100)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        #: the address of everything that the page asked for
        self.requested: list[str] = []
        #: what the page wrote to its console as errors
        self.errors: list[str] = []

    async def listen(self) -> None:
        async for message in self._socket:
            event = message.json()
            if event.get("method") == "Network.requestWillBeSent":
                self.requested.append(event["params"]["request"]["url"])
            elif event.get("method") == "Runtime.exceptionThrown":
                self.errors.append(str(event["params"]["exceptionDetails"]))
            elif event.get("method") == "Log.entryAdded":
                entry = event["params"]["entry"]
                if entry["level"] == "error":
                    self.errors.append(f"{entry['text']} {entry.get('url', '')}")
            waiting = self._waiting.pop(event.get("id", 0), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(event)

    async def command(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = done
        await self._socket.send_json(
            {"id": number, "method": method, "params": params, "sessionId": self._session}
        )
        answer = await asyncio.wait_for(done, PATIENCE)
        assert "error" not in answer, answer
        return answer["result"]

    async def run(self, script: str) -> Any:
        """What an expression of JavaScript comes to."""
        found = await self.command(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait for an expression to be true."""
        async with asyncio.timeout(PATIENCE):
            while not (found := await self.run(script)):  # noqa: ASYNC110 - it is in the browser
                await asyncio.sleep(0.05)
        return found


@asynccontextmanager
async def open_tab(profile: Path, url: str) -> AsyncIterator[Tab]:
    """A fresh browser with one page."""
    process = await asyncio.create_subprocess_exec(
        find(),
        *_FLAGS,
        f"--user-data-dir={profile}",
        "about:blank",
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
            address = await _address(process)
            async with session.ws_connect(address, max_msg_size=0) as socket:
                tab = await _attach(socket)
                listener = asyncio.create_task(tab.listen())
                for domain in ("Network", "Page", "Runtime", "Log"):
                    await tab.command(f"{domain}.enable")
                await tab.command("Page.navigate", url=url)
                yield tab
                listener.cancel()
    finally:
        process.kill()
        await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        if found := re.search(rb"DevTools listening on (ws://\S+)", line):
            return found[1].decode()
    raise AssertionError("the browser ended before it listened")


async def _attach(socket: aiohttp.ClientWebSocketResponse) -> Tab:
    async def ask(number: int, method: str, **params: Any) -> Any:
        await socket.send_json({"id": number, "method": method, "params": params})
        while (answer := await socket.receive_json()).get("id") != number:
            pass
        return answer["result"]

    target = await ask(1, "Target.createTarget", url="about:blank")
    attached = await ask(2, "Target.attachToTarget", targetId=target["targetId"], flatten=True)
    return Tab(socket, attached["sessionId"])
