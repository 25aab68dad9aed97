"""Bytes -> valid statements. Each body is parsed once, each statement validated once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import ValidationError

from pointsman.domain.errors import InputRefused
from pointsman.domain.records import AttachedData
from pointsman.statements import signed_statements
from pointsman.statements.duplicate_keys import repeated_key
from pointsman.statements.equality import digest
from pointsman.statements.statement import STATEMENT, Statement, attached, check
from pointsman.statements.validation import Problem, explain


@dataclass(frozen=True, slots=True)
class Limits:
    """What a body may hold: statements, and nested objects and arrays."""

    max_statements: int = 1000
    max_depth: int = 64


@dataclass(frozen=True, slots=True)
class Valid:
    """A statement that keeps every rule. `statement_id` is in lower case, assigned if need be."""

    index: int | None
    statement_id: str
    digest: int
    statement: Statement


@dataclass(frozen=True, slots=True)
class Invalid:
    """A statement that does not."""

    index: int | None
    statement_id: str | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A body's statements, in order."""

    items: tuple[Valid | Invalid, ...]
    is_array: bool


@dataclass(slots=True)
class _Reading:
    """What goes for every statement of a body."""

    limits: Limits
    shallow: bool
    new_id: Callable[[], str]
    data: Mapping[str, AttachedData] | None
    used: set[str] = field(default_factory=set)


def parse(
    body: bytes,
    limits: Limits,
    *,
    new_id: Callable[[], str],
    data: Mapping[str, AttachedData] | None = None,
) -> Parsed:
    """Read one statement, or an array of them.

    `data` is what came beside them, by SHA-2; None where attachments travel elsewhere, and are
    not looked at.

    Raises `InputRefused` when the body as a whole is of no use: no JSON in UTF-8, neither object
    nor array, more statements than `limits` allows, data that none of them has attached, or a
    property that stands twice in one object.
    `new_id` is asked for statements without.
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputRefused(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    # A body with fewer brackets than the limit can't be nested deeper.
    shallow = body.count(b"{") + body.count(b"[") <= limits.max_depth
    reading = _Reading(limits, shallow, new_id, data)
    if isinstance(found, dict):
        items = [_statement(found, None, reading)]
    else:
        items = _array(found, reading)
    if unused := sorted(set(data or ()) - reading.used):
        raise InputRefused(
            f"{len(unused)} of the parts are attached to no statement: {', '.join(unused[:3])}"
        )
    if (key := repeated_key(body, found)) is not None:
        raise InputRefused(f"the property {key[:80]!r} stands twice in one object; which is meant?")
    return Parsed(tuple(items), is_array=not isinstance(found, dict))


def _array(found: Any, reading: _Reading) -> list[Valid | Invalid]:
    limits = reading.limits
    if not isinstance(found, list):
        raise InputRefused("the body must be a statement, or an array of statements")
    if len(found) > limits.max_statements:
        raise InputRefused(
            f"the body has {len(found)} statements; at most {limits.max_statements} are taken at "
            "once (http.max_statements)"
        )
    items: list[Valid | Invalid] = []
    seen: set[str] = set()
    for index, one in enumerate(found):
        item = _statement(one, index, reading)
        if isinstance(item, Valid):
            if item.statement_id in seen:
                problem = Problem(
                    index, item.statement_id, "id", "stands twice in this batch (section 2.4.1)"
                )
                item = Invalid(index, item.statement_id, (problem,))
            else:
                seen.add(item.statement_id)
        items.append(item)
    return items


def _statement(found: Any, index: int | None, reading: _Reading) -> Valid | Invalid:
    most = reading.limits.max_depth
    if not reading.shallow and too_deep(found, most):
        rule = f"is nested deeper than {most} (http.max_depth)"
        return Invalid(index, None, (Problem(index, None, "it", rule),))
    try:
        statement = STATEMENT.validate_python(found)
    except ValidationError as error:
        return _invalid(found, index, explain(error))
    broken = list(check(statement))
    if reading.data is not None:
        broken += _check_attachments(found, statement, reading.data, reading.used)
    if broken:
        return _invalid(found, index, broken)
    return Valid(
        index,
        statement.id.lower() if statement.id is not None else reading.new_id(),
        digest(found),
        statement,
    )


def _check_attachments(
    found: dict[str, Any],
    statement: Statement,
    known: Mapping[str, AttachedData],
    used: set[str],
) -> Iterator[tuple[str, str]]:
    """(field, rule): each is here or says where it is, and signatures sign this statement."""
    for place, attachment in attached(statement):
        sha2 = attachment.sha2.lower()
        data = known.get(sha2)
        if data is not None:
            used.add(sha2)
        elif attachment.file_url is None:
            yield (
                f"{place}.fileUrl",
                f"is missing, and so is a part of multipart/mixed with the hash {sha2}",
            )
        if data is not None and attachment.usage_type == signed_statements.USAGE:
            rule = signed_statements.broken_rule(found, attachment.content_type, data.content)
            if rule is not None:
                yield place, rule


def _invalid(found: Any, index: int | None, broken: list[tuple[str, str]]) -> Invalid:
    given = found.get("id") if isinstance(found, dict) else None
    name = given[:80] if isinstance(given, str) else None
    return Invalid(index, name, tuple(Problem(index, name, *one) for one in broken))


def too_deep(value: Any, limit: int) -> bool:
    """Whether objects and arrays are nested more than `limit` deep."""
    level = [value]
    for _ in range(limit):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
