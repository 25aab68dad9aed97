"""What a commit adds for queries: keys, references to other statements, attachments."""

from __future__ import annotations

from collections.abc import Sequence

import zstandard

from pointsman.store import statement_index
from pointsman.store.commit_plan import Plan
from pointsman.store.postgres.rows import SQL, columns
from pointsman.store.postgres.session import Connection
from pointsman.store.statement_index import Indexed, ReadKeys, Reference
from pointsman.store.statement_records import StoredStatement, stored_statement
from pointsman.store.strip_nul import text


async def read_statement(connection: Connection, statement_id: str) -> StoredStatement | None:
    row = await connection.fetchrow(SQL["read_statement"], statement_id)
    if row is None:
        return None
    return stored_statement(row, zstandard.ZstdDecompressor().decompress(row["block"]))


async def ranks_by_key(connection: Connection, plan: Plan, read_keys: ReadKeys) -> dict[int, str]:
    """What is found under each key of a commit."""
    known: dict[str, Indexed | None] = {}
    wanted = {new.item.refers_to for new in plan.statements if new.item.refers_to is not None}
    for _ in range(statement_index.MAX_CHAIN):
        missing = [one for one in wanted if one not in known]
        if not missing:
            break
        for name in missing:
            stored = await read_statement(connection, name)
            known[name] = (
                None if stored is None else read_keys(stored.body, stored.index, stored.source)
            )
        wanted = {one.refers_to for one in known.values() if one and one.refers_to}
    return statement_index.ranks_by_key(plan.statements, known.get)


async def write(connection: Connection, plan: Plan, block: int) -> None:
    """What is there beside the keys."""
    refs = [
        (new.item.refers_to, new.item.statement_id, new.item.voids)
        for new in plan.statements
        if new.item.refers_to is not None
    ]
    if refs:
        await connection.execute(SQL["insert_refs"], block, *columns(refs, 3))
    if plan.attachments:
        attached = sorted(
            (one.sha2, text(one.content_type), one.content) for one in plan.attachments.values()
        )
        await connection.execute(SQL["save_attachments"], block, *columns(attached, 3))


async def write_late(connection: Connection, plan: Plan) -> None:
    """Statements that are about these and came before them are found under their keys too."""
    about: dict[str, list[Reference]] = {}
    wanted = [new.item.statement_id for new in plan.statements]
    for _ in range(statement_index.MAX_CHAIN):
        rows = await connection.fetch(SQL["references_to"], wanted)
        references = [Reference(*row) for row in rows]
        if not references:
            break
        for one in references:
            about.setdefault(one.target, []).append(one)
        wanted = [one.statement_id for one in references if one.statement_id not in about]

    def waiting(ids: Sequence[str]) -> list[Reference]:
        return [one for name in ids for one in about.get(name, ())]

    if about and (late := sorted(statement_index.late_rows(plan.statements, waiting))):
        await connection.execute(SQL["insert_late_keys"], *columns(late, 2))
