"""Commands about one learner or launch, where what they are asked for is not there."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pointsman.cli import app
from pointsman.domain.clock import SystemClock, micros
from pointsman.sources.players import LaunchCache
from pointsman.store.sqlite import SqliteStore
from tests.support.command_config import COMMAND_CONFIG
from tests.support.launch_factory import REGISTRATION, launch

OTHER, ENDED = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    path = tmp_path / "pointsman.toml"
    path.write_text(COMMAND_CONFIG)
    store = SqliteStore(tmp_path / "books.db")
    await store.open()
    launches = LaunchCache(store, SystemClock())
    later = micros(SystemClock().now()) + 3_600_000_000
    for name, until in ((REGISTRATION, later), (OTHER, later), (ENDED, 1)):
        assert await launches.save(launch(registration=name, expires_at=until)) is None
    await store.close()
    return path


def run(config: Path, *words: str) -> Result:
    with ThreadPoolExecutor(1) as other:  # a test may have a loop of its own
        return other.submit(CliRunner().invoke, app, [*words, "-c", str(config)]).result()


async def test_a_launch_says_that_it_is_revoked_and_a_revocation_how_many(config: Path) -> None:
    shown = run(config, "launches", "show", REGISTRATION)
    assert shown.exit_code == 0
    assert "revoked" not in shown.output
    one = run(config, "launches", "revoke", OTHER)
    assert one.output == f"the launch {OTHER} of ana@example.com is revoked\n"
    all_of_ana = run(config, "launches", "revoke", "--learner", "Ana@example.com")
    assert all_of_ana.output == (
        "1 launch of Ana@example.com revoked; 2 had ended or were revoked before\n"
    )
    assert "open nothing any longer" in run(config, "launches", "show", REGISTRATION).output
    shown = run(config, "launches", "show", REGISTRATION, "--json")
    assert json.loads(shown.output)["isRevoked"] is True


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("launches", "revoke", "--learner", "ben"), 1, "there is no launch of ben, so nothing is"),
        (("launches", "revoke", "ana@example.com"), 2, "is no UUID, as a registration is"),
        (("launches", "show", "xyz"), 2, "is no UUID, as a registration is"),
        (("who", "xyz"), 2, "is no hash of the log"),
        (("who", "learner:ABC"), 2, "is no hash of the log"),
        (("who", "learner:0123456789abcdef"), 1, "The store knows nobody of that hash"),
        (("export", "ben@example.com"), 1, "the store holds nothing of ben@example.com"),
        (("export", "ana@example.com"), 0, REGISTRATION),
        (("rules", "test", "BAD"), 1, "1 statement: 1 dead; nothing was stored"),
        (("rules", "test", "BAD", "--json"), 1, '"outcome": "dead"'),
    ],
)
async def test_what_is_not_there_is_said_with_an_exit_code(
    config: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    bad = config.parent / "bad.json"
    bad.write_text('{"actor": 5}')
    done = run(config, *(str(bad) if word == "BAD" else word for word in words))
    assert done.exit_code == code, done.output
    assert said in " ".join(done.output.replace("│", " ").split()), done.output


async def test_the_newest_actions_are_called_the_newest(config: Path) -> None:
    for _ in range(3):
        run(config, "launches", "revoke", OTHER)
    few = run(config, "activity", "--limit", "2")
    assert "These are the newest 2; --limit shows more." in few.output
    assert "This is the newest one" in run(config, "activity", "--limit", "1").output
