"""Records as rows and back. The order of columns is that of queries.sql."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from pointsman.domain.records import Attempt, Desired
from pointsman.domain.targets import Target, TargetKind, Value, is_completion
from pointsman.store.named_sql import load
from pointsman.store.strip_nul import text

SQL = load("pointsman.store.postgres", "queries.sql")

_NOTHING = "[]"


def to_value(value: Value) -> str:
    """A percentage as its digits, a word as itself: no word of the platform's is a number."""
    return value if isinstance(value, str) else str(value)


def from_value(kept: str) -> Value:
    return int(kept) if kept.isdecimal() else kept


def from_rows(rows: Iterable[Sequence[Any]]) -> list[Desired]:
    return [from_row(row) for row in rows]


def from_row(row: Sequence[Any]) -> Desired:
    learner, kind, key, value, version, occurred_at, statement_id, rule = row[:8]
    since, changed_at, after, attempts, delivered, delivered_value, failures, parked = row[8:16]
    return Desired(
        learner=learner,
        target=Target(TargetKind(kind), key),
        value=from_value(value),
        version=version,
        occurred_at=occurred_at,
        statement_id=statement_id,
        rule=rule,
        since=since,
        changed_at=changed_at,
        after=tuple(Target(TargetKind(one), name) for one, name in _list(after)),
        attempts=tuple(Attempt(*attempt) for attempt in _list(attempts)),
        delivered_version=delivered,
        delivered_value=None if delivered_value is None else from_value(delivered_value),
        failures=failures,
        parked=parked,
        read_back=row[16],
    )


def to_row(desired: Desired) -> tuple[Any, ...]:
    """What `upsert_desired` takes: all that a change can move."""
    return (
        desired.learner,
        desired.target.kind.value,
        desired.target.key,
        to_value(desired.value),
        desired.version,
        desired.occurred_at,
        desired.statement_id,
        text(desired.rule),
        desired.since,
        desired.changed_at,
        _text([[target.kind, target.key] for target in desired.after]),
        _text([[one.registration, one.value, one.occurred_at] for one in desired.attempts]),
        is_completion(desired.target, desired.value),
        desired.read_back,
    )


def to_imported_row(desired: Desired, now: int) -> tuple[Any, ...]:
    """What `import_desired` takes: a record that counts as delivered."""
    row = to_row(desired)
    delivered = None if desired.delivered_value is None else to_value(desired.delivered_value)
    return (*row[:12], desired.delivered_version, delivered, now, *row[12:])


def columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows as the arrays that are unnested."""
    found = [list(column) for column in zip(*rows, strict=True)]
    return found or [[] for _ in range(width)]


def _list(kept: str) -> list[list[Any]]:
    if kept == _NOTHING:
        return []
    found: list[list[Any]] = orjson.loads(kept)
    return found


def _text(value: list[Any]) -> str:
    return orjson.dumps(value).decode() if value else _NOTHING
