"""Rewrites the statements of one commit, some of them erased or replaced. Pure.

The order of those that stay is kept; their ranks in it, by which the index finds them, change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import orjson
import zstandard

#: a statement as JSON: the very same stays, None goes
DecideStatement = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class PlacedStatement:
    """A statement's place in the bodies of its commit."""

    statement_id: str
    outcome: str
    start: int
    length: int
    #: its place in its body, where that is an array
    index: int | None


@dataclass(slots=True)
class RewrittenBlock:
    """What is to be written."""

    bodies: bytes = b""
    #: those that stay, in order, with their new places
    statements: list[PlacedStatement] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    replaced: int = 0
    #: of those that were erased
    outcomes: Counter[str] = field(default_factory=Counter)
    #: new ranks by old ones
    ranks: dict[int, int] = field(default_factory=dict)
    is_changed: bool = False


def bodies_of(block: Mapping[str, Any]) -> bytes:
    """The bodies of a row of `blocks`, one after the other."""
    return zstandard.ZstdDecompressor().decompress(block["data"])


def rewrite(
    bodies: bytes, statements: Sequence[PlacedStatement], decide: DecideStatement
) -> RewrittenBlock:
    """`statements` are all of the commit, by place."""
    block = RewrittenBlock()
    parts: list[bytes] = []
    size = rank = 0
    for (start, length), group in groupby(statements, lambda new: (new.start, new.length)):
        here = list(group)
        body = bodies[start : start + length]
        new_body, gone = _rewrite_body(body, here, decide, block)
        staying = [statement for statement in here if statement.statement_id not in gone]
        for statement in here:
            if statement.statement_id in gone:
                block.erased.append(statement.statement_id)
                block.outcomes[statement.outcome] += 1
            else:
                block.ranks[rank] = len(block.statements)
                block.statements.append(
                    PlacedStatement(
                        statement.statement_id,
                        statement.outcome,
                        size,
                        len(new_body),
                        statement.index,
                    )
                )
            rank += 1
        if staying:
            parts.append(new_body)
            size += len(new_body)
    block.bodies = b"".join(parts)
    return block


def _rewrite_body(
    body: bytes,
    statements: Sequence[PlacedStatement],
    decide: DecideStatement,
    block: RewrittenBlock,
) -> tuple[bytes, set[str]]:
    """The new body, and the ids of those that go. Items of an array keep their places."""
    content = orjson.loads(body)
    if not isinstance(content, list):
        new = decide(content)
        if new is content:
            return body, set()
        block.is_changed = True
        if new is None:
            return b"", {statement.statement_id for statement in statements}
        block.replaced += len(statements)
        return orjson.dumps(new), set()
    ids = {statement.index: statement.statement_id for statement in statements}
    gone: set[str] = set()
    changed = False
    for index, item in enumerate(content):
        new = decide(item) if item is not None else item
        if new is item:
            continue
        changed = True
        content[index] = new
        # an item that was known before has no place of its own, and its bytes are here
        if index in ids:
            if new is None:
                gone.add(ids[index])
            else:
                block.replaced += 1
    if not changed:
        return body, gone
    block.is_changed = True
    return orjson.dumps(content), gone


def new_ranks(
    ranks_by_key: Iterable[tuple[int, str]], ranks: Mapping[int, int], erased: frozenset[int]
) -> dict[int, str | None]:
    """New ranks by key, None for a key that has nothing left here. No ranks mean "any of them"."""
    result: dict[int, str | None] = {}
    for key, text in ranks_by_key:
        if key in erased or not ranks:
            result[key] = None
        elif text:
            staying = [ranks[old] for old in map(int, text.split(",")) if old in ranks]
            result[key] = ",".join(map(str, staying)) if staying else None
        else:
            result[key] = text
    return result
