"""A changed configuration under traffic: no statement is refused, and all say what came of it."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from typer.testing import CliRunner, Result

from demo.view import Numbers, read_metrics
from pointsman.cli import app
from tests.support.running_daemon import ADL, Running, running

CONTENT = "https://content.example.com"
LESSONS = f"""
[[rules]]
name = "lessons"
activity = "{CONTENT}/lessons/{{topic}}"
topic_id = "{{topic}}"
"""
VIDEOS = LESSONS.replace("lessons", "videos")
SUCCESSFUL = "pointsman_config_last_reload_successful"
LIMIT = "pointsman_requests_limit"


class Traffic:
    """Posts one statement after another on one connection, until it is stopped."""

    def __init__(self, daemon: Running) -> None:
        self.statuses: list[int] = []
        self._daemon = daemon
        self._stop = asyncio.Event()

    async def run(self) -> None:
        while not self._stop.is_set():
            self.statuses.append(await post(self._daemon, "lessons/topic_demo_1", "user", "secret"))

    def stop(self) -> None:
        self._stop.set()


async def post(daemon: Running, activity: str, user: str, secret: str) -> int:
    shown = base64.b64encode(f"{user}:{secret}".encode()).decode()
    async with daemon.session.post(
        f"{daemon.url}/xapi/statements",
        headers={"Authorization": f"Basic {shown}", "X-Experience-API-Version": "1.0.3"},
        json={
            "id": str(uuid.uuid4()),
            "actor": {"mbox": "mailto:ana@example.com"},
            "verb": {"id": f"{ADL}completed"},
            "object": {"id": f"{CONTENT}/{activity}"},
        },
    ) as answer:
        return answer.status


async def metrics(daemon: Running) -> Numbers:
    return await read_metrics(daemon.session, daemon.url)


async def problem(daemon: Running) -> str:
    """What /readyz says of the configuration."""
    async with daemon.session.get(f"{daemon.url}/readyz") as answer:
        assert answer.status == 200
        details: dict[str, str] = (await answer.json())["details"]
        return details.get("configuration", "")


async def comes(is_there: Callable[[], Awaitable[bool]]) -> None:
    """Within the time that is promised for a file that nobody told of."""
    async with asyncio.timeout(5):
        while not await is_there():  # noqa: ASYNC110 - what is awaited is behind a socket
            await asyncio.sleep(0.05)


async def command(config: Path, *arguments: str) -> Result:
    words = [*arguments, "--config", str(config)]
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, words))


async def test_what_is_changed_takes_effect_under_traffic_and_what_is_wrong_changes_nothing(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, LESSONS) as daemon:
        config = daemon.config
        base = config.read_text()
        traffic = Traffic(daemon)
        sending = asyncio.create_task(traffic.run())

        # rules, credentials, limits: seen without a word to the daemon
        credential = '{ key = "user", secret = "secret" }'
        good = (
            base.replace(f"[{credential}]", f'[{credential}, {{ key = "new", secret = "n3w" }}]')
            + VIDEOS
            + "[platform.limits]\nshare = 0.4\n"
        )
        assert await post(daemon, "videos/topic_demo_2", "new", "n3w") == 401
        before = (await metrics(daemon))[LIMIT]
        config.write_text(good)

        async def taken_on() -> bool:
            return (await metrics(daemon))[LIMIT] == before // 2

        await comes(taken_on)
        assert await post(daemon, "videos/topic_demo_2", "new", "n3w") == 200
        after = await metrics(daemon)
        assert after[SUCCESSFUL] == 1
        await daemon.until(lambda: "topic_demo_2" in str(daemon.ran))

        # a mistake: named at the terminal, in /readyz and in the metrics; nothing else changes
        config.write_text(base.replace("[platform]", "[platfrom]"))
        refused = await command(config, "reload")
        assert (refused.exit_code, "platfrom" in refused.stderr) == (2, True)

        async def said() -> bool:
            return "platfrom" in await problem(daemon)

        await comes(said)
        wrong = await metrics(daemon)
        assert (wrong[LIMIT], wrong[SUCCESSFUL]) == (before // 2, 0)
        assert await post(daemon, "videos/topic_demo_2", "new", "n3w") == 200

        # what needs a restart is named by the daemon itself, on the terminal too
        config.write_text(good.replace("drain_seconds = 1", "drain_seconds = 2"))
        refused = await command(config, "reload")
        assert (refused.exit_code, "http.drain_seconds needs" in refused.stderr) == (1, True)
        shown = await command(config, "status")
        assert "http.drain_seconds needs a restart" in shown.stdout

        # and back: the credential of the second file is known no longer, on the open connection too
        config.write_text(base)
        taken = await command(config, "reload")
        assert (taken.exit_code, "runs configuration" in taken.stdout) == (0, True), taken.output
        assert await post(daemon, "videos/topic_demo_2", "new", "n3w") == 401
        assert (await metrics(daemon))[SUCCESSFUL] == 1
        assert not await problem(daemon)

        traffic.stop()
        await sending
    assert len(traffic.statuses) > 50
    assert set(traffic.statuses) == {200}
    gone = await command(config, "reload", "--timeout", "0")
    assert (gone.exit_code, "no daemon runs" in gone.stderr) == (3, True)
