"""Turns a body into valid statements: it is parsed once, and each statement validated once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from pydantic import ValidationError

from pointsman.domain.errors import InputRefused
from pointsman.domain.frozen import record
from pointsman.domain.records import AttachedData
from pointsman.statements.activities import Activity
from pointsman.statements.attachment_rules import check_attachments
from pointsman.statements.equality import digest
from pointsman.statements.json_body import check_values, is_bounded, read_json, too_much, write_json
from pointsman.statements.repeated_parts import validated
from pointsman.statements.settings import Limits
from pointsman.statements.statement import (
    VOIDED,
    Context,
    Statement,
    StatementRef,
    SubStatement,
    is_real_time,
)
from pointsman.statements.tolerant_reader import tidied
from pointsman.statements.validation import Problem, explain

_CONTAINERS = (dict, list)
_NO_SUCH_TIME = "must be a day and time that exist"


class Tolerance(Enum):
    """What becomes of a statement that breaks a rule."""

    #: it is refused, as xAPI has it
    NONE = "none"
    #: what is wrong is left out where the rest holds without it
    TIDIES = "tidies"
    #: the same, but for its timestamp: when it arrives says nothing of when it was made
    TIDIES_DATED = "tidies what is dated"


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
    """A body's statements, in order.

    `json` is what they are as JSON, and `body` that as text: what came, unless something was
    corrected or left out.
    """

    items: tuple[Valid | Invalid, ...]
    is_array: bool
    json: Any = field(default=None, compare=False)
    body: bytes = field(default=b"", compare=False)


@dataclass(slots=True)
class _Body:
    """What holds for every statement of a body."""

    limits: Limits
    #: whether a valid statement can exceed the limits by its extensions alone
    bounded: bool
    new_id: Callable[[], str]
    data: Mapping[str, AttachedData] | None
    tolerance: Tolerance
    used: set[str] = field(default_factory=set)
    #: the statements that were made to keep the rules, by their places
    tidied: dict[int | None, dict[str, Any]] = field(default_factory=dict)


def parse(
    body: bytes,
    limits: Limits,
    *,
    new_id: Callable[[], str],
    data: Mapping[str, AttachedData] | None = None,
    tolerance: Tolerance = Tolerance.NONE,
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
    json, body = read_json(body, tolerant=tolerance is not Tolerance.NONE)
    return check_statements(json, body, limits, new_id=new_id, data=data, tolerance=tolerance)


def check_statements(
    json: Any,
    body: bytes,
    limits: Limits,
    *,
    new_id: Callable[[], str],
    data: Mapping[str, AttachedData] | None = None,
    tolerance: Tolerance = Tolerance.NONE,
) -> Parsed:
    """As `parse`, of a `body` that was parsed to `json`, or written from it."""
    whole = _Body(limits, is_bounded(body, limits), new_id, data, tolerance)
    is_array = not isinstance(json, dict)
    items = _array(json, whole) if is_array else [_statement(json, None, whole)]
    if data and (unused := sorted(data.keys() - whole.used)):
        raise InputRefused(
            f"{len(unused)} of the parts are attached to no statement: {', '.join(unused[:3])}"
        )
    if whole.tidied:
        json = _with_tidied(json, whole.tidied)
        body = write_json(json)
    return Parsed(tuple(items), is_array, json, body)


def _with_tidied(json: Any, tidied_by_place: Mapping[int | None, dict[str, Any]]) -> Any:
    if None in tidied_by_place:
        return tidied_by_place[None]
    return [tidied_by_place.get(place, statement) for place, statement in enumerate(json)]


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
        return _tidied(_invalid(json, index, explain(error)), json, whole)
    if (
        whole.bounded
        and has_nested_extensions(statement)
        and (rule := too_much(json, whole.limits))
    ):
        return _too_much(index, rule)
    broken = _broken_rules(statement)
    if whole.data is not None and _may_have_attachments(statement):
        broken += check_attachments(json, statement, whole.data, whole.used)
    if broken:
        return _tidied(_invalid(json, index, broken), json, whole)
    return Valid(
        index,
        statement.id.lower() if statement.id is not None else whole.new_id(),
        digest(json),
        statement,
    )


def _tidied(refused: Invalid, json: Any, whole: _Body) -> Valid | Invalid:
    """The statement without what is wrong in it, where that may be; else why it is refused."""
    if whole.tolerance is Tolerance.NONE:
        return refused
    made = tidied(json, _broken_rules, dated=whole.tolerance is Tolerance.TIDIES_DATED)
    if made is None:
        return refused
    item = _statement(made.json, refused.index, replace(whole, tolerance=Tolerance.NONE))
    if not isinstance(item, Valid):
        return refused
    whole.tidied[refused.index] = made.json
    return item


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


def _may_have_attachments(statement: Statement) -> bool:
    return statement.attachments is not None or type(statement.object) is SubStatement


def _invalid(json: Any, index: int | None, broken: list[tuple[str, str]]) -> Invalid:
    named = json.get("id") if isinstance(json, dict) else None
    statement_id = named[:80] if isinstance(named, str) else None
    problems = tuple(Problem(index, statement_id, field, rule) for field, rule in broken)
    return Invalid(index, statement_id, problems)
