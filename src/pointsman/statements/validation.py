"""Explains what is wrong with a statement: which field, and which rule it breaks.

Only for refusals, so it may take its time. A value that fits no branch of a union fails in all of
them; the branch that was most likely meant is the one that is told about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pointsman.domain.errors import InputRefused
from pointsman.statements import activities, actors, data_types, statement

#: problems that one refusal lists; the rest is counted
_MAX_PROBLEMS = 10
_IDENTIFIERS = frozenset({"mbox", "mbox_sha1sum", "openid", "account"})
#: how far an error of this kind says that another branch was meant
_WEIGHTS = {
    "literal_error": 100,
    "list_type": 50,
    "model_type": 50,
    "missing": 10,
    "extra_forbidden": 10,
}
_BRANCHES = frozenset(
    one.__name__
    for module in (actors, activities, statement)
    for one in vars(module).values()
    if isinstance(one, type) and issubclass(one, data_types.JsonObject)
)
_TYPES = {
    "string_type": "must be a string",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "list_type": "must be an array",
    "bool_type": "must be true or false, without quotes",
    "float_type": "must be a number, without quotes",
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "finite_number": "must be a finite number",
    "missing": "is required",
    "extra_forbidden": "is not a property that belongs here",
}
#: the rule of a property that xAPI does not know
UNKNOWN_PROPERTY = _TYPES["extra_forbidden"]


def _pattern_of(annotated: Any) -> str:
    pattern: str = annotated.__metadata__[0].pattern
    return pattern


_PATTERNS = {
    _pattern_of(data_types.Iri): "must be an absolute IRI, with a scheme and without spaces",
    _pattern_of(data_types.Mailbox): "must be a mailto IRI with an e-mail address",
    _pattern_of(data_types.Sha1): "must be a SHA-1 of 40 hexadecimal digits",
    _pattern_of(data_types.Sha2): "must be a SHA-2 in hexadecimal digits",
    _pattern_of(data_types.Uuid): "must be a UUID",
    _pattern_of(data_types.LanguageTag): "must be a language tag (RFC 5646)",
    _pattern_of(data_types.Timestamp): "must be an ISO 8601 time, and its offset not -00:00",
    _pattern_of(data_types.Duration): "must be an ISO 8601 duration such as PT1H30M",
    _pattern_of(data_types.Version): "must be a version 1.0.x or 2.0.x",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule that one field breaks; `index` is the statement's place in its array."""

    index: int | None
    statement_id: str | None
    field: str
    rule: str

    def __str__(self) -> str:
        place = "" if self.index is None else f" {self.index}"
        name = f" (id {self.statement_id})" if self.statement_id else ""
        return f"statement{place}{name}: {self.field} {self.rule}".replace(":  ", ": ")


class StatementsRefused(InputRefused):
    """A statement breaks a rule of xAPI; nothing of its batch was stored."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = "; ".join(str(problem) for problem in self.problems[:_MAX_PROBLEMS])
        rest = len(self.problems) - _MAX_PROBLEMS
        super().__init__(shown + (f"; and {rest} more" if rest > 0 else ""))


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule, and the place in a statement that breaks it: names, and numbers in arrays."""

    path: tuple[str | int, ...]
    rule: str
    #: the last name itself is what is wrong, not what stands there
    is_about_name: bool = False

    @property
    def field(self) -> str:
        """The place, for a person."""
        path = self.path[:-1] if self.is_about_name else self.path
        steps = (f"[{step}]" if isinstance(step, int) else f".{step[:80]}" for step in path)
        return "".join(steps).removeprefix(".") or "it"

    @property
    def words(self) -> str:
        if not self.is_about_name:
            return self.rule
        return f"has the key {str(self.path[-1])[:80]!r}, which {self.rule}"


def explain(error: ValidationError) -> list[tuple[str, str]]:
    """(field, rule) of each thing that is wrong, unions resolved to what was meant."""
    return list(dict.fromkeys((broken.field, broken.words) for broken in broken_rules(error)))


def broken_rules(error: ValidationError) -> list[BrokenRule]:
    """The same with the places as they are in the statement."""
    located = [(list(detail["loc"]), detail) for detail in error.errors(include_url=False)]
    return _resolve_unions(located, ())


def _resolve_unions(
    details: list[tuple[list[Any], Any]], path: tuple[str | int, ...]
) -> list[BrokenRule]:
    """`details` are errors with what is left of their place below `path`."""
    problems: list[BrokenRule] = []
    branches: dict[str, list[tuple[list[Any], Any]]] = defaultdict(list)
    deeper: dict[Any, list[tuple[list[Any], Any]]] = defaultdict(list)
    for rest, detail in details:
        if not rest:
            problems.append(BrokenRule(path, _rule(detail)))
        elif _is_branch(rest[0]):
            branches[rest[0]].append((rest[1:], detail))
        elif rest[1:] == ["[key]"]:
            problems.append(BrokenRule((*path, rest[0]), _rule(detail), is_about_name=True))
        else:
            deeper[rest[0]].append((rest[1:], detail))
    for step, below in deeper.items():
        problems += _resolve_unions(below, (*path, step))
    if branches:
        problems += _problems_of_likeliest(branches, path)
    return problems


def _problems_of_likeliest(
    branches: dict[str, list[tuple[list[Any], Any]]], path: tuple[str | int, ...]
) -> list[BrokenRule]:
    def weight(details: list[tuple[list[Any], Any]]) -> tuple[int, int]:
        heavy = sum(_WEIGHTS.get(detail["type"], 1) for rest, detail in details if len(rest) <= 1)
        return heavy, len(details)

    meant = min(branches.values(), key=weight)
    about_identity = [
        rest[0]
        for rest, detail in meant
        if len(rest) == 1
        and rest[0] in _IDENTIFIERS
        and detail["type"] in {"missing", "extra_forbidden"}
    ]
    if about_identity:
        rule = "needs exactly one of mbox, mbox_sha1sum, openid and account to identify it"
        return [BrokenRule(path, rule)]
    words = {
        detail["ctx"]["expected"]
        for details in branches.values()
        for rest, detail in details
        if rest == ["objectType"] and detail["type"] == "literal_error"
    }
    if any(rest == ["objectType"] and detail["type"] == "literal_error" for rest, detail in meant):
        return [BrokenRule((*path, "objectType"), f"must be one of {', '.join(sorted(words))}")]
    return _resolve_unions(meant, path)


def _is_branch(step: Any) -> bool:
    """Whether a step of an error's place is no property, but the branch of a union."""
    return isinstance(step, str) and (step in _BRANCHES or step.startswith("list["))


def _rule(detail: Any) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if detail["input"] is None and kind != "extra_forbidden":
        return "must not be null (section 2.2)"
    if kind == "string_pattern_mismatch":
        return _PATTERNS[context["pattern"]]
    if kind in _TYPES:
        return _TYPES[kind]
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind in {"greater_than_equal", "less_than_equal"}:
        bound = context.get("ge", context.get("le"))
        return f"must be {'at least' if 'ge' in context else 'at most'} {bound:g}"
    if kind == "value_error":
        return str(context["error"])
    message: str = detail["msg"]
    return message[:1].lower() + message[1:]
