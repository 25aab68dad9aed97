"""Decides which statements of a submission are new, known, or in conflict with one of the same id.

Pure. xAPI Part 2 section 2.3.1: the same id with the same content is a duplicate, with other
content it is a conflict, which is never applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from pointsman.domain.records import DeadLetter, Item, Submission
from pointsman.domain.statement_digest import is_same, is_same_as_written


def sort_by_id(submission: Submission, known: Mapping[str, int]) -> tuple[list[Item], list[Item]]:
    """The items that are new, and those whose id has other content; the rest are duplicates.

    `known` has the digest of each statement id that the store holds already.
    """
    new: dict[str, Item] = {}
    conflicts: list[Item] = []
    statements: Any = None
    for item in submission.items:
        twin = new.get(item.statement_id)
        digest = twin.digest if twin else known.get(item.statement_id)
        if digest is None:
            new[item.statement_id] = item
        elif not is_same(digest, item.digest):
            # an earlier version may have stored it, with a digest of another kind
            if item.body is not None:
                statement = orjson.loads(item.body)
            else:
                statements = orjson.loads(submission.body) if statements is None else statements
                statement = statements if item.index is None else statements[item.index]
            if not is_same_as_written(digest, statement):
                conflicts.append(item)
    return list(new.values()), conflicts


def former_names(submissions: Iterable[Submission]) -> list[tuple[str, str, str]]:
    """(id, the id that an earlier version gave it, source) of statements that were made here.

    What that version stored of the same source is the same statement.
    """
    return [
        (item.statement_id, item.former_id, submission.source)
        for submission in submissions
        for item in submission.items
        if item.former_id is not None
    ]


def conflict_letter(submission: Submission, item: Item) -> DeadLetter:
    """For sources that can't be told: the statement whose id is known with other content."""
    reason = f"statement {item.statement_id} is already stored with different content"
    return letter_about(submission, item, reason)


def letter_about(submission: Submission, item: Item, reason: str) -> DeadLetter:
    """One statement of a submission as a dead letter."""
    where = ""
    if (at := submission.position) is not None:
        offset = at.offset - 1 if item.offset is None else item.offset
        where = f"topic {at.topic}, partition {at.partition}, offset {offset}, "
    return DeadLetter(
        reason=reason,
        origin=f"{where}statement {item.statement_id}",
        body=body_of(submission, item),
        statement_id=item.statement_id,
    )


def body_of(submission: Submission, item: Item) -> bytes:
    """One statement of a submission, by itself."""
    return item_body(submission.body, item.index) if item.body is None else item.body


def item_body(body: bytes, index: int | None) -> bytes:
    """One statement of a body, by itself; the body where it is not an array."""
    return body if index is None else orjson.dumps(orjson.loads(body)[index])
