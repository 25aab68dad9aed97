"""Players' documents, and those of ours."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

import orjson

from pointsman.store.records import Document, DocumentKey, DocumentResource
from pointsman.store.sqlite.group_commit import GroupCommit
from pointsman.store.sqlite.reader import ReadThread
from pointsman.store.sqlite.rows import SQL

T = TypeVar("T")


def read(connection: sqlite3.Connection, key: DocumentKey) -> Document | None:
    row = connection.execute(SQL["read_document"], _values(key)).fetchone()
    return None if row is None else Document(*row)


def names(connection: sqlite3.Connection, key: DocumentKey, since: int | None) -> list[str]:
    rows = connection.execute(SQL["document_names"], (*_values(key)[:4], since))
    return [name for (name,) in rows]


def change(
    connection: sqlite3.Connection,
    key: DocumentKey,
    decide: Callable[[Document | None], tuple[Document | None, T]],
) -> T:
    old = read(connection, key)
    new, result = decide(old)
    if new is None and old is not None:
        connection.execute(SQL["delete_document"], _values(key))
    elif new is not None and new is not old:
        values = (new.content_type, new.content, new.etag, new.updated_at)
        connection.execute(SQL["save_document"], (*_values(key), *values))
    return result


def delete(connection: sqlite3.Connection, key: DocumentKey) -> None:
    connection.execute(SQL["delete_documents"], _values(key)[:4])


def named(
    connection: sqlite3.Connection, resource: str, wanted: Sequence[str]
) -> dict[str, Document]:
    rows = connection.execute(SQL["named_documents"], (resource, orjson.dumps(wanted).decode()))
    return {name: Document(*rest) for name, *rest in rows}


def forget(connection: sqlite3.Connection, before: int) -> int:
    return connection.execute(SQL["forget_documents"], (before,)).rowcount


def _values(key: DocumentKey) -> tuple[str, str, str, str, str]:
    return key.resource, key.activity, key.agent, key.registration, key.name


class SqliteDocuments(ABC):
    """The documents of a store, which has a reader and a writer."""

    _reader: ReadThread

    @abstractmethod
    def _open_writer(self) -> GroupCommit:
        """Raises `StoreUnavailable`."""

    async def document(self, key: DocumentKey) -> Document | None:
        return await self._reader.run(lambda db: read(db, key))

    async def documents(self, key: DocumentKey, *, since: int | None) -> list[str]:
        return await self._reader.run(lambda db: names(db, key, since))

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T:
        return await self._open_writer().run(lambda db: change(db, key, decide))

    async def delete_documents(self, key: DocumentKey) -> None:
        await self._open_writer().run(lambda db: delete(db, key))

    async def named_documents(
        self, resource: DocumentResource, names: Sequence[str]
    ) -> dict[str, Document]:
        return await self._reader.run(lambda db: named(db, resource, names))

    async def forget_documents(self, *, before: int) -> int:
        return await self._open_writer().run(lambda db: forget(db, before))
