"""What a request over HTTP has to be: all statements valid, and a PUT's the one it names. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pointsman.errors import InputRefused
from pointsman.model import AttachedData
from pointsman.statements import Invalid, Limits, Parsed, StatementsRefused, Valid, parse


def valid_items(
    body: bytes,
    data: Mapping[str, AttachedData],
    limits: Limits,
    new_id: Callable[[], str],
    put_id: str | None = None,
) -> list[Valid]:
    """A request's statements. Raises `StatementsRefused` and `InputRefused`."""
    parsed = parse(body, limits, new_id=new_id, data=data)
    if put_id is not None:
        _check_put(parsed, put_id)
    problems = tuple(
        problem for item in parsed.items if isinstance(item, Invalid) for problem in item.problems
    )
    if problems:
        raise StatementsRefused(problems)
    return [item for item in parsed.items if isinstance(item, Valid)]


def _check_put(parsed: Parsed, put_id: str) -> None:
    if parsed.is_array:
        raise InputRefused("PUT takes one statement, not an array (xAPI Part 3 section 2.1.1)")
    (item,) = parsed.items
    if isinstance(item, Valid) and item.statement_id != put_id:
        raise InputRefused(
            f"the body's id {item.statement_id} is not the statementId {put_id} of the request"
        )
