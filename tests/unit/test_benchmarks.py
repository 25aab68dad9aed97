"""What is measured by hand goes on working: each bench is there with what it patches and fills."""

from __future__ import annotations

import importlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import bench
from bench import filled_store
from bench.bench_history import without_history
from bench.results import PAGE, RESULTS, Spread, page_with
from pointsman.store.sqlite import SqliteStore

NAMES = sorted(path.stem for path in Path(bench.__file__).parent.glob("bench_*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_bench_can_be_started(name: str) -> None:
    assert callable(importlib.import_module(f"bench.{name}").main)


def test_what_is_left_out_without_history_is_there() -> None:
    with without_history():
        pass


async def test_a_store_is_filled_as_its_schema_is(tmp_path: Path) -> None:
    path = tmp_path / "filled.db"
    await SqliteStore(path).upgrade()
    filled_store.fill_sqlite(path, 1_000)

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM statements").fetchone() == (1_000,)


def test_results_with_the_same_rows_are_one_table() -> None:
    def result(**medians: float) -> dict[str, object]:
        values = {
            name: {"median": median, "least": 1.0, "most": 3.0, "rounds": 5}
            for name, median in medians.items()
        }
        return {
            "reference": next(iter(medians)),
            "command": "python -m bench",
            "at": "today",
            "machine": "a machine",
            "unit": "ms",
            "values": values,
        }

    page = page_with(
        "top\n<!-- measured: begin --><!-- measured: end -->\nend",
        {
            "Intake: CPU": result(a=2.0, b=3.0),
            "Intake: time": result(a=4.0, b=4.0),
            "Intake: waits": result(c=1.0),
        },
    )

    assert page.count("### Intake") == 2
    assert "| | CPU, ms | ratio | time, ms | ratio |" in page
    assert "| b | 3 (1 to 3) | 1.50 | 4 (1 to 3) | 1.00 |" in page
    assert Spread.of([3, 1, 2]) == Spread(2, 1, 3, 3)


def test_the_page_has_the_results_that_are_kept() -> None:

    page = PAGE.read_text(encoding="utf-8")
    assert page_with(page, json.loads(RESULTS.read_text(encoding="utf-8"))) == page
