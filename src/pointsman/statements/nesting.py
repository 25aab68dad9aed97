"""Bounds how deep statements are nested, and how many objects and arrays they have.

It is done for each statement, so it looks at as little as decides: what is short has few, and the
rules of xAPI bound how deep a statement is, but for its extensions.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from pointsman.domain.errors import InputRefused
from pointsman.statements.activities import Activity
from pointsman.statements.settings import Limits
from pointsman.statements.statement import Context, Statement, SubStatement

#: no valid statement is nested deeper where its extensions hold no objects and arrays
DEEPEST: Final = 10
_CONTAINERS = (dict, list)
_NO_OPENING_BRACKET = bytes(byte for byte in range(256) if byte not in b"{[")


def check_values(body: bytes, limits: Limits) -> None:
    """Raises `InputRefused` for a body that would be too much to parse at once."""
    most = limits.max_values * limits.STATEMENTS_OF_MOST_VALUES
    if _has_more_brackets(body, most):
        raise InputRefused(
            f"the body has more than {most} objects and arrays (fifty times http.max_values)"
        )


def is_bounded(body: bytes, limits: Limits) -> bool:
    """Whether a valid statement of this body can exceed the limits by its extensions alone."""
    return limits.max_depth >= DEEPEST and not _has_more_brackets(body, limits.max_values)


def _has_more_brackets(body: bytes, most: int) -> bool:
    """Whether it opens more, those in texts too."""
    return len(body) > most and len(body.translate(None, _NO_OPENING_BRACKET)) > most


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


def too_much(value: Any, limits: Limits) -> str:
    """Which limit its objects and arrays exceed, in how deep or how many they are; "" for none."""
    try:
        # one that opens no more brackets than it may be deep is neither, and few open more
        if not _has_more_brackets(orjson.dumps(value), limits.max_depth):
            return ""
    except orjson.JSONEncodeError:  # it is too deep to be written
        pass
    level = [value]
    count = 1
    for _ in range(limits.max_depth):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return ""
        count += len(level)
        if count > limits.max_values:
            return f"has more than {limits.max_values} objects and arrays (http.max_values)"
    return f"is nested deeper than {limits.max_depth} (http.max_depth)"
