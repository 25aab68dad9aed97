"""`python -m demo.player`: a SCORM course in your browser, and what becomes of it, live.

Starts the platform's emulator, the daemon and a web server with docs/players/scorm.html, npm's
scorm-again and a small course; launches it for Ana, and prints the address to open. Ends with
Ctrl-C, or with --until-complete when the platform shows the topic at 100 %.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web
from rich.console import Console

from demo import readback
from demo.children import ended_by_signals
from demo.player_live import OPERATOR, WATCHER, LiveView
from demo.processes import CannotStart, free_port, pointsman
from demo.scenario import API_KEY, Ports
from pointsman.domain.port_errors import cannot_listen
from pointsman.platforms.tokens.vault import new_key

ROOT = Path(__file__).parents[1]
LEARNER, TOPIC, COURSE = "ana@example.com", "topic_demo_3", "course_demo"
_NPM = ROOT / ".cache" / "player"
_PLAYER = "scorm-again@3.4.3"
_COMPLETE = 100
_CONFIG = """
allow_weak_secrets = true
[http]
host = "127.0.0.1"
port = {daemon}
drain_delay_seconds = 0
cors_origins = ["{pages}"]
[platform]
url = "http://127.0.0.1:{emulator}/helium"
api_key = "{api_key}"
[delivery]
progress_interval_seconds = 1
[learners.tokens]
launches = true
encryption_key = "{encryption_key}"
[launches]
public_url = "http://127.0.0.1:{daemon}"
operators = [{{ key = "{operator[0]}", secret = "{operator[1]}" }}]
signing_key = "the-demo-signs-with-a-key-that-everybody-knows"
[[sources.http]]
name = "watcher"
credentials = [{{ key = "{watcher[0]}", secret = "{watcher[1]}" }}]
"""


def scorm_again() -> Path:
    """The published player, installed once. Raises `SystemExit` where npm is missing."""
    script = _NPM / "node_modules" / "scorm-again" / "dist" / "scorm-again.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit(
                "the player is npm's scorm-again: install Node with npm, and try again"
            )
        _NPM.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [npm, "install", "--prefix", str(_NPM), "--no-audit", "--no-fund", _PLAYER], check=True
        )
    return script


@contextlib.asynccontextmanager
async def pages(port: int, script: Path, launch_url: str, live: LiveView) -> AsyncIterator[None]:
    """The page, the player and the course, on one origin. Raises `SystemExit`."""
    files = {
        "/": ROOT / "demo" / "player.html",
        "/scorm.html": ROOT / "docs" / "players" / "scorm.html",
        "/scorm-again.js": script,
        "/course.html": ROOT / "demo" / "course.html",
    }

    async def serve(request: web.Request) -> web.FileResponse:
        return web.FileResponse(files[request.path])

    async def launched(_request: web.Request) -> web.Response:
        return web.json_response({"url": launch_url})

    async def looked(_request: web.Request) -> web.Response:
        return web.json_response(await live.as_json())

    app = web.Application()
    for path in files:
        app.router.add_get(path, serve)
    app.router.add_get("/launch.json", launched)
    app.router.add_get("/live.json", looked)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError as error:
            words = cannot_listen(
                error, "127.0.0.1", port, host_setting="the page's", port_setting="--port"
            )
            raise SystemExit(words) from None
        yield
    finally:
        await runner.cleanup()


async def launch(ports: Ports, page: str) -> str:
    """The address that a customer's page would send Ana to."""
    tokens = await readback.log_in(f"http://127.0.0.1:{ports.emulator}/helium", [LEARNER])
    asked = {
        "kind": "scorm",
        "learner": LEARNER,
        "name": "Ana Silva",
        "authToken": tokens[LEARNER],
        "activity": "https://content.example.com/clothing-and-tools",
        "topicId": TOPIC,
        "courseId": COURSE,
        "url": f"{page}/scorm.html?sco=course.html",
    }
    authorization = "Basic " + base64.b64encode(":".join(OPERATOR).encode()).decode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"http://127.0.0.1:{ports.daemon}/launches",
            json=asked,
            headers={"Authorization": authorization},
        ) as answer,
    ):
        answer.raise_for_status()
        return str((await answer.json())["launchUrl"])


async def watch(console: Console, live: LiveView, *, until_complete: bool) -> None:
    """Say what the platform shows of the topic, whenever that changes.

    With `until_complete` it ends once the page shows that the topic is complete.
    """
    shown: int | None = None
    while not (until_complete and shown == live.told == _COMPLETE):
        percent = await live.percent()
        if percent != shown:
            shown = percent
            console.print(f"the platform shows {TOPIC} of {LEARNER} at {shown} %")
        await asyncio.sleep(0.3)


async def play(console: Console, ports: Ports, port: int, *, until_complete: bool) -> None:
    page = f"http://127.0.0.1:{port}"
    launch_url = await launch(ports, page)
    async with (
        aiohttp.ClientSession() as session,
        pages(port, scorm_again(), launch_url, live := LiveView(session, ports, LEARNER, TOPIC)),
    ):
        console.print("open this, and turn the pages (Ctrl-C ends it):")
        console.print(f"{page}/", soft_wrap=True)
        await watch(console, live, until_complete=until_complete)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.player", description=__doc__)
    parser.add_argument("--until-complete", action="store_true", help="end by itself")
    parser.add_argument("--port", type=int, help="of the page; a free one without it")
    arguments = parser.parse_args()
    console = Console()
    ports, port = Ports(free_port(), free_port()), arguments.port or free_port()
    with ended_by_signals(), contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-player-")))
        config = folder / "pointsman.toml"
        config.write_text(
            _CONFIG.format(
                daemon=ports.daemon,
                emulator=ports.emulator,
                pages=f"http://127.0.0.1:{port}",
                api_key=API_KEY,
                encryption_key=new_key(),
                operator=OPERATOR,
                watcher=WATCHER,
            ),
            encoding="utf-8",
        )
        emulate = ["emulate", "--port", str(ports.emulator), "--api-key", API_KEY]
        state = f"http://127.0.0.1:{ports.emulator}/emulator/state"
        stack.enter_context(pointsman(emulate, folder / "emulator.log", state))
        run = ["run", "--config", str(config)]
        ready = f"http://127.0.0.1:{ports.daemon}/readyz"
        stack.enter_context(pointsman(run, folder / "daemon.log", ready))
        asyncio.run(play(console, ports, port, until_complete=arguments.until_complete))
    return 0


if __name__ == "__main__":
    try:
        code = main()
    except CannotStart as error:
        raise SystemExit(str(error)) from None
    raise SystemExit(code)
