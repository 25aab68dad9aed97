"""A key twice in one object is always noticed, and never seen where there is none."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.errors import InputRefused
from pointsman.statements.json_body import parse_json, read_json, repeated_key

text = st.text(alphabet='ab"\\/\n\x00é€😀', max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=12,
)


def written(value: Any, *, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode()


@given(values, st.booleans())
def test_what_has_no_key_twice_passes(value: Any, ascii_only: bool) -> None:
    body = written(value, ascii_only=ascii_only)
    assert repeated_key(body, orjson.loads(body)) is None


@given(values, text, values, values, st.booleans())
def test_a_key_twice_is_named(
    around: Any, key: str, first: Any, second: Any, ascii_only: bool
) -> None:
    pair = b",".join(
        written(key, ascii_only=ascii_only) + b":" + written(one, ascii_only=ascii_only)
        for one in (first, second)
    )
    body = b"[" + written(around, ascii_only=ascii_only) + b",{" + pair + b"}]"
    assert repeated_key(body, orjson.loads(body)) == key


@pytest.mark.parametrize("number", ["1e400", "-1e999", "1" + "0" * 400])
def test_a_number_that_no_double_holds_is_told_as_what_it_is(number: str) -> None:
    """It is JSON, and larger than is taken (RFC 8259 section 6)."""
    with pytest.raises(InputRefused, match=r"a number beyond .* line 1, column .* larger than"):
        parse_json(b'{"a": %s}' % number.encode())


@pytest.mark.parametrize(
    ("body", "value", "readable"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}, b'{"a": 1}'),
        (rb'"cut \ud83d"', "cut \ufffd", rb'"cut \ufffd"'),
        (rb'"\uDE00 alone"', "\ufffd alone", rb'"\ufffd alone"'),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd😀", rb'"\ufffd\ud83d\ude00"'),
        (rb'"\\\ud83d"', "\\\ufffd", rb'"\\\ufffd"'),
        (rb'["\\ud83d", "\ud83d"]', ["\\ud83d", "\ufffd"], rb'["\\ud83d", "\ufffd"]'),
        (rb'{"\ud83d": "\ud83d\ude00"}', {"\ufffd": "😀"}, rb'{"\ufffd": "\ud83d\ude00"}'),
    ],
)
def test_a_mark_in_front_and_half_a_character_cost_nothing_else(
    body: bytes, value: Any, readable: bytes
) -> None:
    """RFC 8259 sections 8.1 and 8.2: JavaScript writes half an emoji of a text that it has cut."""
    assert read_json(body, tolerant=True) == (value, readable)
    assert orjson.loads(readable) == value


def test_half_a_character_is_refused_where_the_sender_can_be_told() -> None:
    with pytest.raises(InputRefused, match="not JSON: no low surrogate"):
        parse_json(rb'"cut \ud83d"')
    assert parse_json(b"\xef\xbb\xbf1") == 1


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (rb'{"a": 1, "a": "\ud83d"}', "'a' appears twice"),
        (b'\xef\xbb\xbf{"a": 1, "a": 1}', "'a' appears twice"),
        (rb'{"\ud83d": 1, "\ud83e": 2}', "appears twice"),
        (b"\xef\xbb\xbf" * 2 + b"1", "not JSON"),
        (b'"\xed\xa0\xbd"', "not JSON"),
        (rb'"\ud83d', "not JSON"),
        (b"\xef\xbb\xbf", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not JSON"),
    ],
)
def test_what_is_wrong_beside_them_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(InputRefused, match=why):
        parse_json(body, tolerant=True)
