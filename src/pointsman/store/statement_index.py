"""Makes the rows of the index that queries use, for the statements of a commit. Pure.

One row for each key and commit, with the ranks of the statements that have it; no ranks means
"any of them". A statement about another one is found under the other's keys too (xAPI Part 3
section 2.1.3), for a query that matches the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from pointsman.domain.frozen import record
from pointsman.store.commit_plan import NewStatement

#: how far a chain of statements about statements is followed
MAX_CHAIN = 10


@record
class Indexed:
    """A statement as the index sees it."""

    keys: tuple[int, ...]
    refers_to: str | None


@record
class Reference:
    """A stored statement that is about another: `commit` and `statement_id` are its own."""

    target: str
    commit: int
    statement_id: str


#: a body, its place in an array, who sent it
ReadKeys = Callable[[bytes, int | None, str], Indexed]


def no_keys(_body: bytes, _index: int | None, _source: str) -> Indexed:
    """For stores whose statements nobody searches."""
    return Indexed((), None)


def ranks_by_key(
    statements: Sequence[NewStatement], find: Callable[[str], Indexed | None]
) -> dict[int, str]:
    """Ranks by key, as text; `find` knows the statements that were stored before."""
    here: dict[str, Indexed] = {}
    if any(new.item.refers_to is not None for new in statements):
        here = {
            new.item.statement_id: Indexed(new.item.keys, new.item.refers_to) for new in statements
        }
    ranks: defaultdict[int, list[str]] = defaultdict(list)
    for rank, new in enumerate(statements):
        item, text = new.item, str(rank)
        keys: Iterable[int] = item.keys
        if item.refers_to is not None:
            inherited = _chain(
                item.refers_to,
                lambda statement_id: here.get(statement_id) or find(statement_id),
            )
            keys = dict.fromkeys((*keys, *inherited))
        for key in keys:
            ranks[key].append(text)
    return {key: ",".join(of_key) for key, of_key in ranks.items()}


def _chain(target: str | None, find: Callable[[str], Indexed | None]) -> list[int]:
    keys: list[int] = []
    for _ in range(MAX_CHAIN):
        indexed = find(target) if target is not None else None
        if indexed is None:
            break
        keys += indexed.keys
        target = indexed.refers_to
    return keys


def late_rows(
    statements: Sequence[NewStatement], waiting: Callable[[Sequence[str]], Sequence[Reference]]
) -> set[tuple[int, int]]:
    """(key, commit) for statements that are about these and came before them.

    `waiting` says which stored statements are about any of some ids.
    """
    rows: set[tuple[int, int]] = set()
    keys: Mapping[str, tuple[int, ...]] = {
        new.item.statement_id: new.item.keys for new in statements
    }
    for _ in range(MAX_CHAIN):
        about: dict[str, tuple[int, ...]] = {}
        for reference in waiting(list(keys)):
            rows.update((key, reference.commit) for key in keys[reference.target])
            about[reference.statement_id] = (
                *about.get(reference.statement_id, ()),
                *keys[reference.target],
            )
        if not about:
            break
        keys = about
    return rows
