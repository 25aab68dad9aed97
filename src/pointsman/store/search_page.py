"""Builds one page of a search: which commits, which of their statements, and where to stop. Pure.

A store reads rows (commit, when stored, ranks for each key) and, for those that are wanted, the
commit's statements in the order they were stored in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import zstandard

from pointsman.store.statement_records import Search, SearchPage, StatementPlace, StoredStatement

#: commits looked at for one page, and bytes of bodies in it
_MOST_COMMITS = 4_000
_MOST_BYTES = 4_000_000
#: commits asked for at once: few for the usual page, more for a long way
_FIRST_CHUNK, _MOST_CHUNK = 64, 1_024
#: keys that one search is led by
MAX_KEYS = 4
#: a rank behind all others
_LAST = 2**31 - 1
#: no commit has this number
NO_LIMIT = 2**62


@dataclass(frozen=True, slots=True)
class CommitRow:
    """A commit that has the first key; `ranks` has a text for each key, None where it has not.

    `stored_at` is None for a commit that is forgotten already.
    """

    commit: int
    stored_at: int | None
    ranks: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A statement of a commit; `start` and `length` in its bytes."""

    statement_id: str
    start: int
    length: int
    index: int | None
    received_at: int
    source: str
    version: str


class SearchPageBuilder:
    """One page of a search."""

    def __init__(self, search: Search, limit: int) -> None:
        self._search = search
        self._limit = limit
        self._found: list[tuple[StatementPlace, StoredStatement]] = []
        self._bytes = 0
        self._looked = 0
        self._at = search.after

    @property
    def keys(self) -> tuple[int | None, ...]:
        """As many as a query has parameters for."""
        keys = self._search.keys
        return (*keys, *([None] * (MAX_KEYS - len(keys))))

    @property
    def chunk(self) -> int:
        """Commits to read next."""
        return min(max(_FIRST_CHUNK, self._looked), _MOST_CHUNK)

    def bounds(self, first: int, last: int) -> tuple[int, int]:
        """Which commits to read next, of those from `first` to `last`."""
        if self._at is not None:
            if self._search.ascending:
                first = max(first, self._at.commit)
            else:
                last = min(last, self._at.commit)
        return first, last

    def ranks(self, row: CommitRow) -> set[int] | None:
        """Ranks to take of a commit, None for all; empty where it has nothing for us."""
        search = self._search
        if (
            row.stored_at is None
            or (search.since is not None and row.stored_at <= search.since)
            or (search.until is not None and row.stored_at > search.until)
        ):
            return set()
        wanted: set[int] | None = None
        for text in row.ranks[: len(search.keys)]:
            if text is None:
                return set()
            if text:
                ranks = set(map(int, text.split(",")))
                wanted = ranks if wanted is None else wanted & ranks
        return wanted

    def take(
        self, row: CommitRow, ranks: set[int] | None, rows: Sequence[StatementRow], block: bytes
    ) -> bool:
        """A commit's statements; whether the page is full."""
        bodies = zstandard.ZstdDecompressor().decompress(block)
        batches: dict[int, Any] = {}
        order = range(len(rows)) if self._search.ascending else range(len(rows) - 1, -1, -1)
        for rank in order:
            place = StatementPlace(row.commit, rank)
            if (ranks is not None and rank not in ranks) or self._is_behind(place):
                continue
            statement = rows[rank]
            body = bodies[statement.start : statement.start + statement.length]
            if statement.index is not None:  # of a batch, which may be long, this one only
                if statement.start not in batches:
                    batches[statement.start] = orjson.loads(body)
                body = orjson.dumps(batches[statement.start][statement.index])
            stored = StoredStatement(
                statement.statement_id,
                body,
                None,
                row.stored_at or 0,
                statement.source,
                statement.received_at,
                statement.version,
            )
            self._found.append((place, stored))
            self._at = place
            self._bytes += len(body)
            if len(self._found) >= self._limit or self._bytes > _MOST_BYTES:
                return True
        return False

    def _is_behind(self, place: StatementPlace) -> bool:
        """Whether it was looked at already, for an earlier page or for this one.

        A store reads on from the commit where it stopped, that one included.
        """
        at = self._at
        if at is None or place.commit != at.commit:
            return False
        return place.rank <= at.rank if self._search.ascending else place.rank >= at.rank

    def passed(self, row: CommitRow) -> bool:
        """A commit is done with; whether it is time to answer."""
        self._looked += 1
        self._at = StatementPlace(row.commit, _LAST if self._search.ascending else 0)
        return self._looked >= _MOST_COMMITS

    def page(self, *, more: bool) -> SearchPage:
        return SearchPage(tuple(self._found), self._at if more else None)
