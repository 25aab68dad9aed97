"""A key twice in one object is always noticed, and never seen where there is none."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.errors import InputRefused
from pointsman.statements.json_body import parse_json, repeated_key

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
