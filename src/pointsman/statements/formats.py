"""Writes statements in the `format` that a query asks for (xAPI Part 3 section 2.1.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
_CONTEXT_AGENTS = ("instructor", "team")
_COMPONENTS = ("choices", "scale", "source", "target", "steps")


def ids_format(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Of agents, activities, verbs and groups only what identifies them."""
    statement_ids = dict(statement)
    for name in ("actor", "authority"):
        if name in statement_ids:
            statement_ids[name] = _actor_ids(statement_ids[name])
    statement_ids["verb"] = {"id": statement_ids["verb"]["id"]}
    statement_ids["object"] = _object_ids(statement_ids["object"])
    if context := statement_ids.get("context"):
        statement_ids["context"] = _context_ids(context)
    return statement_ids


def _actor_ids(actor: Mapping[str, Any]) -> dict[str, Any]:
    identifiers = {name: actor[name] for name in _IDENTIFIERS if name in actor}
    kind = actor.get("objectType", "Agent")
    if not identifiers:  # an anonymous group is its members
        identifiers = {"member": [_actor_ids(member) for member in actor.get("member", ())]}
    return {"objectType": kind, **identifiers}


def _object_ids(value: Mapping[str, Any]) -> dict[str, Any]:
    match value.get("objectType", "Activity"):
        case "Activity":
            return {"id": value["id"]}
        case "Agent" | "Group":
            return _actor_ids(value)
        case "SubStatement":
            return ids_format(value)
        case _:
            return dict(value)


def _context_ids(context: Mapping[str, Any]) -> dict[str, Any]:
    context_ids = dict(context)
    for name in _CONTEXT_AGENTS:
        if name in context_ids:
            context_ids[name] = _actor_ids(context_ids[name])
    for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in context_ids:
            context_ids[name] = [
                {**element, inner: _actor_ids(element[inner])} for element in context_ids[name]
            ]
    if "contextActivities" in context_ids:
        context_ids["contextActivities"] = {
            kind: [{"id": element["id"]} for element in activities]
            for kind, activities in as_arrays(context_ids["contextActivities"]).items()
        }
    return context_ids


def as_arrays(activities: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Context activities; a single one is returned as an array (Part 2 section 2.4.6.2)."""
    return {
        kind: value if isinstance(value, list) else [value] for kind, value in activities.items()
    }


def canonical_format(statement: Mapping[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    """Language maps of verbs and activities reduced to the language that suits best."""
    canonical = dict(statement)
    verb = canonical["verb"]
    if "display" in verb:
        canonical["verb"] = {**verb, "display": best_language(verb["display"], languages)}
    inner = canonical["object"]
    match inner.get("objectType", "Activity"):
        case "Activity":
            canonical["object"] = _canonical_activity(inner, languages)
        case "SubStatement":
            canonical["object"] = canonical_format(inner, languages)
    context = canonical.get("context")
    if context and "contextActivities" in context:
        activities = {
            kind: [_canonical_activity(activity, languages) for activity in listed]
            for kind, listed in as_arrays(context["contextActivities"]).items()
        }
        canonical["context"] = {**context, "contextActivities": activities}
    return canonical


def _canonical_activity(activity: Mapping[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    if "definition" not in activity:
        return dict(activity)
    definition = dict(activity["definition"])
    for name in ("name", "description"):
        if name in definition:
            definition[name] = best_language(definition[name], languages)
    for name in _COMPONENTS:
        if name in definition:
            definition[name] = [
                _canonical_component(component, languages) for component in definition[name]
            ]
    return {**activity, "definition": definition}


def _canonical_component(component: Mapping[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    if "description" not in component:
        return dict(component)
    return {**component, "description": best_language(component["description"], languages)}


def best_language(texts: Mapping[str, str], languages: Sequence[str]) -> dict[str, str]:
    """One entry of a language map (RFC 4647 lookup); the first where no language fits."""
    by_tag = {tag.lower(): tag for tag in texts}
    for wanted in languages:
        tag = wanted.lower()
        while tag:
            if tag in by_tag:
                return {by_tag[tag]: texts[by_tag[tag]]}
            for known, original in by_tag.items():
                if known.startswith(tag + "-"):
                    return {original: texts[original]}
            tag = tag.rpartition("-")[0]
    return dict(list(texts.items())[:1])


def accepted_languages(header: str) -> list[str]:
    """Accept-Language (RFC 9110 section 12.5.4), the one that is wanted most first."""
    weighed = []
    for place, entry in enumerate(header.split(",")[:20]):
        tag, _, parameters = entry.strip().partition(";")
        weight = 1.0
        name, _, value = parameters.strip().partition("=")
        if name.strip().lower() == "q":
            try:
                weight = float(value)
            except ValueError:
                weight = 0.0
        if tag and tag != "*" and weight > 0:
            weighed.append((-weight, place, tag.strip()))
    return [tag for _, _, tag in sorted(weighed)]
