"""No sender writes commands to the terminal of an operator who looks at what came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pointsman.cli import app
from tests.support.launch_client import ANA, Launching, launching
from tests.support.scorm_sessions import commit, launched

#: clears the screen, in both spellings of it; and turns round the letters that follow
HOSTILE = ("\x1b[2J", "\x9b2J", "\u202e")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path) as running:
        yield running


async def test_what_a_sender_wrote_is_shown_as_escapes(world: Launching) -> None:
    activity = "https://content.example.com/\x9b2J\u202ex"
    await world.run.say(
        "experienced", activity, ANA, actor={"mbox": f"mailto:{ANA}", "name": "\x1b[2J"}
    )
    launch = await launched(world)
    assert (await commit(world, launch, "\x1b[2J\x9b2J\u202e no JSON\n".encode())).status == 400
    config = str(world.run.database.with_name("pointsman.toml"))
    for command in (
        ["unmatched"],
        ["dead-letters", "list"],
        ["dead-letters", "show", "1"],
        ["explain", "--learner", ANA],
    ):
        arguments = [*command, "-c", config]
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        assert result.exit_code == 0, result.output
        assert "2J" in result.output or command[-1] == "list", command
        assert [text for text in HOSTILE if text in result.output] == [], command
