"""`pointsman pause`, `resume` and `status`: what they say, and what `explain` says meanwhile."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pointsman.cli import app
from pointsman.store.sqlite import SqliteStore
from tests.support.change_factory import change, topic, wants
from tests.support.command_config import COMMAND_CONFIG


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    path = tmp_path / "pointsman.toml"
    path.write_text(COMMAND_CONFIG)
    store = SqliteStore(tmp_path / "books.db")
    await store.open()
    await store.ingest([wants(change("ana@example.com", topic("t"), 40))])
    await store.close()
    return path


def _run(config: Path, *arguments: str, code: int = 0) -> str:
    command = [*arguments, "--config", str(config)]
    with ThreadPoolExecutor(1) as other:  # a test may have a loop of its own
        result = other.submit(CliRunner().invoke, app, command).result()
    assert result.exit_code == code, result.output
    return result.output


def _explained(config: Path) -> dict[str, Any]:
    story = json.loads(_run(config, "explain", "--learner", "ana@example.com", "--json"))
    end: dict[str, Any] = story["end"]
    return end


def test_a_pause_is_said_everywhere_and_ends(config: Path) -> None:
    assert "delivery is not paused" in _run(config, "status")
    said = _run(config, "pause", "--reason", "it is moved")
    assert "delivery is paused: it is moved" in said
    assert "pointsman resume" in said
    assert "delivery is paused: it is moved (since 20" in _run(config, "status")
    end = _explained(config)
    assert end["cause"] == "paused"
    assert "it is moved" in end["sentence"]
    assert end["cure"] == ["pointsman resume"]
    waited = _run(config, "wait", "delivery", code=1)
    assert "1 desired states wait: delivery is paused: it is moved" in waited
    assert "Resumed: all" in _run(config, "resume")
    assert _explained(config)["cause"] == "queued"
    assert "Nothing was paused." in _run(config, "resume")
    actions = json.loads(_run(config, "activity", "--json"))
    assert [(one["kind"], one["outcome"]) for one in actions] == [
        ("resume", "nothing was paused"),
        ("resume", "all"),
        ("pause", "delivery is paused: it is moved"),
    ]


def test_one_kind_is_paused_alone(config: Path) -> None:
    _run(config, "pause", "--kind", "course_status")
    assert _explained(config)["cause"] == "queued"
    _run(config, "pause", "--kind", "topic_progress")
    end = _explained(config)
    assert (end["cause"], end["cure"]) == ("paused", ["pointsman resume --kind topic_progress"])
    status = json.loads(_run(config, "status", "--json"))
    assert [one["what"] for one in status["paused"]] == ["course_status", "topic_progress"]
    assert status["waiting"]["topic_progress"] == 1
    _run(config, "resume", "--kind", "topic_progress")
    assert "course_status" in _run(config, "status")
