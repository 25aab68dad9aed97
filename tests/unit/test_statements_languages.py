"""Language tags: RFC 5646, as 1.0.3 Part 2 section 4.2 asks for."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from pointsman.statements.data_types import LanguageTag
from pointsman.statements.parse import Invalid, parse
from pointsman.statements.settings import Limits

TAG = TypeAdapter(LanguageTag)


@pytest.mark.parametrize(
    "tag",
    [
        "de",
        "cmn",
        "und",
        "tlh",
        "de-DE",
        "es-419",
        "zh-Hant",
        "sr-Cyrl",
        "zh-Hans-CN",
        "sr-Latn-RS",
        "zh-cmn-Hans-CN",
        "sl-rozaj-biske-1994",
        "de-CH-1901",
        "en-a-bbb-u-co-phonebk",
        "ar-a-aaa-b-bbb-x-a-ccc",
        "de-x-de-x",
        "x-a-a",
        "i-klingon",
        "en-GB-oed",
    ],
)
def test_a_tag_is_one(tag: str) -> None:
    assert TAG.validate_python(tag) == tag


@pytest.mark.parametrize(
    "tag",
    [
        "",
        "a",
        "a-DE",
        "s-RS",
        "test",  # four letters are reserved
        "something",
        "a12345",
        "en-something-AU",
        "zh-something-ccc",
        "de_DE",
        "de-",
        "-de",
        "de--DE",
        "de-DE-DE",
        "de-419-DE",
        "en-u",
        "en-x",
        "ar-a-aaa-b-bbb-a-ccc",
        "zh-z-aaa-z-bbb-c-ccc",
        "en-a-bbb-A-ccc",
        "de-DE-1901-1901",
        "sl-rozaj-Rozaj",
    ],
)
def test_no_other_text_is(tag: str) -> None:
    with pytest.raises(ValidationError):
        TAG.validate_python(tag)


def test_a_refusal_names_the_tag_and_the_rule() -> None:
    display = b'{"en": "done", "ar-a-aaa-b-bbb-a-ccc": "x"}'
    body = (
        b'{"actor": {"mbox": "mailto:ana@example.com"}, "object": {"id": "http://e.com/a"},'
        b' "verb": {"id": "http://e.com/v", "display": ' + display + b"}}"
    )
    (item,) = parse(body, Limits(), new_id=str).items
    assert isinstance(item, Invalid)
    (problem,) = item.problems
    assert problem.field == "verb.display"
    assert "'ar-a-aaa-b-bbb-a-ccc', which must not have a subtag twice" in problem.rule
