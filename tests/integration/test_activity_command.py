"""`pointsman activity`: what commands and launches changed, by whom, from where."""

from __future__ import annotations

import getpass
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pointsman.cli import app
from pointsman.domain.records import DeadLetter, Submission
from pointsman.store.sqlite import SqliteStore
from tests.support.command_config import COMMAND_CONFIG


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    path = tmp_path / "pointsman.toml"
    path.write_text(COMMAND_CONFIG)
    store = SqliteStore(tmp_path / "books.db")
    await store.open()
    await store.ingest([Submission("lessons", b"{", 5, (), (DeadLetter("no JSON", "a 1", b"{"),))])
    await store.close()
    return path


def _invoke(*arguments: str) -> Result:
    with ThreadPoolExecutor(1) as other:  # a test may have a loop of its own
        return other.submit(CliRunner().invoke, app, arguments).result()


def _run(*arguments: str) -> str:
    result = _invoke(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def _activity(config: Path, *options: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(
        _run("activity", "--config", str(config), "--json", *options)
    )
    return listed


def test_each_command_that_changes_something_is_recorded(config: Path, tmp_path: Path) -> None:
    statements = tmp_path / "history.ndjson"
    statements.write_text("")
    assert "Nothing is recorded" in _run("activity", "--config", str(config))
    for command in (
        ("parked", "retry", "--learner", "ana@example.com", "--reason", "refused: "),
        ("dead-letters", "replay", "--all"),
        ("dead-letters", "drop", "1", "--yes"),
        ("replay", "--since", "7d", "--dry-run"),
        ("replay", "--since", "7d"),
        ("import", str(statements)),
    ):
        _run(*command, "--config", str(config))

    actions = _activity(config)
    assert [
        (one["kind"], one["learner"], one["details"], one["outcome"]) for one in reversed(actions)
    ] == [
        ("parked retry", "ana@example.com", {"reason": "refused: "}, "0 freed"),
        ("dead-letters replay", "", {}, "1 read again"),
        ("dead-letters drop", "", {"numbers": "1"}, "1 dropped"),
        ("replay", "", {"since": "7d", "until": "0s"}, "0 statements decided again"),
        ("import", "", {"source": str(statements)}, "0 statements taken in"),
    ]
    assert {(one["who"], one["origin"]) for one in actions} == {
        (getpass.getuser(), socket.gethostname())
    }
    only = _activity(config, "--kind", "dead-letters drop", "--since", "1h")
    assert [one["outcome"] for one in only] == ["1 dropped"]
    assert _activity(config, "--learner", "ben@example.com") == []


def test_an_action_that_failed_says_so(config: Path, tmp_path: Path) -> None:
    broken = tmp_path / "history.ndjson.gz"
    broken.write_bytes(b"no gzip")
    result = _invoke("import", str(broken), "--config", str(config))
    assert result.exit_code != 0
    (action,) = _activity(config)
    assert action["outcome"].startswith("failed: ")
    assert str(broken) in action["outcome"]


def test_the_user_before_sudo_and_the_address_of_a_terminal_are_named(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "carla")
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.9 5000 192.0.2.1 22")
    _run("parked", "retry", "--config", str(config))
    (action,) = _activity(config)
    assert action["who"] == f"{getpass.getuser()}, sudo of carla"
    assert action["origin"] == f"{socket.gethostname()}, ssh from 192.0.2.9"
