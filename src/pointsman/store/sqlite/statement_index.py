"""What a commit adds for queries: keys, references to other statements, attachments."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Sequence

import orjson

from pointsman.store import statement_index
from pointsman.store.plan import Plan
from pointsman.store.sqlite import reads
from pointsman.store.sqlite.rows import SQL
from pointsman.store.statement_index import Indexed, ReadKeys, Reference


def rows(connection: sqlite3.Connection, plan: Plan, read_keys: ReadKeys) -> dict[int, str]:
    """Ranks by key."""

    def find(statement_id: str) -> Indexed | None:
        kept = reads.statement(connection, statement_id)
        return None if kept is None else read_keys(kept.body, kept.index, kept.source)

    return statement_index.rows(plan.statements, find)


def pack(keys: Sequence[int]) -> bytes:
    return array("q", keys).tobytes()


def unpack(kept: bytes) -> list[int]:
    found = array("q")
    found.frombytes(kept)
    return found.tolist()


def write(connection: sqlite3.Connection, plan: Plan, block: int, keys: dict[int, str]) -> None:
    connection.execute(SQL["insert_keys"], (block, _json(list(keys.items()))))
    late = statement_index.late_rows(plan.statements, lambda ids: _references(connection, ids))
    if late:
        connection.execute(SQL["insert_late_keys"], (_json(list(late)),))
    refs = [
        (new.item.refers_to, new.item.statement_id, int(new.item.voids))
        for new in plan.statements
        if new.item.refers_to is not None
    ]
    if refs:
        connection.execute(SQL["insert_refs"], (block, _json(refs)))
    if plan.attachments:
        connection.executemany(
            SQL["save_attachment"],
            [(one.sha2, one.content_type, one.content, block) for one in plan.attachments.values()],
        )


def forget(connection: sqlite3.Connection, blocks: str) -> None:
    """What queries find of these blocks; before the blocks go. `blocks` is a JSON array."""
    for block, keys in connection.execute(SQL["keys_of_blocks"], (blocks,)).fetchall():
        connection.execute(SQL["prune_keys"], (_json(unpack(keys)), block))
    connection.execute(SQL["prune_refs"], (blocks,))
    connection.execute(SQL["prune_attachments"], (blocks,))


def _references(connection: sqlite3.Connection, ids: Sequence[str]) -> list[Reference]:
    rows = connection.execute(SQL["references_to"], (_json(list(ids)),))
    return [Reference(*row) for row in rows]


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
