"""`pointsman wait`: what it waits for, and what it says when the time is over."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from aiohttp import web

from demo.processes import free_port
from tests.support.emulator_process import KEY, Process
from tests.support.running_daemon import running

RULE = """
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""
CONFIG = """
[http]
host = "127.0.0.1"
port = {port}
[platform]
url = "{platform}"
api_key = "{key}"
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[learners.tokens]
file = "tokens.json"
"""


def config(
    folder: Path, *, port: int, platform: str = "http://127.0.0.1:1", key: str = KEY
) -> Path:
    path = folder / "waiting.toml"
    path.write_text(CONFIG.format(port=port, platform=platform, key=key))
    return path


def wait(*arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pointsman", "wait", *arguments, "-c", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_daemon_and_then_delivery_are_waited_for(tmp_path: Path) -> None:
    async with running(tmp_path, RULE) as world:
        path = tmp_path / "pointsman.toml"
        up = await asyncio.to_thread(wait, path=path)
        assert (up.returncode, up.stdout) == (0, f"the daemon at {world.url} takes statements\n")

        await world.say("completed", "https://content.example.com/topic_demo_1", "ana@example.com")
        sent = await asyncio.to_thread(wait, "delivery", path=path)
        assert (sent.returncode, sent.stdout) == (0, "all is delivered: 1 desired states\n")
        assert world.emulator.state()["learners"]["ana@example.com"]["topics"]

        await world.say("completed", "https://content.example.com/topic_demo_1", "nobody@x.org")
        parked = await asyncio.to_thread(wait, "delivery", path=path)
        assert parked.returncode == 1
        assert "1 delivered, 1 parked" in parked.stderr
        assert "next: pointsman parked list" in parked.stderr


def test_a_daemon_that_does_not_come_is_told_from_one_that_runs(tmp_path: Path) -> None:
    path = config(tmp_path, port=free_port())

    result = wait("--timeout", "0", path=path)

    assert result.returncode == 3
    assert "nothing answers at http://127.0.0.1:" in result.stderr
    assert "pointsman run" in result.stderr


async def test_another_program_at_the_port_is_not_taken_for_the_daemon(tmp_path: Path) -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        path = config(tmp_path, port=port)
        result = await asyncio.to_thread(wait, "--timeout", "0", path=path)
    finally:
        await runner.cleanup()

    assert result.returncode == 3
    assert "is not pointsman" in result.stderr


def test_a_platform_is_there_once_it_knows_the_key(tmp_path: Path) -> None:
    emulator = Process(tmp_path)
    try:
        url = f"{emulator.url}/helium"
        there = wait("platform", path=config(tmp_path, port=1, platform=url))
        wrong_key = wait("platform", path=config(tmp_path, port=1, platform=url, key="wrong"))
    finally:
        emulator.end()

    assert (there.returncode, there.stdout) == (0, f"the platform answers at {url}\n")
    assert wrong_key.returncode == 1
    assert "refuses platform.api_key" in wrong_key.stderr


def test_a_platform_that_is_away_is_named_with_its_setting(tmp_path: Path) -> None:
    result = wait("platform", "--timeout", "0", path=config(tmp_path, port=1))

    assert result.returncode == 3
    assert "platform.url" in result.stderr


def test_a_store_that_is_not_there_yet_is_named_with_what_makes_it(tmp_path: Path) -> None:
    result = wait("delivery", "--timeout", "0", path=config(tmp_path, port=1))

    assert result.returncode == 3
    assert "`pointsman run` makes it" in result.stderr
