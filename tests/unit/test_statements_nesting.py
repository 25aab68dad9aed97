"""How deep statements may be nested, and how many objects and arrays they may have."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pointsman.statements import Limits, Valid, parse
from pointsman.statements.json_body import DEEPEST
from pointsman.statements.parse import Invalid, has_nested_extensions
from pointsman.statements.statement import STATEMENT

_EXTENSION = "http://example.com/x"
_PLAIN = {
    "actor": {"mbox": "mailto:ana@example.com"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
    "object": {"id": "http://example.com/course"},
}


def _activity(extensions: Any) -> dict[str, Any]:
    return {"id": "http://example.com/part", "definition": {"extensions": extensions}}


def _inside(part: dict[str, Any]) -> dict[str, Any]:
    return {**_PLAIN, "object": {"objectType": "SubStatement", **part}}


#: a statement with these extensions at every place that has them
_PLACES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "result": lambda ext: {**_PLAIN, "result": {"extensions": ext}},
    "context": lambda ext: {**_PLAIN, "context": {"extensions": ext}},
    "object": lambda ext: {**_PLAIN, "object": _activity(ext)},
    **{
        kind: lambda ext, kind=kind: {  # type: ignore[misc]
            **_PLAIN,
            "context": {"contextActivities": {kind: [_activity({}), _activity(ext)]}},
        }
        for kind in ("parent", "grouping", "category", "other")
    },
    "a single one": lambda ext: {
        **_PLAIN,
        "context": {"contextActivities": {"parent": _activity(ext)}},
    },
}
_PLACES |= {
    f"{name} of a statement inside": lambda ext, place=place: _inside(place(ext))  # type: ignore[misc]
    for name, place in _PLACES.items()
}


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def _read(statement: dict[str, Any], limits: Limits) -> Valid | Invalid:
    # long enough that its brackets are counted
    body = json.dumps([statement, {**_PLAIN, "result": {"response": "-" * 300}}]).encode()
    return parse(body, limits, new_id=str).items[0]


@pytest.mark.parametrize("place", _PLACES.values(), ids=_PLACES)
def test_an_extension_is_bounded_wherever_it_is(place: Callable[[Any], dict[str, Any]]) -> None:
    flat, deep = place({_EXTENSION: 1}), place({_EXTENSION: _deep(70)})
    wide = place({_EXTENSION: [[]] * 100})
    assert not has_nested_extensions(STATEMENT.validate_python(flat))
    assert has_nested_extensions(STATEMENT.validate_python(deep))
    for limits in (Limits(), Limits(max_values=100)):
        assert isinstance(_read(flat, limits), Valid)
        refused = _read(deep, limits)
        assert isinstance(refused, Invalid)
        assert refused.problems[0].rule == "is nested deeper than 64 (http.max_depth)"
    refused = _read(wide, Limits(max_values=100))
    assert isinstance(refused, Invalid)
    assert refused.problems[0].rule == "has more than 100 objects and arrays (http.max_values)"


def test_what_is_no_statement_is_told_its_depth_before_anything_else() -> None:
    refused = _read({"a": _deep(70)}, Limits())
    assert isinstance(refused, Invalid)
    assert refused.problems[0].rule == "is nested deeper than 64 (http.max_depth)"


def test_what_is_too_deep_to_be_written_is_refused() -> None:
    refused = _read({**_PLAIN, "context": {"extensions": {_EXTENSION: _deep(500)}}}, Limits())
    assert isinstance(refused, Invalid)
    assert refused.problems[0].rule == "is nested deeper than 64 (http.max_depth)"


def test_no_statement_is_deeper_than_is_assumed() -> None:
    component = {"id": "a", "description": {"en": "A"}}
    definition = {"interactionType": "choice", "choices": [component]}
    activity = {"id": "http://example.com/part", "definition": definition}
    deepest = _inside({**_PLAIN, "context": {"contextActivities": {"parent": [activity]}}})
    assert isinstance(_read(deepest, Limits(max_depth=DEEPEST)), Valid)
    assert isinstance(_read(deepest, Limits(max_depth=DEEPEST - 1)), Invalid)
    assert _deepest(STATEMENT.json_schema()) == DEEPEST


def _deepest(schema: dict[str, Any]) -> int:
    """Levels of objects and arrays that a schema describes; what may be anything has none."""
    definitions = schema["$defs"]

    def levels(part: Any) -> int:
        if not isinstance(part, dict):
            return 0
        if "$ref" in part:
            return levels(definitions[part["$ref"].rpartition("/")[2]])
        inner = [*part.get("properties", {}).values(), part.get("additionalProperties")]
        nested = part.get("type") in {"object", "array"}
        deepest = max(levels(one) for one in [*inner, part.get("items")])
        return max([nested + deepest, *map(levels, part.get("anyOf", ()))])

    return levels(schema)
