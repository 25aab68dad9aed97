"""Tells H5P's statements about an activity from those about a question inside of it.

An activity is complete when it is `completed` as a whole. What has a parent or a `subContentId` is
a part; and an answer says `completion: true` of the question that was answered.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from pointsman.statements.activities import Activity
from pointsman.statements.statement import ContextActivities, Statement

_LIBRARIES = ("http://h5p.org/libraries/", "https://h5p.org/libraries/")
_CONTENT = "http://h5p.org/x-api/h5p-local-content-id"
_PART = "http://h5p.org/x-api/h5p-subContentId"
_PROGRESSED = "http://adlnet.gov/expapi/verbs/progressed"
_ANSWERED = "http://adlnet.gov/expapi/verbs/answered"

REASON_INNER = (
    "it is about a part of an H5P activity, such as an inner question, and completes nothing"
)
REMARK_ANSWERED = "H5P's answered is about a question; its completed is about the whole"
REMARK_PROGRESSED = "H5P's progressed names a page, not a share of the whole"


def may_be(statement: Statement, activity: Activity) -> bool:
    """Whether there is anything that tells H5P's statements from those of others."""
    definition, context = activity.definition, statement.context
    extensions = definition.extensions if definition is not None else None
    if extensions and (_CONTENT in extensions or _PART in extensions):
        return True
    related = context.context_activities if context is not None else None
    if related is not None and related.category is not None:
        for category in _as_list(related.category):
            if category.id.startswith(_LIBRARIES):
                return True
    return "subContentId=" in activity.id


def is_inner(statement: Statement, activity: Activity) -> bool:
    """Whether it is about a part, which says nothing about the whole."""
    if _PART in _extensions(activity) or _names_a_part(activity.id):
        return True
    context_activities = statement.context.context_activities if statement.context else None
    return (
        context_activities is not None
        and bool(_as_list(context_activities.parent))
        and _is_h5p(context_activities, activity)
    )


def remark(statement: Statement, activity: Activity) -> str:
    """Why such a statement says nothing about progress, where it seems to; else empty."""
    words = {_PROGRESSED: REMARK_PROGRESSED, _ANSWERED: REMARK_ANSWERED}.get(statement.verb.id, "")
    context_activities = statement.context.context_activities if statement.context else None
    return words if words and _is_h5p(context_activities, activity) else ""


def _names_a_part(activity: str) -> bool:
    if "subContentId=" not in activity:
        return False
    try:
        return "subContentId" in parse_qs(urlsplit(activity).query)
    except ValueError:  # an IRI that is no URL
        return False


def _is_h5p(context_activities: ContextActivities | None, activity: Activity) -> bool:
    categories = _as_list(context_activities.category) if context_activities is not None else []
    return _CONTENT in _extensions(activity) or any(
        category.id.startswith(_LIBRARIES) for category in categories
    )


def _extensions(activity: Activity) -> dict[str, Any]:
    return (activity.definition.extensions if activity.definition else None) or {}


def _as_list(activities: list[Activity] | Activity | None) -> list[Activity]:
    if activities is None:
        return []
    return activities if isinstance(activities, list) else [activities]
