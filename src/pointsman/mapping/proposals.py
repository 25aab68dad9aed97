"""Proposes rules for activities that no rule takes, for a person to decide about. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pointsman.domain.proposed_rule import ProposedRule
from pointsman.mapping.rules import Rule

#: what tells the activities of a proposed rule apart
VARIABLE = "topic"
#: what a template's other variables are called
_OTHER_VARIABLES = ("course", "part", "section", "chapter", "page")
_SEPARATOR = re.compile(r"[/?#]")

_Shape = tuple[str, tuple[str, ...]]


def propose_rules(activities: Iterable[str], rules: Sequence[Rule]) -> list[ProposedRule]:
    """Rules for these activities, whose topics are named as the nearest rule names its own."""
    patterns = [(rule, pattern) for rule in rules if (pattern := _topic_pattern(rule))]
    return [_with_topic(template, patterns) for template in propose(activities)]


def _topic_pattern(rule: Rule) -> str:
    """Its `topic_id` with `{topic}`; empty where that takes more than the last variable."""
    if rule.topic_id is None or not rule.activity.variables:
        return ""
    last = rule.activity.variables[-1]
    if rule.topic_id.variables != (last,):
        return ""
    return rule.topic_id.text.replace(f"{{{last}}}", f"{{{VARIABLE}}}")


def _with_topic(template: str, patterns: Sequence[tuple[Rule, str]]) -> ProposedRule:
    """As the rule of the same host that begins most alike, or as all rules do."""
    head, _ = _split_off_host(template)
    near = [(rule, pattern) for rule, pattern in patterns if rule.activity.text.startswith(head)]
    if not near and len({pattern for _, pattern in patterns}) == 1:
        near = list(patterns)
    if not near:
        return ProposedRule(template, f"{{{VARIABLE}}}")
    rule, pattern = max(near, key=lambda one: _alike(one[0].activity.text, template))
    return ProposedRule(template, pattern, rule.name)


def _alike(text: str, other: str) -> int:
    """How many characters are the same at the beginning."""
    return next(
        (place for place, (a, b) in enumerate(zip(text, other, strict=False)) if a != b),
        min(len(text), len(other)),
    )


def propose(activities: Iterable[str]) -> list[str]:
    """Templates for a rule's `activity`, in which `{topic}` takes the place of what varies last.

    Activities of the same shape (the same beginning, as many segments) make one template.
    """
    shapes: dict[_Shape, list[list[str]]] = {}
    for activity in activities:
        head, tail = _split_off_host(activity)
        shapes.setdefault((head, tuple(_SEPARATOR.findall(tail))), []).append(
            _SEPARATOR.split(tail)
        )
    return [_template(head, marks, members) for (head, marks), members in sorted(shapes.items())]


def _split_off_host(activity: str) -> tuple[str, str]:
    """What names a host, or a scheme, and the rest."""
    scheme, separator, rest = activity.partition("://")
    if not separator:
        head, colon, tail = activity.rpartition(":")
        return f"{head}{colon}", tail
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}{slash}", path


def _template(head: str, marks: tuple[str, ...], members: Sequence[list[str]]) -> str:
    segments = list(members[0])
    places = range(len(segments))
    varying = [
        place
        for place in places
        if len({segments_of_member[place] for segments_of_member in members}) > 1
    ]
    filled = [place for place in places if segments[place]]
    varying = varying or filled[-1:]
    names = [*map(_other_variable, range(len(varying) - 1)), VARIABLE]
    for place, name in zip(varying, names, strict=bool(varying)):
        segments[place] = f"{{{name}}}"
    pieces = zip(("", *marks), segments, strict=True)
    return head + "".join(f"{mark}{segment}" for mark, segment in pieces)


def _other_variable(number: int) -> str:
    return _OTHER_VARIABLES[number] if number < len(_OTHER_VARIABLES) else f"part{number}"
