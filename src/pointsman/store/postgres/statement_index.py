"""What a commit adds for queries: keys, references to other statements, attachments."""

from __future__ import annotations

from collections.abc import Sequence

from pointsman.store import statement_index
from pointsman.store.plan import Plan
from pointsman.store.postgres import reads
from pointsman.store.postgres.pool import Connection
from pointsman.store.postgres.rows import SQL, columns
from pointsman.store.statement_index import Indexed, ReadKeys, Reference
from pointsman.store.strip_nul import text


async def rows(connection: Connection, plan: Plan, read_keys: ReadKeys) -> dict[int, str]:
    """Ranks by key."""
    known: dict[str, Indexed | None] = {}
    wanted = {new.item.refers_to for new in plan.statements if new.item.refers_to is not None}
    for _ in range(statement_index.MAX_CHAIN):
        missing = [one for one in wanted if one not in known]
        if not missing:
            break
        for name in missing:
            kept = await reads.statement(connection, name)
            known[name] = None if kept is None else read_keys(kept.body, kept.index, kept.source)
        wanted = {one.refers_to for one in known.values() if one and one.refers_to}
    return statement_index.rows(plan.statements, known.get)


async def write(connection: Connection, plan: Plan, block: int, keys: dict[int, str]) -> None:
    await connection.execute(SQL["insert_keys"], block, *columns(keys.items(), 2))
    await _write_late(connection, plan)
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


async def _write_late(connection: Connection, plan: Plan) -> None:
    """Statements that are about these and came before them are found under their keys too."""
    about: dict[str, list[Reference]] = {}
    wanted = [new.item.statement_id for new in plan.statements]
    for _ in range(statement_index.MAX_CHAIN):
        found = [Reference(*row) for row in await connection.fetch(SQL["references_to"], wanted)]
        if not found:
            break
        for one in found:
            about.setdefault(one.target, []).append(one)
        wanted = [one.statement_id for one in found if one.statement_id not in about]

    def waiting(ids: Sequence[str]) -> list[Reference]:
        return [one for name in ids for one in about.get(name, ())]

    if about and (late := sorted(statement_index.late_rows(plan.statements, waiting))):
        await connection.execute(SQL["insert_late_keys"], *columns(late, 2))
