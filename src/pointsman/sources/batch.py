"""Requests over HTTP: who takes them, and that all statements of one are valid. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pointsman.domain.errors import InputRefused
from pointsman.domain.launch import Launch
from pointsman.domain.records import AttachedData
from pointsman.statements import Invalid, Limits, Parsed, StatementsRefused, Valid, parse


@dataclass(frozen=True, slots=True)
class Accepted:
    """The ids of a request's statements; `known` when all of them were here already."""

    ids: list[str]
    known: bool = False


class StatementIntake(Protocol):
    """The intake, or what takes its place for HTTP."""

    async def submit_http(
        self,
        source: str,
        body: bytes,
        *,
        content_type: str = "application/json",
        version: str = "1.0.0",
        put_id: str | None = None,
        launch: Launch | None = None,
    ) -> Accepted: ...

    async def bury(self, source: str, body: bytes, reason: str, origin: str) -> None: ...


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
