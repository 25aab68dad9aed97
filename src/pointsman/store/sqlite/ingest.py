"""Writes any number of submissions in one transaction, in a fixed number of SQL steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache

import orjson
import zstandard

from pointsman.domain.records import Change, Receipt, Submission
from pointsman.domain.targets import Recipient
from pointsman.store import statement_index
from pointsman.store.commit_history import CommitHistory
from pointsman.store.commit_plan import Plan
from pointsman.store.evidence import Gathered, from_body, links, to_body
from pointsman.store.sqlite.rows import (
    CODEC,
    SQL,
    insert_rows,
    pack_keys,
    read_desired,
    read_statement,
    to_json,
)
from pointsman.store.statement_conflicts import former_names
from pointsman.store.statement_index import Indexed, ReadKeys, Reference

#: level 1: bodies of JSON shrink to about a fifth already
COMPRESSION_LEVEL = 1
#: keys that wait to be indexed at most; a query that looks at all takes 0.3 ms longer
MOST_WAITING = 4_096
#: rows of moves in one INSERT, and one row of it
_AT_ONCE, _ROW = 64, "(?, ?, ?, ?)"


def ingest(
    connection: sqlite3.Connection,
    submissions: Sequence[Submission],
    stored_at: int,
    read_keys: ReadKeys,
) -> list[Receipt]:
    """Write all of them inside the caller's transaction; a receipt each, in order."""
    plan = new_plan(connection, submissions)
    receipts = [plan.take(submission) for submission in submissions]
    write(connection, plan, stored_at, read_keys)
    return receipts


def new_plan(connection: sqlite3.Connection, submissions: Sequence[Submission]) -> Plan:
    """A plan that knows all that these submissions touch."""

    def is_dead(source: str, origin: str, body_hash: bytes) -> bool:
        row = connection.execute(SQL["is_dead_letter"], (source, origin, body_hash)).fetchone()
        return row is not None

    changes = [
        change
        for submission in submissions
        for item in submission.items
        for change in item.decision.changes
    ]
    touched = {(change.recipient, change.target) for change in changes}
    return Plan(
        known=_known(connection, submissions),
        desired=read_desired(connection, touched) if touched else {},
        is_dead=is_dead,
        claims=_claims(connection, submissions),
        evidence=_evidence(connection, changes),
    )


def _known(connection: sqlite3.Connection, submissions: Sequence[Submission]) -> dict[str, int]:
    ids = [item.statement_id for submission in submissions for item in submission.items]
    if not ids:
        return {}
    (text,) = connection.execute(SQL["known_statements"], (to_json(ids),)).fetchone()
    known: dict[str, int] = orjson.loads(text)
    if former := former_names(submissions):
        (text,) = connection.execute(SQL["formerly_known"], (to_json(former),)).fetchone()
        known = orjson.loads(text) | known
    return known


def _evidence(
    connection: sqlite3.Connection, changes: Sequence[Change]
) -> dict[tuple[Recipient, str], Gathered]:
    with_evidence = (change for change in changes if change.evidence is not None)
    keys = list(
        {(change.recipient, link.key) for change in with_evidence for link in links(change)}
    )
    if not keys:
        return {}
    texts = to_json([(str(recipient), key) for recipient, key in keys])
    (rows,) = connection.execute(SQL["evidence_by_key"], (texts,)).fetchone()
    return {keys[place]: from_body(body) for place, body in orjson.loads(rows)}


def _claims(
    connection: sqlite3.Connection, submissions: Sequence[Submission]
) -> dict[tuple[str, str, int], int]:
    topics: dict[str, set[str]] = {}
    for submission in submissions:
        if (at := submission.position) is not None:
            topics.setdefault(at.group, set()).add(at.topic)
    return {
        (group, topic, partition): token
        for group, names in topics.items()
        for topic, partition, token in connection.execute(
            SQL["read_claims"], (group, to_json(list(names)))
        )
    }


def write(connection: sqlite3.Connection, plan: Plan, stored_at: int, read_keys: ReadKeys) -> None:
    """Write what the plan holds."""
    if plan.statements:
        block = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(b"".join(plan.bodies))
        ranks = _ranks_by_key(connection, plan, read_keys)
        values = (stored_at, block, pack_keys(list(ranks)))
        block_id = connection.execute(SQL["insert_block"], values).lastrowid or 0
        rows = [
            (
                new.item.statement_id,
                new.item.digest,
                new.outcome._value_,
                new.submission.source,
                new.submission.received_at,
                block_id,
                new.start,
                new.length,
                new.item.index,
                new.submission.version,
            )
            for new in plan.statements
        ]
        rows.sort()  # what comes in the order of an index is added faster
        insert_rows(connection, "insert_statements", rows)
        _write_index(connection, plan, block_id, ranks)
    if plan.moved:
        moved = [CODEC.moved_row(desired) for desired in plan.moved.values()]
        insert_rows(connection, "upsert_desired", moved)
    if plan.history is not None:
        write_moves(connection, plan.history, stored_at)
    if plan.grown:
        grown = [
            (str(recipient), key, to_body(known)) for (recipient, key), known in plan.grown.items()
        ]
        connection.execute(SQL["upsert_evidence"], (to_json(grown),))
    if plan.queue:
        queue_rows = [
            (str(recipient), one.urgent, one.due, one.source, one.rule, one.deadline or None)
            for recipient, one in plan.queue.items()
        ]
        connection.execute(SQL["queue_learners"], (to_json(queue_rows),))
    if plan.accepted:
        connection.execute(SQL["add_accepted"], (to_json(dict(plan.accepted)),))
    if plan.positions:
        positions = [
            (*where, at.offset, at.log_id, at.last_record) for where, at in plan.positions.items()
        ]
        connection.execute(SQL["save_positions"], (to_json(positions),))
    if plan.unmatched:
        unmatched = [
            (activity, seen.inputs, seen.sample_id, seen.at)
            for activity, seen in plan.unmatched.items()
        ]
        connection.execute(SQL["add_unmatched"], (to_json(unmatched),))
    if plan.dead:
        connection.executemany(
            SQL["insert_dead_letter"],
            [
                (
                    dead.submission.source,
                    dead.letter.origin,
                    dead.letter.reason,
                    dead.letter.statement_id,
                    int(dead.in_statements),
                    dead.submission.received_at,
                    dead.body_hash,
                    dead.letter.body,
                )
                for dead in plan.dead.values()
            ],
        )


def _ranks_by_key(
    connection: sqlite3.Connection, plan: Plan, read_keys: ReadKeys
) -> dict[int, str]:
    """What is found under each key of a commit."""

    def find(statement_id: str) -> Indexed | None:
        stored = read_statement(connection, statement_id)
        return None if stored is None else read_keys(stored.body, stored.index, stored.source)

    return statement_index.ranks_by_key(plan.statements, find)


def _write_index(
    connection: sqlite3.Connection, plan: Plan, block: int, ranks: dict[int, str]
) -> None:
    """What queries find of a commit: keys, references to other statements, attachments.

    Each row of `statement_keys` goes to a page of its own. So keys wait beside it until there are
    many, and are added in order: a page that many commits would have written is written once.
    """
    waiting = 0
    if ranks:
        text = orjson.dumps(ranks, option=orjson.OPT_NON_STR_KEYS).decode()
        (waiting,) = connection.execute(
            SQL["save_waiting_keys"], (block, len(ranks), text)
        ).fetchone()
    late = statement_index.late_rows(plan.statements, lambda ids: _references(connection, ids))
    if late or waiting > MOST_WAITING:
        index_waiting_keys(connection)
    if late:
        connection.execute(SQL["insert_late_keys"], (to_json(list(late)),))
    refs = [
        (new.item.refers_to, new.item.statement_id, int(new.item.voids))
        for new in plan.statements
        if new.item.refers_to is not None
    ]
    if refs:
        connection.execute(SQL["insert_refs"], (block, to_json(refs)))
    if plan.attachments:
        connection.executemany(
            SQL["save_attachment"],
            [
                (data.sha2, data.content_type, data.content, block)
                for data in plan.attachments.values()
            ],
        )


def index_waiting_keys(connection: sqlite3.Connection) -> None:
    """Add the keys that wait to the index; in the caller's transaction."""
    connection.execute(SQL["index_waiting_keys"])
    connection.execute(SQL["forget_waiting_keys"])


def _references(connection: sqlite3.Connection, ids: Sequence[str]) -> list[Reference]:
    rows = connection.execute(SQL["references_to"], (to_json(list(ids)),))
    return [Reference(*row) for row in rows]


def write_moves(connection: sqlite3.Connection, history: CommitHistory, at: int) -> None:
    """What a commit did to each learner's targets."""
    rows = list(history.rows())
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        values = [value for learner, moved, data in some for value in (learner, at, moved, data)]
        connection.execute(_insert_moves(len(some)), values)


@cache
def _insert_moves(rows: int) -> str:
    """One step for many rows, as ever here; values are bound, for JSON takes twice the time."""
    return f"{SQL['insert_moves']} {', '.join([_ROW] * rows)}"
