"""Paths into a body, and URIs that are made of what stands there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.errors import InputRefused
from pointsman.domain.uri_template import Template
from pointsman.statements.adapters import Path, PathTemplate

BODY: dict[str, Any] = {
    "data": {"user": {"email": "ana@example.com"}, "list": [{"id": 7}, [1, 2]]},
    "course-id": "c",
    "nothing": None,
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("data.user.email", "ana@example.com"),
        ("data.list[0].id", 7),
        ("data.list[1][1]", 2),
        ("course-id", "c"),
        ("$.course-id", "c"),
        ("$", BODY),
        ("nothing", None),
        ("nowhere.at.all", None),
        ("data.list[2]", None),
        ("data.list.id", None),
        ("data[0]", None),
        ("course-id.x", None),
    ],
)
def test_a_path_names_one_value_or_none(text: str, found: Any) -> None:
    assert Path.parse(text).find(BODY, BODY) == found


def test_a_path_starts_at_the_item_unless_it_says_the_body() -> None:
    item = {"id": "inner"}
    whole = {"id": "outer", "items": [item]}
    assert Path.parse("id").find(item, whole) == "inner"
    assert Path.parse("$.id").find(item, whole) == "outer"
    assert Path.parse("$.items[0].id").find(item, whole) == "inner"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must not be empty"),
        (".a", "at character 1"),
        ("a.", "at character 2"),
        ("a..b", "at character 2"),
        ("a b", "at character 2"),
        ("a[x]", "at character 2"),
        ("a[0]b", "at character 5"),
        ("a[-1]", "at character 2"),
        ("a[", "at character 2"),
        ("$a", "at character 1"),
        ("$.", "at character 2"),
        ("a.*", None),
        ("{a}", "at character 1"),
    ],
)
def test_what_is_no_path_is_refused_with_the_place(text: str, words: str | None) -> None:
    if words is None:
        assert Path.parse(text).steps == ("a", "*")  # a name like any other
        return
    with pytest.raises(ValueError, match=words):
        Path.parse(text)


def test_a_template_encodes_what_it_is_made_of() -> None:
    template = PathTemplate.parse("https://l.example.com/{data.list[0].id}/{$.course-id}")
    assert template.expand(BODY, BODY) == "https://l.example.com/7/c"
    assert [str(path) for path in template.paths] == ["data.list[0].id", "$.course-id"]
    awkward = PathTemplate.parse("https://l.example.com/{a}").expand({"a": "a/b ü?"}, {})
    assert awkward == "https://l.example.com/a%2Fb%20%C3%BC%3F"


@given(st.text(min_size=1).filter(lambda text: text.strip() and text.isprintable()))
def test_a_rule_finds_again_what_a_template_was_made_of(name: str) -> None:
    made = PathTemplate.parse("https://l.example.com/{id}/x").expand({"id": name}, {})
    assert Template("https://l.example.com/{id}/x").match(made) == {"id": name.strip()}


@pytest.mark.parametrize(("value", "words"), [(None, "nothing"), ("", "nothing"), ([], "neither")])
def test_a_template_without_its_value_is_refused_with_the_path(value: Any, words: str) -> None:
    with pytest.raises(InputRefused, match=f"the body has {words}.* at a"):
        PathTemplate.parse("https://l.example.com/{a}").expand({"a": value}, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [("https://x/{a", "partner"), ("https://x/a}", "partner"), ("https://x/{a..b}", "{a..b}")],
)
def test_a_broken_template_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PathTemplate.parse(text)
