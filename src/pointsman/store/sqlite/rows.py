"""Desired state as a JSON row and back. The order of columns is that of queries.sql."""

from __future__ import annotations

from typing import Any

import orjson

from pointsman.domain.records import Attempt, Desired
from pointsman.domain.targets import Target, TargetKind, is_completion
from pointsman.store.named_sql import load

SQL = load("pointsman.store.sqlite", "queries.sql")


def from_rows(text: str) -> list[Desired]:
    """The records of one aggregated JSON answer."""
    return [_from_row(row) for row in orjson.loads(text)]


def _from_row(row: list[Any]) -> Desired:
    learner, kind, key, value, version, occurred_at, statement_id, rule = row[:8]
    since, changed_at, after, attempts, delivered, delivered_value, failures, parked = row[8:16]
    return Desired(
        learner=learner,
        target=Target(TargetKind(kind), key),
        value=value,
        version=version,
        occurred_at=occurred_at,
        statement_id=statement_id,
        rule=rule,
        since=since,
        changed_at=changed_at,
        after=tuple(Target(TargetKind(one_kind), one_key) for one_kind, one_key in after),
        attempts=tuple(Attempt(*attempt) for attempt in attempts),
        delivered_version=delivered,
        delivered_value=delivered_value,
        failures=failures,
        parked=parked,
        read_back=row[16],
    )


def to_row(desired: Desired) -> list[Any]:
    """What `upsert_desired` takes: all that a change can move."""
    return [
        desired.learner,
        desired.target.kind,
        desired.target.key,
        desired.value,
        desired.version,
        desired.occurred_at,
        desired.statement_id,
        desired.rule,
        desired.since,
        desired.changed_at,
        [[target.kind, target.key] for target in desired.after],
        [[one.registration, one.value, one.occurred_at] for one in desired.attempts],
        int(is_completion(desired.target, desired.value)),
        desired.read_back,
    ]
