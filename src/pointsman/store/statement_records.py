"""Statements that a store keeps, and what became of inputs. Frozen; times in microseconds.

Rows are read by their columns' names, whatever the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pointsman.domain.frozen import record
from pointsman.domain.records import InputOutcome
from pointsman.domain.targets import Recipient, Target, Value


@record
class StoredStatement:
    """One statement as it came, and what the endpoint assigned to it."""

    statement_id: str
    body: bytes
    #: its place in `body` when that is an array
    index: int | None
    #: when it was committed; later than all that was committed before it
    stored_at: int
    source: str
    received_at: int
    #: the version of xAPI that it was sent in
    version: str = "1.0.0"


@record
class StatementPlace:
    """The place of a statement in the order of storing: the commit, and its rank there."""

    commit: int
    rank: int


@record
class Search:
    """Statements under all of `keys`, stored after `since` and not after `until`.

    Begins behind `after`; newest first, or with `ascending` oldest first.
    """

    keys: tuple[int, ...] = ()
    since: int | None = None
    until: int | None = None
    ascending: bool = False
    after: StatementPlace | None = None


@record
class SearchPage:
    """Candidates in order, each with its place; `after` is where to go on, None at the end."""

    found: tuple[tuple[StatementPlace, StoredStatement], ...]
    after: StatementPlace | None


@record
class StoredDeadLetter:
    """An input that could not be understood. `body` is empty in lists."""

    id: int
    source: str
    origin: str
    reason: str
    statement_id: str | None
    #: it is a valid statement too, known by its id
    in_statements: bool
    received_at: int
    body: bytes = b""


@record
class UnmatchedSummary:
    """An activity that no rule takes: how often it came, and one statement of it."""

    activity: str
    inputs: int
    sample_id: str
    first_at: int
    last_at: int


@record
class DecidedStatement:
    """A stored statement with its outcome, for deciding about it anew."""

    statement: StoredStatement
    outcome: InputOutcome
    #: where to go on after it: the commit that stored it, and its id
    cursor: tuple[int, str]


@record
class Move:
    """A desired state that a replay moves, or would move; `before` is None where it is new."""

    recipient: Recipient
    target: Target
    before: Value | None
    after: Value
    rule: str


@record
class Replayed:
    """What deciding anew came to: the outcomes that changed, by (before, after), and the moves."""

    outcomes: Mapping[tuple[InputOutcome, InputOutcome], int]
    moves: tuple[Move, ...]


def stored_statement(row: Mapping[str, Any], bodies: bytes) -> StoredStatement:
    """The statement of a row; `bodies` are those of its commit, in which it has its place."""
    start = row["start"]
    return StoredStatement(
        statement_id=row["statement_id"],
        body=bodies[start : start + row["length"]],
        index=row["index"],
        stored_at=row["stored_at"],
        source=row["source"],
        received_at=row["received_at"],
        version=row["version"],
    )


def decided_statement(row: Mapping[str, Any], bodies: bytes) -> DecidedStatement:
    """The same with its outcome."""
    return DecidedStatement(
        statement=stored_statement(row, bodies),
        outcome=InputOutcome(row["outcome"]),
        cursor=(row["block"], row["statement_id"]),
    )
