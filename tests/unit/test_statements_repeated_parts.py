"""Parts that statements repeat are validated once, and nothing is taken for valid that is not."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from pointsman.statements.activities import Activity
from pointsman.statements.repeated_parts import validated
from tests.support.xapi_factory import statement

TYPE = {"type": "http://example.com/types/lesson"}


def about(activity_id: str, definition: dict[str, Any]) -> dict[str, Any]:
    return statement(object={"id": activity_id, "definition": definition})


def test_what_is_said_again_is_the_same_model() -> None:
    first, again = (validated(about("http://example.com/again", TYPE)) for _ in range(2))

    assert again.object is first.object
    assert again.verb is first.verb


@pytest.mark.parametrize(
    "definition", [{"type": None}, {"type": 1}, {"name": {"en": 1}}, {"moreInfo": "nowhere"}]
)
def test_a_part_of_a_known_name_that_breaks_a_rule_is_refused(definition: dict[str, Any]) -> None:
    validated(about("http://example.com/broken", TYPE))

    with pytest.raises(ValidationError) as refused:
        validated(about("http://example.com/broken", definition))
    assert refused.value.errors()[0]["loc"][0] == "object"


def test_a_part_with_an_extension_is_not_kept_for_one_equals_true() -> None:
    said = []
    for value in (1, True, 1.0):
        definition = {**TYPE, "extensions": {"http://example.com/x": value}}
        activity = validated(about("http://example.com/extended", definition)).object
        assert isinstance(activity, Activity)
        assert activity.definition is not None
        said.append(activity.definition.extensions)

    assert repr(said) == repr([{"http://example.com/x": value} for value in (1, True, 1.0)])


def test_what_becomes_of_a_statement_later_changes_nothing_that_is_known() -> None:
    taken = about("http://example.com/changed", copy.deepcopy(TYPE))
    validated(taken)
    taken["object"]["definition"]["type"] = 1

    with pytest.raises(ValidationError):
        validated(about("http://example.com/changed", {"type": 1}))


@pytest.mark.parametrize("body", [None, [], "text", 1, {}, {"actor": 1, "verb": 2, "object": 3}])
def test_what_is_no_statement_is_refused(body: Any) -> None:
    with pytest.raises(ValidationError):
        validated(body)
