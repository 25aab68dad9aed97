"""Merges what statements say of an activity, or a person (xAPI Part 3 sections 2.4, 2.5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pointsman.statements.formats import as_arrays

_IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
_MERGED = ("name", "description", "extensions")


def merged_activity(activity_id: str, statements: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The activity with all that `statements`, the oldest first, define of it."""
    definition: dict[str, Any] = {}
    for statement in statements:
        for part in _definitions(statement, activity_id):
            for name, value in part.items():
                if name in _MERGED:
                    definition[name] = {**definition.get(name, {}), **value}
                else:
                    definition[name] = value
    activity: dict[str, Any] = {"objectType": "Activity", "id": activity_id}
    if definition:
        activity["definition"] = definition
    return activity


def _definitions(part: Mapping[str, Any], activity_id: str) -> Iterator[Mapping[str, Any]]:
    inner = part["object"]
    named = [inner] if inner.get("objectType", "Activity") == "Activity" else []
    context = part.get("context", {})
    for activities in as_arrays(context.get("contextActivities", {})).values():
        named += activities
    for activity in named:
        if activity["id"] == activity_id and "definition" in activity:
            yield activity["definition"]
    if inner.get("objectType") == "SubStatement":
        yield from _definitions(inner, activity_id)


def merged_person(agent: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """A Person: each property an array of all that is known."""
    person: dict[str, Any] = {"objectType": "Person"}
    if known_names := list(dict.fromkeys([*([agent["name"]] if "name" in agent else []), *names])):
        person["name"] = known_names
    person |= {name: [agent[name]] for name in _IDENTIFIERS if name in agent}
    return person
