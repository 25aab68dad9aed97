"""What a commit adds for queries: keys, references to other statements, attachments."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Sequence

import zstandard

from pointsman.store import statement_index
from pointsman.store.plan import Plan
from pointsman.store.sqlite.rows import SQL, fetch_one, to_json
from pointsman.store.statement_index import Indexed, ReadKeys, Reference
from pointsman.store.statement_records import StoredStatement, stored_statement


def read_statement(connection: sqlite3.Connection, statement_id: str) -> StoredStatement | None:
    row = fetch_one(connection, "read_statement", statement_id)
    if row is None:
        return None
    return stored_statement(row, zstandard.ZstdDecompressor().decompress(row["block"]))


def ranks_by_key(connection: sqlite3.Connection, plan: Plan, read_keys: ReadKeys) -> dict[int, str]:
    """What is found under each key of a commit."""

    def find(statement_id: str) -> Indexed | None:
        stored = read_statement(connection, statement_id)
        return None if stored is None else read_keys(stored.body, stored.index, stored.source)

    return statement_index.ranks_by_key(plan.statements, find)


def pack(keys: Sequence[int]) -> bytes:
    """Keys as a column of 64-bit integers."""
    return array("q", keys).tobytes()


def unpack(packed: bytes) -> list[int]:
    """What `pack` made."""
    keys = array("q")
    keys.frombytes(packed)
    return keys.tolist()


def write(connection: sqlite3.Connection, plan: Plan, block: int, ranks: dict[int, str]) -> None:
    connection.execute(SQL["insert_keys"], (block, to_json(list(ranks.items()))))
    late = statement_index.late_rows(plan.statements, lambda ids: _references(connection, ids))
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
            [(one.sha2, one.content_type, one.content, block) for one in plan.attachments.values()],
        )


def prune(connection: sqlite3.Connection, blocks: str) -> None:
    """Forget what queries find of these blocks; before the blocks go. `blocks` is a JSON array."""
    for block, keys in connection.execute(SQL["keys_of_blocks"], (blocks,)).fetchall():
        connection.execute(SQL["prune_keys"], (to_json(unpack(keys)), block))
    connection.execute(SQL["prune_refs"], (blocks,))
    connection.execute(SQL["prune_attachments"], (blocks,))


def _references(connection: sqlite3.Connection, ids: Sequence[str]) -> list[Reference]:
    rows = connection.execute(SQL["references_to"], (to_json(list(ids)),))
    return [Reference(*row) for row in rows]
