"""Error messages for a configuration: the key, its value unless secret, and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pointsman.config.environment import json_error, variables
from pointsman.config.settings import Settings
from pointsman.setting_types import Section

Loc = tuple[int | str, ...]

_ABSENT = object()
_LONGEST_VALUE = 100
#: user:password@ and ?apiKey=..., wherever they may have been put by mistake
_SECRET_PARTS = re.compile(r"[^\s/\"',@]*:[^\s/\"',@]*@|(?<=\?)[^\s\"',]+")
_FIXED_WORDS = {
    "missing": "is missing",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "tuple_type": "must be a list",
    "string_type": "must be text in quotes",
    "string_too_short": "must not be empty",
    "too_short": "must hold at least one",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "path_type": "must be the path of a file, in quotes",
}
_NUMBER_TYPES = ("int_", "float_", "greater_than", "less_than", "finite_number")
_STRUCTURES = ("model_type", "dict_type", "tuple_type")


def describe(error: ValidationError, tree: Mapping[str, Any]) -> Iterator[str]:
    """A line for each error; `tree` is what was validated."""
    names = variables()
    for detail in error.errors(include_url=False):
        loc = detail["loc"]
        models, field = _models_and_field(loc)
        source = next(
            (names[path] for path in _prefixes(loc) if path in names),
            None,
        )
        value = _shown_value(detail, _value_at(tree, loc), field)
        origin = f" (from {source})" if source else ""
        words = _words(detail, models, field, _value_at(tree, loc) if source else None)
        yield f"{_dotted(loc)}{_label(loc, tree)}{value}{origin}: {words}"


def _models_and_field(loc: Loc) -> tuple[list[type[Section]], FieldInfo | None]:
    """The sections on the way to a key, the nearest last, and the key's field if it is known."""
    models: list[type[Section]] = [Settings]
    model: type[Section] | None = Settings
    field: FieldInfo | None = None
    for part in loc:
        if isinstance(part, int) or model is None:
            continue
        field = model.model_fields.get(part)
        model = _section_in(field.annotation) if field is not None else None
        if model is not None and part != loc[-1]:
            models.append(model)
    return models, field


def _leaf_types(annotation: Any) -> Iterator[Any]:
    arguments = get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _leaf_types(argument)


def _section_in(annotation: Any) -> type[Section] | None:
    for leaf in _leaf_types(annotation):
        if isinstance(leaf, type) and issubclass(leaf, Section):
            return leaf
    return None


def _prefixes(loc: Loc) -> Iterator[tuple[str, ...]]:
    path = tuple(str(part) for part in loc)
    for length in range(len(path), 0, -1):
        yield path[:length]


def _value_at(tree: Any, loc: Loc) -> Any:
    for part in loc:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return tree


def _dotted(loc: Loc) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _label(loc: Loc, tree: Mapping[str, Any]) -> str:
    """The name of the list item, or its number counted from 1."""
    places = [place for place, part in enumerate(loc) if isinstance(part, int)]
    if not places or loc[0] not in {"rules", "sources"}:
        return ""
    place = places[0]
    name = _value_at(tree, (*loc[: place + 1], "name"))
    number = int(loc[place]) + 1
    if loc[0] == "rules":
        return f' (rule "{name}")' if isinstance(name, str) and name else f" (rule {number})"
    return f' (source "{name}")' if isinstance(name, str) and name else f" (source {number})"


def _shown_value(detail: ErrorDetails, value: Any, field: FieldInfo | None) -> str:
    """` = value` where there is one and it can't be a secret."""
    if field is None or value is _ABSENT or detail["type"] in _STRUCTURES:
        return ""
    if SecretStr in _leaf_types(field.annotation) or _section_in(field.annotation) is not None:
        return ""
    if isinstance(value, bool):
        return f" = {str(value).lower()}"
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        return ""
    if not isinstance(value, str | int | float | list):
        return ""
    text = _SECRET_PARTS.sub("…", repr(value))
    return f" = {text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + '…'}"


def _words(
    detail: ErrorDetails, models: list[type[Section]], field: FieldInfo | None, variable: Any
) -> str:
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(str(detail["loc"][-1]), models[-1])
    if kind == "value_error":
        return str(context["error"])
    if kind in {"literal_error", "enum"}:
        return f"must be {context['expected']}"
    if kind in _STRUCTURES and isinstance(variable, str):
        why = json_error(variable) or "it is something else"
        shape = "list" if kind == "tuple_type" else "table"
        return f"must be a {shape}, as JSON ({why})"
    if kind.startswith(_NUMBER_TYPES) and field is not None:
        return f"must be {_allowed_numbers(field)}"
    return _FIXED_WORDS.get(kind, detail["msg"])


def _unknown(key: str, section: type[Section]) -> str:
    close = get_close_matches(key, section.model_fields, n=1)
    if close:
        return f"is no setting; did you mean {close[0]}?"
    return f"is no setting; there are {', '.join(section.model_fields)}"


def _allowed_numbers(field: FieldInfo) -> str:
    words = "a whole number" if field.annotation is int else "a number"
    low, high = "", ""
    for bound in field.metadata:
        if hasattr(bound, "ge"):
            low = f"from {bound.ge}"
        elif hasattr(bound, "gt"):
            low = f"above {bound.gt}"
        elif hasattr(bound, "le"):
            high = f"and up to {bound.le}" if "above" in low else f"to {bound.le}"
    return " ".join(part for part in (words, low, high or "upwards") if part)
