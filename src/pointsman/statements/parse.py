"""Turns a body into valid statements: it is parsed once, and each statement validated once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from pointsman.domain.errors import InputRefused
from pointsman.domain.frozen import record
from pointsman.domain.records import AttachedData
from pointsman.statements.activities import Activity
from pointsman.statements.equality import digest
from pointsman.statements.json_body import check_values, is_bounded, parse_json, too_much
from pointsman.statements.repeated_parts import validated
from pointsman.statements.settings import Limits
from pointsman.statements.statement import (
    VOIDED,
    Attachment,
    Context,
    Statement,
    StatementRef,
    SubStatement,
    is_real_time,
)
from pointsman.statements.validation import Problem, explain

#: the usageType of a signature (xAPI Part 2 section 2.6)
_SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
_CONTAINERS = (dict, list)
_NO_SUCH_TIME = "must be a day and time that exist"


@record
class Valid:
    """A statement that keeps every rule. `statement_id` is in lower case, assigned if need be."""

    index: int | None
    statement_id: str
    digest: int
    statement: Statement


@record
class Invalid:
    """A statement that does not."""

    index: int | None
    statement_id: str | None
    problems: tuple[Problem, ...]


@record
class Parsed:
    """A body's statements, in order; `json` is what the body was parsed to."""

    items: tuple[Valid | Invalid, ...]
    is_array: bool
    json: Any = field(default=None, compare=False)


@dataclass(slots=True)
class _Body:
    """What holds for every statement of a body."""

    limits: Limits
    #: whether a valid statement can exceed the limits by its extensions alone
    bounded: bool
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

    Raises `InputRefused` when the body as a whole is of no use: no JSON in UTF-8, a property that
    appears twice in one object, neither object nor array, more statements than `limits` allows, or
    data that none of them has attached.
    `new_id` is asked for statements without.
    """
    check_values(body, limits)
    return check_statements(parse_json(body), body, limits, new_id=new_id, data=data)


def check_statements(
    json: Any,
    body: bytes,
    limits: Limits,
    *,
    new_id: Callable[[], str],
    data: Mapping[str, AttachedData] | None = None,
) -> Parsed:
    """As `parse`, of a `body` that was parsed to `json`, or written from it."""
    whole = _Body(limits, is_bounded(body, limits), new_id, data)
    is_array = not isinstance(json, dict)
    items = _array(json, whole) if is_array else [_statement(json, None, whole)]
    if data and (unused := sorted(data.keys() - whole.used)):
        raise InputRefused(
            f"{len(unused)} of the parts are attached to no statement: {', '.join(unused[:3])}"
        )
    return Parsed(tuple(items), is_array, json)


def _array(statements: Any, whole: _Body) -> list[Valid | Invalid]:
    limits = whole.limits
    if not isinstance(statements, list):
        raise InputRefused("the body must be a statement, or an array of statements")
    if len(statements) > limits.max_statements:
        raise InputRefused(
            f"the body has {len(statements)} statements; at most {limits.max_statements} are taken "
            f"at once ({limits.setting})"
        )
    items: list[Valid | Invalid] = []
    seen: set[str] = set()
    for index, statement in enumerate(statements):
        item = _statement(statement, index, whole)
        if isinstance(item, Valid):
            if item.statement_id in seen:
                problem = Problem(
                    index, item.statement_id, "id", "appears twice in this batch (section 2.4.1)"
                )
                item = Invalid(index, item.statement_id, (problem,))
            else:
                seen.add(item.statement_id)
        items.append(item)
    return items


def _statement(json: Any, index: int | None, whole: _Body) -> Valid | Invalid:
    if not whole.bounded and (rule := too_much(json, whole.limits)):
        return _too_much(index, rule)
    try:
        statement = validated(json)
    except ValidationError as error:
        if whole.bounded and (rule := too_much(json, whole.limits)):
            return _too_much(index, rule)
        return _invalid(json, index, explain(error))
    if (
        whole.bounded
        and has_nested_extensions(statement)
        and (rule := too_much(json, whole.limits))
    ):
        return _too_much(index, rule)
    broken = _broken_rules(statement)
    if whole.data is not None and _may_have_attachments(statement):
        broken += _check_attachments(json, statement, whole.data, whole.used)
    if broken:
        return _invalid(json, index, broken)
    return Valid(
        index,
        statement.id.lower() if statement.id is not None else whole.new_id(),
        digest(json),
        statement,
    )


def _too_much(index: int | None, rule: str) -> Invalid:
    return Invalid(index, None, (Problem(index, None, "it", rule),))


def has_nested_extensions(part: Statement | SubStatement) -> bool:
    """Whether an extension holds an object or array."""
    result, context, thing = part.result, part.context, part.object
    if result is not None and result.extensions and _is_nested(result.extensions):
        return True
    if context is not None and _is_nested_context(context):
        return True
    if type(thing) is SubStatement:
        return has_nested_extensions(thing)
    return type(thing) is Activity and _is_nested_activity(thing)


def _is_nested(extensions: dict[str, Any]) -> bool:
    for value in extensions.values():  # noqa: SIM110 - a generator takes three times as long
        if isinstance(value, _CONTAINERS):
            return True
    return False


def _is_nested_context(context: Context) -> bool:
    if context.extensions and _is_nested(context.extensions):
        return True
    related = context.context_activities
    if related is None:
        return False
    for activities in (related.parent, related.grouping, related.category, related.other):
        if activities is not None:
            for activity in activities if isinstance(activities, list) else [activities]:
                if activity.definition is not None and _is_nested_activity(activity):
                    return True
    return False


def _is_nested_activity(activity: Activity) -> bool:
    definition = activity.definition
    if definition is None or not definition.extensions:
        return False
    return _is_nested(definition.extensions)


def _broken_rules(statement: Statement) -> list[tuple[str, str]]:
    """(field, rule) of every rule that spans several objects and is broken."""
    broken: list[tuple[str, str]] = []
    kind = type(statement.object)
    if statement.verb.id == VOIDED and kind is not StatementRef:
        broken.append(("object", "of a voiding statement must be a StatementRef (section 2.3.2)"))
    if kind is not Activity:
        broken += _check_context(statement, "")
    if type(statement.object) is SubStatement:
        broken += _check_context(statement.object, "object.")
        if statement.object.timestamp is not None and not is_real_time(statement.object.timestamp):
            broken.append(("object.timestamp", _NO_SUCH_TIME))
    for name, text in (("timestamp", statement.timestamp), ("stored", statement.stored)):
        if text is not None and not is_real_time(text):
            broken.append((name, _NO_SUCH_TIME))
    return broken


def _check_context(part: Statement | SubStatement, prefix: str) -> Iterator[tuple[str, str]]:
    context = part.context
    if context is not None and type(part.object) is not Activity:
        for name in ("revision", "platform"):
            if getattr(context, name) is not None:
                yield (
                    f"{prefix}context.{name}",
                    "is only allowed where the object is an activity (section 2.4.6)",
                )


def _attachments_with_places(statement: Statement) -> Iterator[tuple[str, Attachment]]:
    """The attachments of a statement and of one inside it, each with its place."""
    for place, attachment in enumerate(statement.attachments or ()):
        yield f"attachments[{place}]", attachment
    if type(statement.object) is SubStatement:
        for place, attachment in enumerate(statement.object.attachments or ()):
            yield f"object.attachments[{place}]", attachment


def _may_have_attachments(statement: Statement) -> bool:
    return statement.attachments is not None or type(statement.object) is SubStatement


def _check_attachments(
    json: dict[str, Any],
    statement: Statement,
    data: Mapping[str, AttachedData],
    used: set[str],
) -> Iterator[tuple[str, str]]:
    """(field, rule): each is here or says where it is, and signatures sign this statement."""
    for place, attachment in _attachments_with_places(statement):
        sha2 = attachment.sha2.lower()
        part = data.get(sha2)
        if part is not None:
            used.add(sha2)
        elif attachment.file_url is None:
            yield (
                f"{place}.fileUrl",
                f"is missing, and so is a part of multipart/mixed with the hash {sha2}",
            )
        if part is not None and attachment.usage_type == _SIGNATURE:
            # cryptography is loaded where there is a signature, which is seldom
            from pointsman.statements.signed_statements import broken_rule  # noqa: PLC0415 - seldom

            rule = broken_rule(json, attachment.content_type, part.content)
            if rule is not None:
                yield place, rule


def _invalid(json: Any, index: int | None, broken: list[tuple[str, str]]) -> Invalid:
    named = json.get("id") if isinstance(json, dict) else None
    statement_id = named[:80] if isinstance(named, str) else None
    problems = tuple(Problem(index, statement_id, field, rule) for field, rule in broken)
    return Invalid(index, statement_id, problems)
