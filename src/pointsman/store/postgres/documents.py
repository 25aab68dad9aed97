"""Players' documents, and those of ours: launches, sessions and their tokens.

A NUL in a name is told from nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from pointsman.store.document_quota import DocumentAmounts, OverQuota, grows, over_quota
from pointsman.store.document_records import Document, DocumentKey, DocumentResource
from pointsman.store.postgres.connections import PostgresConnections
from pointsman.store.postgres.pool import count_of
from pointsman.store.postgres.rows import SQL
from pointsman.store.postgres.session import Connection
from pointsman.store.strip_nul import text

T = TypeVar("T")


class PostgresDocuments(PostgresConnections):
    """Documents by their keys."""

    async def document(self, key: DocumentKey) -> Document | None:
        return await self._pool.read(lambda db: _document(db, key))

    async def documents(self, key: DocumentKey, *, since: int | None) -> list[str]:
        values = (*_values(key)[:4], since)
        rows = await self._pool.read(lambda db: db.fetch(SQL["document_names"], *values))
        return [name for (name,) in rows]

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T:
        return cast("T", await self._pool.transaction(lambda db: _change(db, key, decide)))

    async def change_document_within(
        self,
        key: DocumentKey,
        quota: DocumentAmounts,
        decide: Callable[[Document | None], tuple[Document | None, T]],
    ) -> T | OverQuota:
        return await self._pool.transaction(lambda db: _change(db, key, decide, quota))

    async def delete_documents(self, key: DocumentKey) -> None:
        values = _values(key)[:4]
        await self._pool.transaction(lambda db: db.execute(SQL["delete_documents"], *values))

    async def named_documents(
        self, resources: Sequence[DocumentResource], names: Sequence[str]
    ) -> dict[tuple[DocumentResource, str], Document]:
        values = list(resources), [text(name) for name in names]
        rows = await self._pool.read(lambda db: db.fetch(SQL["named_documents"], *values))
        fields = [dict(row) for row in rows]
        return {(row.pop("resource"), row.pop("name")): Document(**row) for row in fields}

    async def prune_documents(self, resources: Sequence[DocumentResource], *, before: int) -> int:
        values = list(resources), before
        return count_of(
            await self._pool.transaction(lambda db: db.execute(SQL["prune_documents"], *values))
        )

    async def prune_ended_states(self, *, before: int, limit: int) -> int:
        values = before, limit
        return count_of(
            await self._pool.transaction(lambda db: db.execute(SQL["prune_ended_states"], *values))
        )


async def _document(connection: Connection, key: DocumentKey) -> Document | None:
    row = await connection.fetchrow(SQL["read_document"], *_values(key))
    return None if row is None else Document(**row)


async def _change(
    connection: Connection,
    key: DocumentKey,
    decide: Callable[[Document | None], tuple[Document | None, T]],
    quota: DocumentAmounts | None = None,
) -> T | OverQuota:
    if quota is not None:
        await connection.execute(SQL["lock_agent"], text(key.agent))
    # A row that is not there yet can't be locked, so its name is.
    await connection.execute(SQL["lock_document"], *_values(key))
    old = await _document(connection, key)
    new, result = decide(old)
    if quota is not None and grows(key, old, new):
        row = await connection.fetchrow(SQL["document_amounts"], text(key.agent), key.registration)
        over = over_quota(quota, DocumentAmounts(**dict(row or {})), key, old, new)
        if over is not None:
            return over
    if new is None and old is not None:
        await connection.execute(SQL["delete_document"], *_values(key))
    elif new is not None and new is not old:
        values = (text(new.content_type), new.content, new.etag, new.updated_at)
        await connection.execute(SQL["save_document"], *_values(key), *values)
    return result


def _values(key: DocumentKey) -> tuple[str, str, str, str, str]:
    return (
        key.resource,
        text(key.activity),
        text(key.agent),
        key.registration,
        text(key.name),
    )
