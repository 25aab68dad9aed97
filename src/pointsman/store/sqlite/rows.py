"""The SQL of this store, and how its rows are read and written: named columns, JSON, packed keys.

Sets go in and out as one JSON text.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import orjson
import zstandard

from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import Recipient, Target
from pointsman.store.desired_codec import (
    COLUMNS,
    IMPORTED,
    MOVED,
    STATE,
    DesiredCodec,
    ValueCodec,
    assignments,
)
from pointsman.store.named_sql import load
from pointsman.store.statement_records import StoredStatement, stored_statement
from pointsman.store.turns import due_as_sql


def _extract(columns: Sequence[str]) -> str:
    """The elements of a JSON row, each in its column's place."""
    return ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(columns)))


#: what is found of a commit `a` under a key, in the index or beside it
_RANKS = """coalesce((SELECT ranks FROM statement_keys WHERE key = :key AND block = a.block),
    (SELECT json_extract(ranks, '$."' || :key || '"') FROM waiting_keys WHERE block = a.block))"""
#: the commits between ?5 and ?6 that have the key ?1, in the index or beside it
_COMMITS_OF_FIRST = """
    SELECT block, ranks FROM statement_keys WHERE key = ?1 AND block BETWEEN ?5 AND ?6
    UNION ALL
    SELECT block, json_extract(ranks, '$."' || ?1 || '"') FROM waiting_keys
    WHERE block BETWEEN ?5 AND ?6 AND json_extract(ranks, '$."' || ?1 || '"') IS NOT NULL"""
#: in place of the rows of a statement that `insert_rows` takes
_ROWS = ":rows"
#: rows that go in at once at most
_AT_ONCE = 64
_FRAGMENTS = {
    "desired": ", ".join(f"d.{name}" for name in COLUMNS),
    "state": ", ".join(f"d.{name}" for name in STATE),
    "moved": ", ".join(MOVED),
    "rows": _ROWS,
    "assign_moved": assignments(MOVED, "changed_at"),
    "commits_of_first": _COMMITS_OF_FIRST,
    "ranks_of_second": _RANKS.replace(":key", "?2"),
    "ranks_of_third": _RANKS.replace(":key", "?3"),
    "ranks_of_fourth": _RANKS.replace(":key", "?4"),
    "imported": ", ".join(IMPORTED),
    "extract_imported": _extract(IMPORTED),
    "assign_imported": assignments(IMPORTED),
    "turn_due": due_as_sql(least="min", greatest="max"),
    "is_first": (
        "(due IS NULL OR excluded.urgent > urgent "
        "OR (excluded.urgent = urgent AND excluded.due < due))"
    ),
}
SQL = {
    **load("pointsman.store.sqlite", "queries.sql", _FRAGMENTS),
    **load("pointsman.store.sqlite", "history.sql", _FRAGMENTS),
    **load("pointsman.store.sqlite", "confirmations.sql", _FRAGMENTS),
}


#: a column without a type takes numbers and words as they are
CODEC = DesiredCodec(ValueCodec(encode=lambda value: value, decode=lambda stored: stored))


def desired_from_json(rows: str) -> list[Desired]:
    """The records of one aggregated answer, whose rows are arrays in the order of `COLUMNS`."""
    return [CODEC.decode_values(row) for row in orjson.loads(rows)]


def read_desired(
    connection: sqlite3.Connection, keys: Iterable[tuple[Recipient, Target]]
) -> dict[tuple[Recipient, Target], Desired]:
    """What is stored of these."""
    asked = list(keys)
    texts = [(str(recipient), kind._value_, key) for recipient, (kind, key) in asked]
    (rows,) = connection.execute(SQL["desired_by_key"], (to_json(texts),)).fetchone()
    states = {}
    for place, *values in orjson.loads(rows):
        whose = recipient, target = asked[place]
        states[whose] = CODEC.decode_state(recipient, target, values)
    return states


def to_json(value: object) -> str:
    """As the text that SQLite's JSON functions read.

    Raises `sqlite3.DataError` for half a character and for too large a number.
    """
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError as error:
        raise sqlite3.DataError(str(error)) from None


def insert_rows(connection: sqlite3.Connection, query: str, rows: Sequence[Sequence[Any]]) -> None:
    """Write rows by a named query that has `{rows}`, in few steps.

    Values are bound, for to take them out of JSON costs SQLite half as much again.
    """
    start = 0
    while start < len(rows):
        # of few lengths, so that each is prepared once
        count = min(_AT_ONCE, 1 << ((len(rows) - start).bit_length() - 1))
        values = [value for row in rows[start : start + count] for value in row]
        connection.execute(_for_rows(query, len(rows[0]), count), values)
        start += count


@cache
def _for_rows(query: str, width: int, count: int) -> str:
    row = f"({', '.join('?' * width)})"
    return SQL[query].replace(_ROWS, ", ".join([row] * count))


def fetch(connection: sqlite3.Connection, query: str, *values: object) -> list[dict[str, Any]]:
    """All rows of a named query, each by its columns' names."""
    cursor = connection.execute(SQL[query], values)
    names = [name for name, *_ in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def fetch_one(connection: sqlite3.Connection, query: str, *values: object) -> dict[str, Any] | None:
    """The first row, None where there is none."""
    rows = fetch(connection, query, *values)
    return rows[0] if rows else None


def read_statement(connection: sqlite3.Connection, statement_id: str) -> StoredStatement | None:
    row = fetch_one(connection, "read_statement", statement_id)
    if row is None:
        return None
    return stored_statement(row, zstandard.ZstdDecompressor().decompress(row["block"]))


def pack_keys(keys: Sequence[int]) -> bytes:
    """Keys as a column of 64-bit integers."""
    return array("q", keys).tobytes()


def unpack_keys(packed: bytes) -> list[int]:
    """What `pack_keys` made."""
    keys = array("q")
    keys.frombytes(packed)
    return keys.tolist()
