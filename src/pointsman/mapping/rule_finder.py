"""Finds the rules that take an activity, however it is written. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pointsman.domain.frozen import record
from pointsman.domain.iri import comparable
from pointsman.domain.uri_template import Template, decoded
from pointsman.mapping.near_miss import loose
from pointsman.mapping.rules import Rule

#: players say the same few activities over and over
_CACHED_ACTIVITIES = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class RuleMatch:
    """A rule, its variables' values, and the activity with the rule's part as the rule writes it.

    Each is equal to itself alone, so that what is remembered of it is found at once.

    What is kept of an activity goes by that spelling, which was the only one that a rule took
    before IRIs were compared: so it is found again.
    """

    rule: Rule
    values: dict[str, str]
    activity: str


@record
class _Templates:
    rule: Rule
    #: of `comparable` activities; None where a variable stands in what that rewrites
    of_comparable: Template | None
    of_loose: Template | None


class RuleFinder:
    """The rules in their order."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [
            _Templates(rule, rule.activity.rewritten(comparable), rule.activity.rewritten(loose))
            for rule in rules
        ]
        self.matches = lru_cache(maxsize=_CACHED_ACTIVITIES)(self._matches)
        self.near_miss = lru_cache(maxsize=_CACHED_ACTIVITIES)(self._near_miss)

    def _matches(self, activity: str) -> tuple[RuleMatch, ...]:
        written = comparable(activity)
        matches = (_match(templates, activity, written) for templates in self._rules)
        return tuple(match for match in matches if match is not None)

    def _near_miss(self, activity: str) -> str:
        """Which rule takes nearly this activity, in words for a person; empty if none does."""
        written = loose(activity)
        for templates in self._rules:
            template = templates.of_loose
            if template is not None and template.match(written) is not None:
                return (
                    f"rule {templates.rule.name!r} takes {templates.rule.activity}, which differs "
                    "in http or https, the port, www, case, or a slash at the end"
                )
        return ""


def _match(templates: _Templates, activity: str, written: str) -> RuleMatch | None:
    rule = templates.rule
    values = rule.activity.take_apart(activity)
    if values is not None:
        return RuleMatch(rule, decoded(values), activity)
    if templates.of_comparable is None:
        return None
    values = templates.of_comparable.take_apart(written)
    if values is None:
        return None
    return RuleMatch(rule, decoded(values), rule.activity.fill(values))
