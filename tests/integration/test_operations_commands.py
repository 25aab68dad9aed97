"""dead-letters, unmatched, replay and db at a terminal, on a store that a daemon has filled."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pointsman import wiring
from pointsman.cli import app
from pointsman.config import load
from pointsman.domain.clock import SystemClock
from pointsman.domain.log_positions import Position
from pointsman.sources.batch import LogMessage
from pointsman.store.base import Store
from pointsman.store.migrations import all_of
from pointsman.store.sqlite.schema import PACKAGE
from tests.support.databases import a_database

CONFIG = """
[store]
url = "{store}"
[platform]
url = "http://127.0.0.1:9"
api_key = "key"
[learners.tokens]
inline = {{}}
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
[[rules]]
activity = "https://content.example.com/known/{{topic}}"
topic_id = "{{topic}}"
"""
RULE = """
[[rules]]
activity = "https://content.example.com/new/{topic}"
topic_id = "{topic}"
"""
BROKEN = b'{"verb": 1}'


def said(number: int, folder: str, percent: int) -> bytes:
    return json.dumps(
        {
            "id": f"00000000-0000-4000-8000-{number:012}",
            "actor": {"mbox": "mailto:ana@example.com"},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/progressed"},
            "object": {"id": f"https://content.example.com/{folder}/t{number % 3}"},
            "result": {
                "extensions": {"https://w3id.org/xapi/cmi5/result/extensions/progress": percent}
            },
        }
    ).encode()


@pytest.fixture(params=["sqlite", "postgresql"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A store with 2 statements that a rule takes, 6 that none takes, and 1 dead letter."""
    path = tmp_path / "pointsman.toml"
    if request.param == "sqlite":
        path.write_text(CONFIG.format(store="sqlite:///books.db"))
        asyncio.run(fill(path))
        yield path
        return
    with a_database(request.getfixturevalue("database")) as dsn:
        path.write_text(CONFIG.format(store=dsn))
        asyncio.run(fill(path))
        yield path


async def fill(config: Path) -> None:
    settings = load(config)
    clock = SystemClock()
    store = wiring.store(settings, clock)
    await store.open()
    intake = wiring.pipeline(settings, store, clock)
    bodies = [
        *(said(number, "known", 10 * number) for number in (1, 2)),
        *(said(number, "new", 10 * number) for number in range(3, 9)),
        BROKEN,
    ]
    (claimed,) = await store.claim("g", [("t", 0)])
    for number, body in enumerate(bodies):
        at = Position("g", "t", 0, number + 1, claimed.token)
        await intake.ingest([intake.read_message(LogMessage("log", body, f"offset {number}", at))])
    await store.close()


def run(config: Path, *arguments: str, code: int = 0, says: str = "") -> Result:
    with ThreadPoolExecutor(1) as other:
        runner = CliRunner(env={"COLUMNS": "250"})
        result = other.submit(
            runner.invoke, app, [*arguments, "-c", str(config)], input=says
        ).result()
    assert result.exit_code == code, result.output
    return result


def books(config: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(config, "verify", "--json").stdout)
    assert found["balanced"], found
    return found


def test_what_no_rule_takes_is_shown_with_the_rule_that_would(config: Path) -> None:
    found = json.loads(run(config, "unmatched", "--json").stdout)
    assert {one["activity"]: one["inputs"] for one in found["activities"]} == {
        f"https://content.example.com/new/t{number}": 2 for number in range(3)
    }
    assert found["rules"] == [
        {
            "activity": "https://content.example.com/new/{topic}",
            "topic_id": "{topic}",
            "like": "rule 1",
        }
    ]
    shown = run(config, "unmatched").stdout
    assert 'activity = "https://content.example.com/new/{topic}"' in shown
    assert 'topic_id = "{topic}"' in shown


def test_what_no_rule_takes_is_found_by_learner_in_whole_addresses(config: Path) -> None:
    everything = json.loads(run(config, "unmatched", "--json").stdout)
    of_ana = json.loads(run(config, "unmatched", "--learner", "ANA@example.com", "--json").stdout)
    assert of_ana["activities"] == everything["activities"]
    shown = run(config, "unmatched", "--learner", "ana@example.com").stdout
    assert all(entry["activity"] in shown for entry in of_ana["activities"])
    assert (
        "Every activity that ben@example.com did is taken"
        in run(config, "unmatched", "--learner", "ben@example.com").stdout
    )


def test_a_new_rule_is_tried_then_applied_to_what_is_here_already(config: Path) -> None:
    before = books(config)
    assert "desired states that move: 0" in run(config, "replay", "--since", "1d").stdout
    assert books(config) == before
    config.write_text(config.read_text() + RULE)

    dry = json.loads(run(config, "replay", "--since", "1h", "--dry-run", "--json").stdout)
    assert dry["outcomes"] == [{"was": "unmatched", "is": "applied", "statements": 6}] or {
        (one["was"], one["is"]) for one in dry["outcomes"]
    } == {("unmatched", "applied"), ("unmatched", "superseded")}
    assert books(config) == before

    shown = run(config, "replay", "--since", "2020-01-01").stdout
    assert "8 statements decided again" in shown
    assert "ana@example.com" in shown
    after = books(config)
    assert after["inputs"]["unmatched"] == 0
    assert after["inputs"]["accepted"] == before["inputs"]["accepted"]
    assert after["desired"]["dirty"] == 3
    assert "Every activity is taken by a rule." in run(config, "unmatched").stdout
    again = json.loads(run(config, "replay", "--since", "1h", "--json").stdout)
    assert (again["outcomes"], again["moves"]) == ([], [])


def test_only_the_time_that_is_asked_for_is_replayed(config: Path) -> None:
    config.write_text(config.read_text() + RULE)
    nothing = run(config, "replay", "--since", "2d", "--until", "1d").stdout
    assert "0 statements decided again" in nothing
    assert "is no time" in run(config, "replay", "--since", "yesterday", code=2).output


def test_a_dead_letter_is_listed_shown_read_again_and_dropped(config: Path) -> None:
    (letter,) = json.loads(run(config, "dead-letters", "list", "--json").stdout)
    assert (letter["source"], letter["origin"]) == ("log", "offset 8")
    number = str(letter["number"])
    assert letter["reason"] in run(config, "dead-letters", "list", "--source", "log").stdout
    assert BROKEN.decode() in run(config, "dead-letters", "show", number).stdout
    assert "no dead letter 99" in run(config, "dead-letters", "show", "99", code=1).output
    tried = run(config, "dead-letters", "replay", "--all", "--dry-run").stdout
    assert f"{number}: still dead: " in tried
    assert "this was a dry run" in tried
    assert f"{number}: still dead: " in run(config, "dead-letters", "replay", "--all").stdout
    assert "say which" in run(config, "dead-letters", "drop", code=2).output
    assert books(config)["inputs"]["dead"] == 1
    run(config, "dead-letters", "drop", number, says="n\n", code=1)
    assert "1 dropped" in run(config, "dead-letters", "drop", "--all", "--yes").stdout
    assert "no dead letters" in run(config, "dead-letters", "list").stdout
    assert books(config)["inputs"]["dead"] == 1


def test_a_dead_letter_whose_limit_was_raised_becomes_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.toml"
    narrow = CONFIG.format(store="sqlite:///books.db") + "[http]\nmax_depth = 8\n"
    path.write_text(narrow)
    deep = json.loads(said(1, "known", 40))
    deep["result"]["extensions"]["https://x.example.com/deep"] = [[[[[[[[[[1]]]]]]]]]]

    async def put() -> None:
        settings = load(path)
        store: Store = wiring.store(settings, SystemClock())
        await store.open()
        intake = wiring.pipeline(settings, store, SystemClock())
        at = Position("g", "t", 0, 1)
        body = json.dumps(deep).encode()
        await intake.ingest([intake.read_message(LogMessage("log", body, "offset 0", at))])
        await store.close()

    asyncio.run(put())
    assert books(path)["inputs"]["dead"] == 1
    path.write_text(narrow.replace("max_depth = 8", "max_depth = 64"))
    assert "1: applied" in run(path, "dead-letters", "replay", "1").stdout
    after = books(path)
    assert (after["inputs"]["dead"], after["inputs"]["applied"]) == (0, 1)
    assert after["desired"]["dirty"] == 1


def test_the_store_says_what_it_holds(config: Path) -> None:
    found = json.loads(run(config, "db", "stats", "--json").stdout)
    assert (found["rows"]["statements"], found["rows"]["dead_letters"]) == (8, 1)
    assert sum(found["bytes"].values()) > 10_000
    shown = run(config, "db", "stats").stdout
    assert "statements" in shown
    assert "oldest statement: 2" in shown


def test_the_schema_is_upgraded_by_hand_and_then_it_is_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.toml"
    path.write_text(CONFIG.format(store="sqlite:///books.db"))
    steps = all_of(PACKAGE)
    with closing(sqlite3.connect(tmp_path / "books.db")) as connection:
        connection.executescript(f"{steps[0].sql}\nPRAGMA user_version = 1;")
    refused = run(path, "verify", code=2)
    assert "pointsman db upgrade" in refused.output
    shown = run(path, "db", "upgrade").stdout
    assert f"{len(steps) - 1} steps done" in shown
    assert "up to date" in run(path, "db", "upgrade").stdout
    assert books(path)["inputs"]["accepted"] == 0


def test_a_copy_is_whole_and_nothing_is_overwritten(config: Path) -> None:
    target = config.parent / "copy.db"
    if "postgresql" in config.read_text():
        assert "pg_dump" in run(config, "db", "backup", str(target), code=2).output
        return
    assert "copy.db" in run(config, "db", "backup", str(target)).stdout
    assert "there already" in run(config, "db", "backup", str(target), code=2).output
    other = config.parent / "other.toml"
    other.write_text(config.read_text().replace("books.db", "copy.db"))
    assert books(other) == books(config)


def test_a_backup_is_put_back_and_what_it_replaces_is_named(config: Path) -> None:
    backup = config.parent / "copy.db"
    if "postgresql" in config.read_text():
        assert "pg_restore" in run(config, "db", "restore", str(backup), code=2).output
        return
    run(config, "db", "backup", str(backup))
    before = books(config)
    (config.parent / "books.db").write_bytes(b"\xa5" * 9_000)

    shown = run(config, "db", "restore", str(backup)).stdout

    assert books(config) == before
    assert "its newest statement: 2" in shown
    (aside,) = config.parent.glob("books.db.replaced-*Z")
    assert f"what it replaced: {aside}" in " ".join(shown.split())
    assert "there is no file" in run(config, "db", "restore", str(aside) + "x", code=2).output
