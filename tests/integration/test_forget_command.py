"""`pointsman forget`, `export` and `who` beside a daemon that goes on delivering."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from pointsman import commands
from pointsman.cli.operator_identity import begun
from pointsman.domain.operator_actions import ActionKind
from tests.support.running_daemon import running

RULE = """
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""
ANA, BEN = "ana@example.com", "ben@example.com"


async def start(folder: Path, *arguments: str) -> Process:
    command = (sys.executable, "-m", "pointsman", *arguments, "-c", str(folder / "pointsman.toml"))
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)


async def run(folder: Path, *arguments: str) -> str:
    process = await start(folder, *arguments)
    out, err = await process.communicate()
    assert process.returncode == 0, (out, err)
    return out.decode()


async def test_a_person_is_forgotten_beside_a_daemon_although_the_first_run_was_killed(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, RULE) as world:
        for number in range(1, 5):
            for who in (ANA, BEN):
                topic = f"https://content.example.com/topic_demo_{number}"
                await world.say("completed", topic, who)
        await world.until(lambda: len(world.ran) >= 8)
        look = begun(ActionKind.EXPORT, {})
        ben = await commands.export_person(world.settings, look, BEN)
        pseudonym = (await commands.export_person(world.settings, look, ANA))["pseudonym"]
        assert await commands.who(world.settings, pseudonym) == ANA

        first = await start(tmp_path, "forget", ANA, "--refuse-for", "1d")
        assert first.stderr is not None
        while b"erasing" not in await first.stderr.readline():
            assert first.returncode is None
        first.kill()
        await first.wait()
        done = json.loads(await run(tmp_path, "forget", ANA, "--refuse-for", "1d", "--json"))

        assert done["proved"]
        await world.say("completed", "https://content.example.com/topic_demo_5", BEN)
        await world.until(lambda: len(world.ran) >= 9)
        after = await commands.export_person(world.settings, look, BEN)
        assert after["statements"][:4] == ben["statements"]
        actions = await world.daemon.parts.store.operator_actions(limit=10)
        assert {one.learner for one in actions if one.kind is ActionKind.FORGET} == {pseudonym}

        store = world.settings.store.path
        files = [store, store.with_name(store.name + "-wal")]
        assert all(ANA.encode() not in file.read_bytes().lower() for file in files if file.exists())
        books = await world.daemon.parts.store.books()
        assert books.balanced
