"""Parses the body of a commit, in any of its forms, into the run-time data as a tree. Pure.

scorm-again has three forms (`dataCommitFormat`): `json` is a tree, `flattened` an object with
dotted names, `params` a form. A commit that is sent as a beacon says text/plain of all three, so
the content tells. With `renderCommonCommitFields` each is wrapped, the form as an array.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from pointsman.domain.errors import InputRefused
from pointsman.statements.scorm.params_form import is_form, split_form

#: real commits need seven
_MAX_DEPTH = 32
#: values and objects; a course of 1,000 interactions has some 15,000
_MAX_VALUES = 50_000
#: what `params` makes of an object that has nothing in it
_EMPTY_OBJECT = "[object Object]"
_COMMON_FIELDS = frozenset({"completionStatus", "successStatus"})


@dataclass(frozen=True, slots=True)
class CommitBody:
    """`cmi` is the run-time data as a tree, lists as they came; `beside` is all else."""

    cmi: dict[str, Any]
    beside: dict[str, Any]


def parse_commit_body(body: bytes) -> CommitBody:
    """Raises `InputRefused`, never repeating what a learner wrote."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputRefused("the commit is not UTF-8") from None
    stripped = text.strip()
    if not stripped:
        raise InputRefused("the commit is empty")
    if stripped.startswith("{"):
        return _from_object(_parse_json(stripped))
    if is_form(text):
        cmi, beside = split_form(text)
        return CommitBody(_tree(cmi.items()), dict(beside))
    raise InputRefused(
        "the commit is neither a JSON object nor a form of cmi.…=…; "
        "dataCommitFormat must be json, flattened or params"
    )


def _parse_json(text: str) -> dict[str, Any]:
    # Not orjson: a text that a course cut in the middle of an emoji must come back as it was.
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise InputRefused(f"the commit nests deeper than {_MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        raise InputRefused(f"the commit is not JSON: {error.msg}") from None
    except ValueError:  # a number of thousands of digits
        raise InputRefused("the commit has a number that is none") from None
    _check_size(value)
    if not isinstance(value, dict):
        raise InputRefused("the commit must be a JSON object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise InputRefused(f"the commit is not JSON: {name} is no number")


def _check_size(value: Any) -> None:
    level, depth, values = [value], 0, 0
    while level:
        depth += 1
        values += len(level)
        if depth > _MAX_DEPTH:
            raise InputRefused(f"the commit nests deeper than {_MAX_DEPTH} levels")
        if values > _MAX_VALUES:
            raise InputRefused(f"the commit has more than {_MAX_VALUES} values")
        level = [inner for parent in level for inner in _children(parent)]


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _from_object(body: dict[str, Any]) -> CommitBody:
    data = body.get("runtimeData")
    if isinstance(data, list):
        pairs = [_name_and_value(pair) for pair in data]
        return CommitBody(_tree((name, value) for name, value in pairs if name), body)
    if isinstance(data, dict):
        return CommitBody(_cmi_tree(data) or {}, body)
    cmi = _cmi_tree(body)
    if cmi is None and not _COMMON_FIELDS & body.keys():
        raise InputRefused("the commit has neither cmi, nor cmi.…, nor runtimeData")
    return CommitBody(cmi or {}, body)


def _cmi_tree(holder: Mapping[str, Any]) -> dict[str, Any] | None:
    """The tree in an object that holds it whole, or flattened."""
    if "cmi" in holder:
        cmi = holder["cmi"]
        if not isinstance(cmi, dict):
            raise InputRefused("cmi must be an object")
        return cmi
    flat = [(name, value) for name, value in holder.items() if name.startswith("cmi.")]
    return _tree(flat) if flat else None


def _name_and_value(pair: Any) -> tuple[str, str]:
    if not isinstance(pair, str):
        raise InputRefused("runtimeData must be an array of name=value")
    name, _, value = pair.partition("=")
    return (name, value) if name.startswith("cmi.") else ("", "")


def _tree(flat: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """`cmi.core.score.raw` -> core, score, raw. Raises `InputRefused` where that is impossible."""
    tree: dict[str, Any] = {}
    for count, (name, value) in enumerate(flat):
        path = name.split(".")[1:]
        if len(path) > _MAX_DEPTH:
            raise InputRefused(f"the commit nests deeper than {_MAX_DEPTH} levels")
        if count > _MAX_VALUES:
            raise InputRefused(f"the commit has more than {_MAX_VALUES} values")
        inner = tree
        for step in path[:-1]:
            inner = inner.setdefault(step, {})
            if not isinstance(inner, dict):
                raise InputRefused(f"{_printable(name)} lies within what is a value")
        element = {} if value == _EMPTY_OBJECT else value
        if not isinstance(inner.setdefault(path[-1], element), dict):
            inner[path[-1]] = element
        elif element != {} and inner[path[-1]] is not element:
            raise InputRefused(f"{_printable(name)} is a value, and others lie within it")
    return tree


def _printable(name: str) -> str:
    """Of a name that anybody may have made up, what any log can hold."""
    return ascii(name[:200]).strip("'")
