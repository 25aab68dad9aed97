"""What a story is read by goes through an index, however many statements there are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pointsman.store.sqlite.rows import SQL
from pointsman.store.sqlite.schema import connect, migrate

#: the queries of a story, with values for their parameters
QUERIES = {
    "moves_of_learner": ("ana", 200),
    "turns_of_learner": ("ana", 200),
    "newest_turns": (20,),
    "states_of_learner": ("ana",),
    "state_by_key": ("meeting:m", "meeting_attendance", " ana"),
    "queue_places": ('["ana"]',),
    "outcomes_of_statements": ('["s"]',),
    "read_statement": ("s",),
    "search_keys_down": (1, None, None, None, 0, 9, 64),
    "statements_of_block": (1,),
    "turns_since": (0, 0, 9),
    "unpublished_turns": (9,),
}


@pytest.mark.parametrize("name", QUERIES)
def test_no_table_is_read_from_end_to_end(tmp_path: Path, name: str) -> None:
    with closing(connect(tmp_path / "s.db")) as connection:
        migrate(connection)
        steps = _plan(connection, SQL[name], QUERIES[name])
    # newest first by the table's own order, up to a limit, is no search of all
    allowed = {"SCAN turns"} if name == "newest_turns" else set()
    scans = {step for step in steps if step.startswith("SCAN") and not _is_small(step)}
    assert scans <= allowed, steps


def _plan(connection: sqlite3.Connection, query: str, values: tuple[object, ...]) -> list[str]:
    rows = connection.execute(f"EXPLAIN QUERY PLAN {query}", values)
    return [detail for *_, detail in rows]


def _is_small(step: str) -> bool:
    """A list of parameters, a part of the query itself, or an index of what waits alone."""
    return any(
        word in step
        for word in ("json_each", "subquery", "SUBQUERY", "SCAN a", "turns_unpublished")
    )
