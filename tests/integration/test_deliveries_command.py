"""`pointsman deliveries` and `pointsman rules test`, on the store of a daemon."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from pointsman import wiring
from pointsman.cli import app
from pointsman.config import load
from pointsman.domain.clock import SystemClock
from pointsman.store.base import Settlement
from tests.support.command_config import COMMAND_CONFIG

CONFIG = (
    COMMAND_CONFIG
    + """
[[rules]]
activity = "https://content.example.com/{topic}"
verbs = ["progressed"]
topic_id = "{topic}"
"""
)
PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"


def statement(verb: str, topic: str, progress: int) -> dict[str, object]:
    return {
        "actor": {"mbox": "mailto:ana@example.com"},
        "verb": {"id": f"http://adlnet.gov/expapi/verbs/{verb}"},
        "object": {"id": f"https://content.example.com/{topic}"},
        "result": {"extensions": {PROGRESS: progress}},
    }


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    """A store with two statements, of which one was delivered."""
    path = tmp_path / "pointsman.toml"
    path.write_text(CONFIG)
    settings = load(path)
    store = wiring.store(settings, SystemClock())
    await store.open()
    pipeline = wiring.pipeline(settings, store, SystemClock())
    said = [statement("progressed", "t", 62), statement("experienced", "t", 70)]
    await pipeline.accept(pipeline.reader.request("players", json.dumps(said).encode()))
    now = round(SystemClock().now() * 1e6)
    (lease,) = await store.lease(now=now, ttl=1, limit=9)
    done = [Settlement(row.target, row.version, "delivered") for row in lease.desired]
    assert await store.settle(lease, done, now=now, ready_at=now)
    await store.close()
    return path


def run(*arguments: str, code: int = 0) -> str:
    with ThreadPoolExecutor(1) as other:  # a test may have a loop of its own
        result = other.submit(CliRunner().invoke, app, arguments).result()
    assert result.exit_code == code, result.output
    return result.output


async def test_deliveries_are_lines_of_json_and_the_same_rows_of_a_parquet_file(
    config: Path,
) -> None:
    (line,) = run("deliveries", "--since", "1h", "-c", str(config)).splitlines()
    delivery = json.loads(line)
    assert (delivery["learner"], delivery["key"], delivery["value"]) == (
        "ana@example.com",
        "t",
        "62",
    )
    file = config.parent / "week.parquet"
    run("deliveries", "--format", "parquet", "--output", str(file), "-c", str(config))
    (row,) = parquet.read_table(file).to_pylist()
    assert {name: row[name] for name in ("id", "learner", "value", "latency_seconds")} == {
        name: delivery[name] for name in ("id", "learner", "value", "latency_seconds")
    }
    assert row["settled_at"] == datetime.fromisoformat(delivery["settled_at"])
    assert row["sent_at"] is None


async def test_without_deliveries_there_is_an_empty_file_with_all_columns(config: Path) -> None:
    file = config.parent / "none.parquet"
    words = ["deliveries", "--since", "2100-01-01", "--format", "parquet"]
    run(*words, "--output", str(file), "-c", str(config))
    table = parquet.read_table(file)
    assert (table.num_rows, table.column_names[:3]) == (0, ["id", "settled_at", "learner"])


async def test_parquet_is_not_printed(config: Path) -> None:
    assert "--output" in run("deliveries", "--format", "parquet", "-c", str(config), code=2)


async def test_other_rules_are_compared_on_the_stores_newest_statements(config: Path) -> None:
    other = config.parent / "other.toml"
    other.write_text(CONFIG.replace('verbs = ["progressed"]', ""))
    words = ["rules", "test", "-c", str(config), "--against", str(other), "--json"]
    found = json.loads(run(*words))
    by_verb = {one["verb"].rpartition("/")[2]: one for one in found}
    assert by_verb["progressed"]["differs"] is False
    assert by_verb["progressed"]["wanted"][0]["value"] == 62
    moved = by_verb["experienced"]
    assert (moved["outcome"], moved["rule"], moved["differs"]) == ("no_effect", "", True)
    assert moved["against"]["wanted"] == [
        {
            "recipient": "ana@example.com",
            "kind": "topic_progress",
            "key": "t",
            "value": 70,
            "isPart": False,
        }
    ]
    assert len(json.loads(run(*words, "--differing"))) == 1
    assert "1 would differ" in run(*words[:-1])


@pytest.mark.parametrize("indent", [None, 2])
async def test_a_file_goes_through_the_rules_and_nothing_is_stored(
    config: Path, indent: int | None
) -> None:
    file = config.parent / "statements.json"
    file.write_text(json.dumps([statement("progressed", "new", 40), {"x": 1}], indent=indent))
    before = (config.parent / "books.db").read_bytes()
    found = json.loads(run("rules", "test", str(file), "-c", str(config), "--json", code=1))
    assert sorted((one["outcome"], one["rule"]) for one in found) == [
        ("applied", "rule 1"),
        ("dead", ""),
    ]
    assert "actor is required" in str(found)
    assert "nothing was stored" in run("rules", "test", str(file), "-c", str(config), code=1)
    assert (config.parent / "books.db").read_bytes() == before
