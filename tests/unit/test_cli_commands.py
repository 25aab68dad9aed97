"""`run`, `verify` and `emulate`: what they hand on, what they print, how they exit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from pointsman.cli import app
from pointsman.commands import WaitsForPerson
from pointsman.config import Settings
from pointsman.domain.errors import ConfigError, StoreUnavailable
from pointsman.domain.records import InputOutcome
from pointsman.store.base import Books

runner = CliRunner()


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "pointsman.toml"
    path.write_text(
        """
        platform = { url = "http://127.0.0.1:1", api_key = "k" }
        sources.http = [{ name = "player", credentials = [{ bearer = "b" }] }]
        learners.tokens.inline = {}
        """
    )
    return str(path)


def books(*, accepted: int = 5, problems: tuple[str, ...] = ()) -> Books:
    outcomes = dict.fromkeys(InputOutcome, 1)
    return Books(accepted, outcomes, 6, delivered=3, dirty=2, parked=1, problems=problems)


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """In place of the daemon and of its parts, so that only the command is tested."""
    module = ModuleType("pointsman.process")
    monkeypatch.setitem(sys.modules, "pointsman.process", module)
    monkeypatch.setitem(sys.modules, "pointsman.commands", module)
    return module


def reads(daemon: ModuleType, found: Books | Exception) -> None:
    async def read(settings: Settings) -> Books:
        assert settings.sources.http[0].name == "player"
        if isinstance(found, Exception):
            raise found
        return found

    async def waiting(_settings: Settings) -> WaitsForPerson:
        return WaitsForPerson(None, None)

    daemon.books = read  # type: ignore[attr-defined]  # a module made for the test
    daemon.waits_for_person = waiting  # type: ignore[attr-defined]  # as above


@pytest.mark.parametrize("code", [0, 1])
def test_run_exits_as_the_daemon_did(config: str, daemon: ModuleType, code: int) -> None:
    daemon.run = lambda *_: code  # type: ignore[attr-defined]  # a module made for the test

    assert runner.invoke(app, ["run", "--config", config]).exit_code == code


def test_verify_prints_both_sums(config: str, daemon: ModuleType) -> None:
    reads(daemon, books())

    result = runner.invoke(app, ["verify", "--config", config])

    assert result.exit_code == 0
    for word in ("inputs accepted", "no effect", "unmatched", "desired states", "parked"):
        assert word in result.stdout
    assert "The books balance, but:" in result.stdout


def test_verify_prints_json_for_scripts(config: str, daemon: ModuleType) -> None:
    reads(daemon, books())

    result = runner.invoke(app, ["verify", "--config", config, "--json"])

    assert json.loads(result.stdout) == books().as_json()
    assert result.exit_code == 0


@pytest.mark.parametrize("wrong", [books(accepted=6), books(problems=("a lease of nobody",))])
def test_verify_exits_with_1_when_the_books_do_not_balance(
    config: str, daemon: ModuleType, wrong: Books
) -> None:
    reads(daemon, wrong)

    result = runner.invoke(app, ["verify", "--config", config])
    as_json = runner.invoke(app, ["verify", "--config", config, "--json"])

    assert (result.exit_code, as_json.exit_code) == (1, 1)
    assert "do NOT balance" in result.stdout
    assert json.loads(as_json.stdout)["balanced"] is False
    for problem in wrong.problems:
        assert problem in result.stdout


def test_verify_exits_with_3_when_the_store_cannot_be_read(config: str, daemon: ModuleType) -> None:
    reads(daemon, StoreUnavailable("the database is locked"))

    result = runner.invoke(app, ["verify", "--config", config])

    assert result.exit_code == 3
    assert "the database is locked" in result.stderr


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The emulators that were asked for."""
    asked: list[dict[str, Any]] = []
    module = ModuleType("pointsman.emulator.cli")

    async def run_emulator(**options: Any) -> None:
        asked.append(options)

    module.run_emulator = run_emulator  # type: ignore[attr-defined]  # a module made for the test
    monkeypatch.setitem(sys.modules, "pointsman.emulator.cli", module)
    return asked


def test_emulate_hands_its_options_on(emulated: list[dict[str, Any]], tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.toml"
    catalogue.touch()

    result = runner.invoke(
        app,
        [
            *("emulate", "--host", "127.0.0.2", "--port", "9", "--api-key", "k"),
            *("--catalogue", str(catalogue), "--points-per-minute", "10"),
            *("--requests-per-minute", "20", "--points-per-request", "30", "--token-ttl", "1.5"),
            *("--data", str(tmp_path / "data.db"), "--seed", "7"),
            *("--fault", "kind=drop_after", "--fault", "kind=drop_before"),
            *("--webhook-url", "http://localhost/x", "--webhook-secret", "s"),
            *("--rest-requests-per-minute", "5", "--feed-per-page", "6", "--feed-oldest-first"),
            *("--feed-wrapped", "--feed-cursor-ttl", "7"),
        ],
    )

    assert result.exit_code == 0
    assert emulated == [
        {
            "host": "127.0.0.2",
            "port": 9,
            "api_key": "k",
            "catalogue": catalogue,
            "points_per_minute": 10,
            "requests_per_minute": 20,
            "points_per_request": 30,
            "token_ttl": 1.5,
            "data": tmp_path / "data.db",
            "faults": ["kind=drop_after", "kind=drop_before"],
            "faults_file": None,
            "seed": 7,
            "webhook": {"url": "http://localhost/x", "secret": "s"},
            "rest_requests_per_minute": 5,
            "feed_per_page": 6,
            "feed_newest_first": False,
            "feed_wrapped": True,
            "feed_cursor_ttl": 7,
        }
    ]


def test_emulate_has_the_published_limits_and_a_catalogue_of_its_own(
    emulated: list[dict[str, Any]],
) -> None:
    runner.invoke(app, ["emulate", "--api-key", "k"])

    [options] = emulated
    assert options["catalogue"] is None
    assert options["points_per_minute"] == 100_000
    assert options["requests_per_minute"] == 2_500
    assert options["points_per_request"] == 1_000
    assert options["rest_requests_per_minute"] == options["feed_per_page"] == 100
    assert options["feed_newest_first"] is True
    assert options["webhook"] is None


def test_emulate_wants_a_key(emulated: list[dict[str, Any]]) -> None:
    assert runner.invoke(app, ["emulate"]).exit_code == 2
    assert emulated == []


def test_a_refusal_that_comes_later_exits_with_2_too(config: str, daemon: ModuleType) -> None:
    reads(daemon, ConfigError("the database was made by a newer version"))

    result = runner.invoke(app, ["verify", "--config", config])

    assert result.exit_code == 2
    assert "newer version" in result.stderr
