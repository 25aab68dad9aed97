"""Statements as an answer shows them: `format` of a query (xAPI Part 3 section 2.1.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
_CONTEXT_AGENTS = ("instructor", "team")
_COMPONENTS = ("choices", "scale", "source", "target", "steps")


def ids(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Of agents, activities, verbs and groups only what identifies them."""
    shown = dict(statement)
    for name in ("actor", "authority"):
        if name in shown:
            shown[name] = _actor_id(shown[name])
    shown["verb"] = {"id": shown["verb"]["id"]}
    shown["object"] = _object_id(shown["object"])
    if context := shown.get("context"):
        shown["context"] = _context_ids(context)
    return shown


def _actor_id(actor: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: actor[name] for name in _IDENTIFIERS if name in actor}
    kind = actor.get("objectType", "Agent")
    if not kept:  # an anonymous group is its members
        kept = {"member": [_actor_id(one) for one in actor.get("member", ())]}
    return {"objectType": kind, **kept}


def _object_id(found: Mapping[str, Any]) -> dict[str, Any]:
    match found.get("objectType", "Activity"):
        case "Activity":
            return {"id": found["id"]}
        case "Agent" | "Group":
            return _actor_id(found)
        case "SubStatement":
            return ids(found)
        case _:
            return dict(found)


def _context_ids(context: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(context)
    for name in _CONTEXT_AGENTS:
        if name in shown:
            shown[name] = _actor_id(shown[name])
    for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in shown:
            shown[name] = [{**one, inner: _actor_id(one[inner])} for one in shown[name]]
    if "contextActivities" in shown:
        shown["contextActivities"] = {
            kind: [{"id": one["id"]} for one in activities]
            for kind, activities in as_arrays(shown["contextActivities"]).items()
        }
    return shown


def as_arrays(activities: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Context activities; a single one is returned as an array (Part 2 section 2.4.6.2)."""
    return {
        kind: value if isinstance(value, list) else [value] for kind, value in activities.items()
    }


def canonical(statement: Mapping[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    """Language maps of verbs and activities reduced to the language that suits best."""
    shown = dict(statement)
    verb = shown["verb"]
    if "display" in verb:
        shown["verb"] = {**verb, "display": best(verb["display"], languages)}
    inner = shown["object"]
    match inner.get("objectType", "Activity"):
        case "Activity":
            shown["object"] = _canonical_activity(inner, languages)
        case "SubStatement":
            shown["object"] = canonical(inner, languages)
    context = shown.get("context")
    if context and "contextActivities" in context:
        activities = {
            kind: [_canonical_activity(one, languages) for one in found]
            for kind, found in as_arrays(context["contextActivities"]).items()
        }
        shown["context"] = {**context, "contextActivities": activities}
    return shown


def _canonical_activity(activity: Mapping[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    if "definition" not in activity:
        return dict(activity)
    definition = dict(activity["definition"])
    for name in ("name", "description"):
        if name in definition:
            definition[name] = best(definition[name], languages)
    for name in _COMPONENTS:
        if name in definition:
            definition[name] = [_canonical_component(one, languages) for one in definition[name]]
    return {**activity, "definition": definition}


def _canonical_component(component: Mapping[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    if "description" not in component:
        return dict(component)
    return {**component, "description": best(component["description"], languages)}


def best(texts: Mapping[str, str], languages: Sequence[str]) -> dict[str, str]:
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
    """Accept-Language (RFC 9110 section 12.5.4), the dearest first."""
    weighed = []
    for place, one in enumerate(header.split(",")[:20]):
        tag, _, parameters = one.strip().partition(";")
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
