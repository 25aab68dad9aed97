"""Stores documents: those of players, and our launches, sessions and their tokens."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from pointsman.store.document_quota import DocumentAmounts, OverQuota, grows, over_quota
from pointsman.store.document_records import Document, DocumentKey, DocumentResource
from pointsman.store.sqlite.connections import SqliteConnections
from pointsman.store.sqlite.rows import SQL, fetch, fetch_one, to_json

T = TypeVar("T")


class SqliteDocuments(SqliteConnections):
    """Documents by their keys."""

    async def document(self, key: DocumentKey) -> Document | None:
        return await self._read(lambda db: _document(db, key))

    async def documents(self, key: DocumentKey, *, since: int | None) -> list[str]:
        def read(connection: sqlite3.Connection) -> list[str]:
            rows = connection.execute(SQL["document_names"], (*_values(key)[:4], since))
            return [name for (name,) in rows]

        return await self._read(read)

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T:
        return await self._write(lambda db: cast("T", _change(db, key, decide)))

    async def change_document_within(
        self,
        key: DocumentKey,
        quota: DocumentAmounts,
        decide: Callable[[Document | None], tuple[Document | None, T]],
    ) -> T | OverQuota:
        return await self._write(lambda db: _change(db, key, decide, quota))

    async def delete_documents(self, key: DocumentKey) -> None:
        values = _values(key)[:4]
        await self._write(lambda db: db.execute(SQL["delete_documents"], values) and None)

    async def named_documents(
        self, resources: Sequence[DocumentResource], names: Sequence[str]
    ) -> dict[tuple[DocumentResource, str], Document]:
        def read(
            connection: sqlite3.Connection,
        ) -> dict[tuple[DocumentResource, str], Document]:
            rows = fetch(connection, "named_documents", to_json(resources), to_json(names))
            return {(row.pop("resource"), row.pop("name")): Document(**row) for row in rows}

        return await self._read(read)

    async def prune_documents(self, resources: Sequence[DocumentResource], *, before: int) -> int:
        values = (to_json(resources), before)
        return await self._write(lambda db: db.execute(SQL["prune_documents"], values).rowcount)

    async def prune_ended_states(self, *, before: int, limit: int) -> int:
        values = (before, limit)
        return await self._write(lambda db: db.execute(SQL["prune_ended_states"], values).rowcount)


def _document(connection: sqlite3.Connection, key: DocumentKey) -> Document | None:
    row = fetch_one(connection, "read_document", *_values(key))
    return None if row is None else Document(**row)


def _change(
    connection: sqlite3.Connection,
    key: DocumentKey,
    decide: Callable[[Document | None], tuple[Document | None, T]],
    quota: DocumentAmounts | None = None,
) -> T | OverQuota:
    old = _document(connection, key)
    new, result = decide(old)
    if quota is not None and grows(key, old, new):
        row = fetch_one(connection, "document_amounts", key.agent, key.registration)
        over = over_quota(quota, DocumentAmounts(**(row or {})), key, old, new)
        if over is not None:
            return over
    if new is None and old is not None:
        connection.execute(SQL["delete_document"], _values(key))
    elif new is not None and new is not old:
        values = (new.content_type, new.content, new.etag, new.updated_at)
        connection.execute(SQL["save_document"], (*_values(key), *values))
    return result


def _values(key: DocumentKey) -> tuple[str, str, str, str, str]:
    return key.resource, key.activity, key.agent, key.registration, key.name
