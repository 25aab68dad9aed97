"""`pointsman doctor` against real ends: each prepared fault is named with its cure.

One emulator, one daemon and one store serve the whole table; what is at fault is the configuration
that the doctor is given, or one of those ends for as long as it looks.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from typer.testing import CliRunner

from demo.broker import Broker
from demo.processes import free_port
from pointsman.cli import app
from pointsman.commands.doctor import doctor
from pointsman.config import load
from pointsman.doctor import Finding, Level, Report
from pointsman.domain.clock import SystemClock
from tests.support.running_daemon import API_KEY, Running, running
from tests.support.small_disk import fill

CONTENT = "https://content.example.com"
RULES = f"""
[[rules]]
name = "lessons"
activity = "{CONTENT}/{{course}}/{{topic}}"
topic_id = "{{topic}}"
course_id = "{{course}}"
[[rules]]
name = "paths"
activity = "{CONTENT}/paths/x/{{path}}"
learning_path_slug = "yard-foreman"
"""


class ClockOff(SystemClock):
    """Ten minutes slow."""

    def now(self) -> float:
        return super().now() - 600


class World:
    """What a fault is prepared in; `look` is one run of the doctor."""

    def __init__(self, daemon: Running, folder: Path) -> None:
        self.daemon = daemon
        self.folder = folder
        self.base = daemon.config.read_text()
        self.platform = daemon.settings.platform.url.removesuffix("/helium")

    def settings(
        self, *changes: tuple[str, str], more: str = "", store: Path | None = None
    ) -> Path:
        """A configuration of its own; `changes` are (before, after) in the daemon's."""
        text = self.base
        for before, after in changes:
            assert before in text
            text = text.replace(before, after, 1)
        where = self.daemon.database if store is None else store
        path = self.folder / f"{uuid.uuid4().hex}.toml"
        path.write_text(f'{text}\n{more}\n[store]\nurl = "sqlite:///{where}"\n')
        return path

    async def look(self, path: Path, clock: SystemClock | None = None) -> Report:
        return await doctor(load(path), clock=clock)


def faults(report: Report) -> list[Finding]:
    return [row for row in report.findings if row.level is not Level.OK]


def must_name(report: Report, check: str, level: Level, words: str, cure: str) -> None:
    """The fault is named once, and nothing else is called one."""
    assert [(row.check, row.level) for row in faults(report)] == [(check, level)], report
    (row,) = faults(report)
    assert words in row.words
    assert cure in row.cure


@asynccontextmanager
async def a_world(folder: Path) -> AsyncIterator[World]:
    async with running(folder, RULES) as daemon:
        await daemon.say("completed", f"{CONTENT}/course_demo/topic_demo_1", "ana@example.com")
        while (await daemon.daemon.parts.store.books()).dirty:  # noqa: ASYNC110 - rows
            await asyncio.sleep(0.01)
        yield World(daemon, folder)


async def test_each_prepared_fault_is_named_with_its_cure(
    tmp_path: Path, small_disk: Path, broker: Broker, topic: str
) -> None:
    kafka = (
        f'[[sources.kafka]]\nname = "k"\nbootstrap_servers = ["{broker.bootstrap}"]\n'
        f'topics = ["{topic}"]\n'
    )
    async with a_world(tmp_path) as world:
        report = await world.look(world.settings(more=kafka))
        assert faults(report) == []
        assert "course:course_demo, path:yard-foreman" in str(report.findings)
        assert (report.points <= 30, report.requests) == (True, 2)

        await platform_faults(world)
        await rule_faults(world)
        await address_faults(world)
        await broker_faults(world, kafka, broker.bootstrap, topic)
        await certificate_faults(world)
        await silent_faults(world)
        await store_faults(world, small_disk)


async def platform_faults(world: World) -> None:
    must_name(
        await world.look(world.settings((API_KEY, "another-key"))),
        *("platform", Level.FAIL, "refuses platform.api_key", "platform.api_key_file"),
    )
    must_name(
        await world.look(world.settings((world.platform, "http://127.0.0.1:9"))),
        *("platform", Level.FAIL, "no good answer", "platform.url"),
    )
    must_name(
        await world.look(world.settings(), ClockOff()),
        *("clock", Level.FAIL, "behind the platform's", "timedatectl set-ntp true"),
    )
    (world.folder / "old.json").write_text(json.dumps({"ana@example.com": "of-last-year"}))
    must_name(
        await world.look(world.settings(("tokens.json", "old.json"))),
        *("learner's token", Level.FAIL, "of ana@example.com", "pointsman platform login"),
    )


async def rule_faults(world: World) -> None:
    daemon, store = world.daemon, world.daemon.daemon.parts.store
    must_name(
        await world.look(world.settings(('"{course}"', '"course_gone"'))),
        *("rules", Level.FAIL, "no course 'course_gone'", "of the rule 'lessons'"),
    )
    await daemon.say("completed", f"{CONTENT}/course_demo/topic_gone", "ben@example.com")
    while not (parked := await store.parked(limit=1)):  # noqa: ASYNC110 - what is awaited is a row
        await asyncio.sleep(0.01)
    must_name(
        await world.look(world.settings()),
        *("rules", Level.FAIL, "topic progress 'topic_gone'", "correct the rule 'lessons'"),
    )
    await store.drop_parked(parked)


async def address_faults(world: World) -> None:
    def public(url: str) -> Path:
        return world.settings(("[http]", f'[http]\npublic_url = "{url}"'))

    must_name(
        await world.look(public(world.daemon.url)),
        *("public URL", Level.WARN, "/metrics is open", "[http.operator]"),
    )
    must_name(
        await world.look(public(world.platform)),
        *("public URL", Level.FAIL, "is not pointsman", "correct http.public_url"),
    )


async def broker_faults(world: World, kafka: str, bootstrap: str, topic: str) -> None:
    must_name(
        await world.look(world.settings(more=kafka.replace(topic, "no-such-topic"))),
        *("topic", Level.FAIL, "no-such-topic does not exist", "--create --topic"),
    )
    must_name(
        await world.look(world.settings(more=kafka.replace(bootstrap, "127.0.0.1:9"))),
        *("broker", Level.FAIL, "127.0.0.1:9", "sources.kafka.bootstrap_servers"),
    )


async def silent_faults(world: World) -> None:
    """What takes a connection and never answers is as bad as what refuses one."""
    async with await asyncio.start_server(_silent, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        path = world.settings((world.platform, f"http://{host}:{port}"))
        report = await doctor(load(path), seconds=1)
    must_name(report, *("platform", Level.FAIL, "did not answer within 0.4 s", "platform.url"))
    assert report.requests == 1


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def certificate_faults(world: World) -> None:
    async with _certificate_of(timedelta(days=9)) as (url, _):
        report = await world.look(world.settings((world.platform, url)))
    assert [row.check for row in faults(report)] == ["platform", "certificate"]
    assert "is not trusted" in faults(report)[1].words
    assert "name the authority that signed it in platform.ca_file" in faults(report)[1].cure
    async with _certificate_of(timedelta(days=-3, hours=-1)) as (url, authority):
        authority.cert_pem.write_to_path(str(world.folder / "ca.pem"))
        of_last_week = f'ca_file = "ca.pem"\nurl = "{url}'
        report = await world.look(world.settings((f'url = "{world.platform}', of_last_week)))
    assert [row.check for row in faults(report)] == ["platform", "certificate"]
    assert "ended 3 days ago" in faults(report)[1].words
    assert "renewed by who runs" in faults(report)[1].cure


async def store_faults(world: World, small_disk: Path) -> None:
    copy = world.folder / "copy.db"
    for version, cure in ((3, "pointsman db upgrade"), (999, "start the newer version")):
        with closing(sqlite3.connect(world.daemon.database)) as source:
            source.execute("VACUUM INTO ?", (str(copy),))
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        must_name(
            await world.look(world.settings(store=copy)),
            *("store's schema", Level.FAIL, f"schema {version}", cure),
        )
        copy.unlink()
    copy.write_bytes(b"no database at all" * 1_000)
    must_name(
        await world.look(world.settings(store=copy)),
        *("store", Level.FAIL, "can't use", "pointsman db restore BACKUP"),
    )
    with closing(sqlite3.connect(world.daemon.database)) as source:
        source.execute("VACUUM INTO ?", (str(small_disk / "full.db"),))
    fill(small_disk)
    report = await world.look(world.settings(store=small_disk / "full.db"))
    assert faults(report)[0].check == "store's room"
    assert "the disk is full" in faults(report)[0].words
    assert "store.retention_days" in faults(report)[0].cure
    path = world.settings()
    nowhere = "postgresql://pointsman@127.0.0.1:9/pointsman"
    path.write_text(path.read_text().replace(f"sqlite:///{world.daemon.database}", nowhere))
    must_name(
        await world.look(path),
        *("store", Level.FAIL, "no answer from the database", "store.password_file"),
    )


@asynccontextmanager
async def _certificate_of(left: timedelta) -> AsyncIterator[tuple[str, trustme.CA]]:
    """An end that shows a certificate with so much time left: its address, and the authority."""
    authority = trustme.CA()
    end = datetime.now(UTC) + left
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issued = authority.issue_cert("127.0.0.1", not_before=end - timedelta(days=19), not_after=end)
    issued.configure_cert(context)
    port = free_port()
    server = await asyncio.start_server(
        lambda _reader, writer: writer.close(), "127.0.0.1", port, ssl=context
    )
    async with server:
        yield f"https://127.0.0.1:{port}", authority


def command(config: Path, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["doctor", "-c", str(config), *more])
    return result.exit_code, result.stdout


def test_the_command_says_what_fails_with_its_exit_code(tmp_path: Path) -> None:
    config = tmp_path / "pointsman.toml"
    text = f"""
[http]
host = "127.0.0.1"
port = {free_port()}
[platform]
url = "http://127.0.0.1:9"
api_key_file = "key"
[learners.tokens]
file = "tokens.json"
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
"""
    config.write_text(text)
    code, shown = command(config)
    assert code == 2
    assert (
        f"fail  configuration  platform.api_key_file = 'key': {tmp_path / 'key'} can't be read"
        in shown
    )
    assert "next: correct it, and see `pointsman check`" in shown

    key = tmp_path / "key"
    key.write_text("the-key")
    key.chmod(0o644)
    config.write_text(text.replace("127.0.0.1", "0.0.0.0", 1))  # noqa: S104 - it does not listen
    code, shown = command(config, "--json")
    report = json.loads(shown)
    assert (code, report["ok"]) == (1, False)
    cures = {row["words"]: row["cure"] for row in report["findings"] if row["check"] == "secrets"}
    assert any("everybody on this machine can read" in words for words in cures)
    assert f"chmod o-rwx {key}" in cures.values()
    weak = next(words for words in cures if "easy to guess" in words)
    assert weak.startswith("sources.http[0].credentials[0].secret")
    assert "pointsman launches new-key" in cures[weak]
    assert {row["check"] for row in report["findings"] if row["level"] == "fail"} == {"platform"}
    (tmp_path / "..data").mkdir()  # as Kubernetes mounts a Secret
    assert "chmod" not in command(config)[1]
    assert "operator listener" in {row["check"] for row in report["notChecked"]}
