"""Players' documents, and those of ours. A NUL in a name is told from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pointsman.store.postgres.pool import Connection, Pool
from pointsman.store.postgres.rows import SQL
from pointsman.store.records import Document, DocumentKey, DocumentResource
from pointsman.store.strip_nul import text

T = TypeVar("T")


async def read(connection: Connection, key: DocumentKey) -> Document | None:
    row = await connection.fetchrow(SQL["read_document"], *_values(key))
    return None if row is None else Document(*row)


async def names(connection: Connection, key: DocumentKey, since: int | None) -> list[str]:
    rows = await connection.fetch(SQL["document_names"], *_values(key)[:4], since)
    return [name for (name,) in rows]


async def change(
    connection: Connection,
    key: DocumentKey,
    decide: Callable[[Document | None], tuple[Document | None, T]],
) -> T:
    # A row that is not there yet can't be locked, so its name is.
    await connection.execute(SQL["lock_document"], *_values(key))
    old = await read(connection, key)
    new, result = decide(old)
    if new is None and old is not None:
        await connection.execute(SQL["delete_document"], *_values(key))
    elif new is not None and new is not old:
        values = (text(new.content_type), new.content, new.etag, new.updated_at)
        await connection.execute(SQL["save_document"], *_values(key), *values)
    return result


async def delete(connection: Connection, key: DocumentKey) -> None:
    await connection.execute(SQL["delete_documents"], *_values(key)[:4])


async def named(
    connection: Connection, resource: str, wanted: Sequence[str]
) -> dict[str, Document]:
    names = [text(one) for one in wanted]
    rows = await connection.fetch(SQL["named_documents"], resource, names)
    return {name: Document(*rest) for name, *rest in rows}


async def forget(connection: Connection, before: int) -> int:
    done = await connection.execute(SQL["forget_documents"], before)
    return int(done.rpartition(" ")[2])


def _values(key: DocumentKey) -> tuple[str, str, str, str, str]:
    return (
        key.resource,
        text(key.activity),
        text(key.agent),
        key.registration,
        text(key.name),
    )


class PostgresDocuments:
    """The documents of a store, which has a pool."""

    _pool: Pool

    async def document(self, key: DocumentKey) -> Document | None:
        return await self._pool.read(lambda db: read(db, key))

    async def documents(self, key: DocumentKey, *, since: int | None) -> list[str]:
        return await self._pool.read(lambda db: names(db, key, since))

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T:
        return await self._pool.transaction(lambda db: change(db, key, decide))

    async def delete_documents(self, key: DocumentKey) -> None:
        await self._pool.transaction(lambda db: delete(db, key))

    async def named_documents(
        self, resource: DocumentResource, names: Sequence[str]
    ) -> dict[str, Document]:
        return await self._pool.read(lambda db: named(db, resource, names))

    async def forget_documents(self, *, before: int) -> int:
        return await self._pool.transaction(lambda db: forget(db, before))
