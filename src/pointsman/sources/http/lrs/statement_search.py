"""Finds statements: candidates from the store's index, judged one by one.

A statement about another one matches where the other does, and a voided statement never does
(xAPI 1.0.3 Part 3 section 2.1.3 and 2.1.4).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import orjson
from pydantic import ValidationError

from pointsman.domain.records import Actor
from pointsman.statements import STATEMENT, VOIDED, Query, Statement, matches, referenced_statement
from pointsman.statements.actor_identity import account_identity, actor_of
from pointsman.store.base import Search, SearchPage, StatementPlace, StatementStore, StoredStatement

T = TypeVar("T")

#: candidates read in one go
_AT_ONCE = 100
#: statements handled in one go, before the loop may do something else: a few milliseconds
_TURN = 10
#: after so many goes a page is answered with what there is, and a `more`
_MOST_PAGES = 25
#: of statements in one page
_MOST_BYTES = 1_000_000
#: how far a chain of statements about statements is followed
_MAX_CHAIN = 10


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page; `after` is where the next one begins, None behind the last."""

    statements: tuple[StoredStatement, ...]
    after: StatementPlace | None


class StatementSearch:
    """`authority_home_page` with a source's name is who vouches for a statement."""

    def __init__(self, store: StatementStore, authority_home_page: str) -> None:
        self._store = store
        self._home_page = authority_home_page

    async def find(
        self,
        query: Query,
        search: Search,
        limit: int,
        may_see: Callable[[StoredStatement], bool] = lambda _stored: True,
    ) -> SearchResult:
        """Up to `limit` statements that match and may be seen, without those that are void."""
        statements: list[StoredStatement] = []
        size = 0
        after: StatementPlace | None = search.after
        for _ in range(_MOST_PAGES):
            page = await self._store.search(search, limit=min(limit + 1, _AT_ONCE))
            async for place, stored in in_turns(await self._without_void(page)):
                if not may_see(stored) or not await self._is_match(query, stored):
                    continue
                if len(statements) == limit or size > _MOST_BYTES:
                    return SearchResult(tuple(statements), after)
                statements.append(stored)
                size += len(stored.body)
                after = place
            if page.after is None:
                return SearchResult(tuple(statements), None)
            search = replace(search, after=page.after)
            if len(statements) < limit:
                after = page.after
        return SearchResult(tuple(statements), after)

    async def is_void(self, stored: StoredStatement) -> bool:
        return bool(await self._store.voided([stored.statement_id])) and not _is_voiding(stored)

    async def _without_void(self, page: SearchPage) -> list[tuple[StatementPlace, StoredStatement]]:
        voided = await self._store.voided([stored.statement_id for _, stored in page.found])
        # what voids another can't be void itself (section 2.3.2)
        return [
            (place, stored)
            for place, stored in page.found
            if stored.statement_id not in voided or _is_voiding(stored)
        ]

    async def _is_match(self, query: Query, stored: StoredStatement | None) -> bool:
        if query == Query():
            return True
        for _ in range(_MAX_CHAIN):
            statement = _parsed(stored) if stored is not None else None
            if stored is None or statement is None:
                return False
            if matches(query, statement, account_identity(self._home_page, stored.source)):
                return True
            target = referenced_statement(statement)
            stored = None if target is None else await self._store.statement(target)
        return False


async def in_turns(rows: Iterable[T]) -> AsyncIterator[T]:
    """Each of them; after every few it is somebody else's turn."""
    for number, row in enumerate(rows, start=1):
        yield row
        if number % _TURN == 0:
            await asyncio.sleep(0)


def body_of(stored: StoredStatement) -> dict[str, Any]:
    body = orjson.loads(stored.body)
    statement: dict[str, Any] = body if stored.index is None else body[stored.index]
    return statement


def actor_in(stored: StoredStatement) -> Actor | None:
    """Who it is about; None for a group, and where it is valid no longer."""
    statement = _parsed(stored)
    return None if statement is None else actor_of(statement.actor)


def _parsed(stored: StoredStatement) -> Statement | None:
    try:
        return STATEMENT.validate_python(body_of(stored))
    except ValidationError:  # it was valid to the version that stored it
        return None


def _is_voiding(stored: StoredStatement) -> bool:
    return bool(body_of(stored)["verb"]["id"] == VOIDED)
