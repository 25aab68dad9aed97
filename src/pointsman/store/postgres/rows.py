"""The SQL of this store, and desired state as rows. Sets go in as arrays that are unnested."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pointsman.domain.targets import Value
from pointsman.store.desired_codec import (
    COLUMNS,
    IMPORTED,
    MOVED,
    DesiredCodec,
    ValueCodec,
    assignments,
    column_type,
)
from pointsman.store.named_sql import load
from pointsman.store.turns import due_as_sql

_ARRAYS = {"integer": "bigint[]", "boolean": "boolean[]", "text": "text[]"}


def _arrays(columns: Sequence[str], *, first: int = 1) -> str:
    """An array for each column, as parameters from `$first` on."""
    return ", ".join(
        f"${place}::{_ARRAYS[column_type(name)]}" for place, name in enumerate(columns, first)
    )


_FRAGMENTS = {
    "desired": ", ".join(f"d.{name}" for name in COLUMNS),
    "moved": ", ".join(MOVED),
    "moved_arrays": _arrays(MOVED),
    "assign_moved": assignments(MOVED, "changed_at"),
    "imported": ", ".join(IMPORTED),
    "imported_arrays": _arrays(IMPORTED, first=2),
    "assign_imported": assignments(IMPORTED),
    "turn_due": due_as_sql(least="least", greatest="greatest"),
    "is_first": (
        "(l.due IS NULL OR q.urgent > l.urgent OR (q.urgent = l.urgent AND q.due < l.due))"
    ),
}
SQL = {
    **load("pointsman.store.postgres", "queries.sql", _FRAGMENTS),
    **load("pointsman.store.postgres", "history.sql", _FRAGMENTS),
    **load("pointsman.store.postgres", "confirmations.sql", _FRAGMENTS),
}


def to_value(value: Value) -> str:
    """A percentage as its digits, a word as itself: no word of the platform's is a number."""
    return value if isinstance(value, str) else str(value)


def from_value(kept: str) -> Value:
    return int(kept) if kept.isdecimal() else kept


CODEC = DesiredCodec(ValueCodec(encode=to_value, decode=from_value))


def columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows as the arrays that are unnested."""
    found = [list(column) for column in zip(*rows, strict=True)]
    return found or [[] for _ in range(width)]
