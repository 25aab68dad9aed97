"""What a commit adds for queries: keys, references to other statements, attachments.

A row of `statement_keys` goes to a page of its own, so keys wait beside it until there are many,
and are then added in order: of a page that many commits would have written, one write is left.
Queries look at both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson

from pointsman.store import statement_index
from pointsman.store.commit_plan import Plan
from pointsman.store.sqlite.rows import SQL, read_statement, to_json
from pointsman.store.statement_index import Indexed, ReadKeys, Reference

#: keys that wait at most: a query that has to look at all of them takes 1 or 2 ms longer
MOST_WAITING = 4_096


def ranks_by_key(connection: sqlite3.Connection, plan: Plan, read_keys: ReadKeys) -> dict[int, str]:
    """What is found under each key of a commit."""

    def find(statement_id: str) -> Indexed | None:
        stored = read_statement(connection, statement_id)
        return None if stored is None else read_keys(stored.body, stored.index, stored.source)

    return statement_index.ranks_by_key(plan.statements, find)


def write(connection: sqlite3.Connection, plan: Plan, block: int, ranks: dict[int, str]) -> None:
    """What queries find of a commit; `ranks` of `ranks_by_key`."""
    waiting = 0
    if ranks:
        text = orjson.dumps(ranks, option=orjson.OPT_NON_STR_KEYS).decode()
        (waiting,) = connection.execute(
            SQL["save_waiting_keys"], (block, len(ranks), text)
        ).fetchone()
    late = statement_index.late_rows(plan.statements, lambda ids: _references(connection, ids))
    if late or waiting > MOST_WAITING:
        add_waiting(connection)
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


def add_waiting(connection: sqlite3.Connection) -> None:
    """Add the keys that wait to the index; in the caller's transaction."""
    connection.execute(SQL["index_waiting_keys"])
    connection.execute(SQL["forget_waiting_keys"])


def _references(connection: sqlite3.Connection, ids: Sequence[str]) -> list[Reference]:
    rows = connection.execute(SQL["references_to"], (to_json(list(ids)),))
    return [Reference(*row) for row in rows]
