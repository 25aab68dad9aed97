"""Validates statements, and the parts that they repeat once: a few learners, verbs and activities.

A part that is equal to one that was valid is valid. So its model is taken in its place, and the
rest of the statement is validated. Only parts of texts alone are kept, for in Python 1 equals true.
"""

from __future__ import annotations

from typing import Any, Final

import orjson
from pydantic import BaseModel, ValidationError

from pointsman.statements.activities import Activity
from pointsman.statements.actors import AgentByMbox
from pointsman.statements.statement import STATEMENT, Statement

#: parts that are remembered of each kind, and bytes of one as JSON
_MOST, _LONGEST = 2_048, 2_048


class _KnownParts:
    """Parts of one kind by what names them. In any thread; when it is full, it begins again."""

    def __init__(self) -> None:
        self._by_name: dict[str, tuple[Any, BaseModel]] = {}

    def find(self, name: Any, part: Any) -> BaseModel | None:
        """The model of a part that is the very same. Raises `TypeError` for a name that is none."""
        known = self._by_name.get(name)
        return known[1] if known is not None and known[0] == part else None

    def keep(self, name: Any, part: Any, model: BaseModel | None) -> None:
        """Remember a part that is valid."""
        if model is None:
            return
        try:
            written = orjson.dumps(part)
        except orjson.JSONEncodeError:  # half a character
            return
        if len(written) <= _LONGEST and b'"extensions":' not in written:
            if len(self._by_name) >= _MOST:
                self._by_name.clear()
            # a copy, for nobody is kept from changing what was parsed
            self._by_name[name] = orjson.loads(written), model


_ACTORS: Final = _KnownParts()
_VERBS: Final = _KnownParts()
_ACTIVITIES: Final = _KnownParts()
#: by the activity that the statement is about
_CONTEXT_ACTIVITIES: Final = _KnownParts()


def validated(json: Any) -> Statement:
    """The statement. Raises `ValidationError`."""
    try:
        actor, verb, activity = json["actor"], json["verb"], json["object"]
        mailbox, verb_id, activity_id = actor.get("mbox"), verb.get("id"), activity.get("id")
        context = json.get("context")
        related = None if context is None else context.get("contextActivities")
        known_actor = _ACTORS.find(mailbox, actor)
        known_verb = _VERBS.find(verb_id, verb)
        known_activity = _ACTIVITIES.find(activity_id, activity)
        known_related = None if related is None else _CONTEXT_ACTIVITIES.find(activity_id, related)
    except (AttributeError, KeyError, TypeError):  # it is no statement
        return _validate(json)
    mixed = json.copy()
    mixed["actor"] = known_actor or actor
    mixed["verb"] = known_verb or verb
    mixed["object"] = known_activity or activity
    if known_related is not None:
        mixed["context"] = {**context, "contextActivities": known_related}
    try:
        statement = _validate(mixed)
    except ValidationError:
        # once more, for the errors to be about what came
        return _validate(json)
    if known_actor is None and isinstance(statement.actor, AgentByMbox):
        _ACTORS.keep(mailbox, actor, statement.actor)
    if known_verb is None:
        _VERBS.keep(verb_id, verb, statement.verb)
    if known_activity is None and isinstance(statement.object, Activity):
        _ACTIVITIES.keep(activity_id, activity, statement.object)
    if known_related is None and related is not None and statement.context is not None:
        _CONTEXT_ACTIVITIES.keep(activity_id, related, statement.context.context_activities)
    return statement


def _validate(json: Any) -> Statement:
    # the validator itself, for what is around it takes a fifth of its time
    statement: Statement = STATEMENT.validator.validate_python(json)
    return statement
