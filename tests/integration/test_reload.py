"""A changed configuration under traffic: no statement is refused, and all say what came of it."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from demo.database import Database
from demo.processes import PATIENCE, free_port
from demo.view import Numbers, read_metrics
from pointsman.app import Daemon
from pointsman.cli import app
from pointsman.config import load
from pointsman.config_reload import LOOK_EVERY
from tests.support.databases import fresh_database
from tests.support.running_daemon import ADL, running

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


class Endpoint(Protocol):
    """Where a daemon is asked."""

    @property
    def url(self) -> str: ...

    @property
    def session(self) -> aiohttp.ClientSession: ...


@dataclass(frozen=True)
class Replica:
    """One of several daemons of a store."""

    daemon: Daemon
    url: str
    session: aiohttp.ClientSession


class Traffic:
    """Posts one statement after another on one connection, until it is stopped."""

    def __init__(self, daemon: Endpoint) -> None:
        self.statuses: list[int] = []
        self._daemon = daemon
        self._stop = asyncio.Event()

    async def run(self) -> None:
        while not self._stop.is_set():
            self.statuses.append(await post(self._daemon, "lessons/topic_demo_1", "user", "secret"))

    def stop(self) -> None:
        self._stop.set()


async def post(daemon: Endpoint, activity: str, user: str, secret: str) -> int:
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


async def metrics(daemon: Endpoint) -> Numbers:
    return await read_metrics(daemon.session, daemon.url)


async def problem(daemon: Endpoint) -> str:
    """What /readyz says of the configuration."""
    async with daemon.session.get(f"{daemon.url}/readyz") as answer:
        assert answer.status == 200
        details: dict[str, str] = (await answer.json())["details"]
        return details.get("configuration", "")


async def comes(is_there: Callable[[], Awaitable[bool]], *daemons: Daemon) -> None:
    """Within the time that is promised for a file that nobody told of: five looks, one a second.

    Looks are counted, for a busy machine has longer seconds.
    """
    before = [daemon._reload._looks for daemon in daemons]
    async with asyncio.timeout(PATIENCE):
        while not await is_there():  # noqa: ASYNC110 - what is awaited is behind a socket
            await asyncio.sleep(0.05)
    looks = [daemon._reload._looks - count for daemon, count in zip(daemons, before, strict=True)]
    assert max(looks) <= 5 / LOOK_EVERY


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

        await comes(taken_on, daemon.daemon)
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

        await comes(said, daemon.daemon)
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
    assert len(traffic.statuses) > 5
    assert set(traffic.statuses) == {200}
    gone = await command(config, "reload", "--timeout", "0")
    assert (gone.exit_code, "no daemon runs" in gone.stderr) == (3, True)


POSTGRES = """
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = 0
drain_seconds = 1
[store]
url = "{store}"
connections = 4
[platform]
url = "http://127.0.0.1:9"
api_key = "key"
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[audit]
enabled = false
[learners.tokens]
inline = {{}}
"""


async def test_two_replicas_take_a_good_file_within_5_seconds_and_none_takes_a_bad_one(
    tmp_path: Path, database: Database
) -> None:
    """Each has a file of its own, as pods have; both are under load all the time."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(fresh_database(database))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        files = [tmp_path / f"{name}.toml" for name in ("a", "b")]
        replicas = [
            await stack.enter_async_context(_replica(path, store, session)) for path in files
        ]
        daemons = [replica.daemon for replica in replicas]
        base = [path.read_text() for path in files]
        traffic = [Traffic(replica) for replica in replicas]
        sending = [asyncio.create_task(one.run()) for one in traffic]
        hashes = {replica.url: await configuration(replica) for replica in replicas}
        assert len(set(hashes.values())) == 2  # their ports differ

        with capture_logs() as logs:
            for path, text in zip(files, base, strict=True):
                path.write_text(text.replace('"{topic}"', '"{topci}"', 1))

            async def all_say_why() -> bool:
                return all(["topci" in await problem(replica) for replica in replicas])

            await comes(all_say_why, *daemons)
        # in the log, on /readyz, in the metrics, at the terminal; and nothing else is different
        told = [line["reason"] for line in logs if "not taken" in line["event"]]
        assert [reason.count("{topci}") > 0 for reason in told] == [True, True]
        assert [(await metrics(replica))[SUCCESSFUL] for replica in replicas] == [0, 0]
        shown = await command(files[0], "reload")
        assert (shown.exit_code, "{topci}" in shown.stderr) == (2, True)
        assert {replica.url: await configuration(replica) for replica in replicas} == hashes

        for path, text in zip(files, base, strict=True):
            path.write_text(text + VIDEOS)

        async def all_have_taken_it() -> bool:
            return all(
                [hashes[replica.url] != await configuration(replica) for replica in replicas]
            )

        await comes(all_have_taken_it, *daemons)
        for replica in replicas:
            assert await post(replica, "videos/topic_demo_2", "user", "secret") == 200
        assert [await problem(replica) for replica in replicas] == ["", ""]
        backlog = await replicas[0].daemon.parts.store.backlog()
        assert backlog.unmatched == 0

        for one in traffic:
            one.stop()
        await asyncio.gather(*sending)
    for one in traffic:
        assert len(one.statuses) > 5
        assert set(one.statuses) == {200}


@asynccontextmanager
async def _replica(
    path: Path, store: str, session: aiohttp.ClientSession
) -> AsyncIterator[Replica]:
    port = free_port()
    await asyncio.to_thread(path.write_text, POSTGRES.format(port=port, store=store) + LESSONS)
    async with Daemon(load(path), config=path) as daemon:
        yield Replica(daemon, f"http://127.0.0.1:{port}", session)


async def configuration(replica: Replica) -> str:
    """The hash of what it runs."""
    async with replica.session.get(f"{replica.url}/metrics") as answer:
        text = await answer.text()
    (line,) = [one for one in text.splitlines() if one.startswith("pointsman_config_info{")]
    return line
