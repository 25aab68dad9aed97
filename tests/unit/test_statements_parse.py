"""Bytes to valid statements: what is taken, what is refused and why, and what is the same."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.domain.errors import InputRefused
from pointsman.statements import Invalid, Limits, Parsed, StatementsRefused, Valid, parse
from tests.support.malformed_bodies import GOOD, MALFORMED

PLAYERS = Path(__file__).parent.parent / "data" / "players"
ID = "0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11"
OTHER = "1f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11"


def read(body: object, limits: Limits | None = None) -> Parsed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    count = itertools.count(1)
    return parse(raw, limits or Limits(), new_id=lambda: f"new {next(count)}", data={})


def read_one(**changes: Any) -> Valid:
    (item,) = read({**GOOD, **changes}).items
    assert isinstance(item, Valid), item
    return item


def reasons(parsed: Parsed) -> list[str]:
    return [
        str(problem)
        for item in parsed.items
        if isinstance(item, Invalid)
        for problem in item.problems
    ]


@pytest.mark.parametrize(
    ("body", "words"), [pytest.param(body, words, id=name) for name, body, words in MALFORMED]
)
def test_what_is_malformed_is_refused_and_the_reason_names_it(body: bytes, words: str) -> None:
    try:
        found = "; ".join(reasons(read(body)))
    except InputRefused as error:
        found = str(error)
    assert words in found


_AGENT = {"mbox": "mailto:a@example.com"}
_MEMBERS = [_AGENT, {"account": {"homePage": "http://e.com", "name": "b"}}]
_SUB = {"objectType": "SubStatement", **GOOD}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"actor": {"objectType": "Agent", "name": "Ana", **_AGENT}},
        {"actor": {"mbox_sha1sum": "EBD31E95054C018B10727CCFFD2EF2EC3A016EE9"}},
        {"actor": {"openid": "https://ana.example.com/"}},
        {"actor": {"account": {"homePage": "https://lms.example.com", "name": "4711"}}},
        {"actor": {"objectType": "Group", "mbox": "mailto:team@example.com"}},
        {"actor": {"objectType": "Group", "member": _MEMBERS}},
        {"verb": {"id": "http://e.com/did", "display": {"en-US": "did", "de": "tat"}}},
        {"object": {"id": "urn:lesson:1", "objectType": "Activity"}},
        {"object": {"id": "http://e.com/grün", "definition": {"name": {"und": "x"}}}},
        {"object": {"objectType": "StatementRef", "id": ID}},
        {"object": {"objectType": "Agent", **_AGENT}},
        {"object": _SUB},
        {"object": {"id": "http://e.com/1", "definition": {"extensions": {"http://e": None}}}},
        {
            "object": {
                "id": "http://e.com/1",
                "definition": {
                    "interactionType": "choice",
                    "correctResponsesPattern": ["a[,]b"],
                    "choices": [{"id": "a", "description": {"en": "A"}}, {"id": "b"}],
                },
            }
        },
        {"result": {"score": {"scaled": -1, "raw": 3, "min": 0, "max": 10}}},
        {"result": {"duration": "P1DT2H3M4.5S", "response": "", "success": False}},
        {"result": {"duration": "P4W"}},
        {"context": {"registration": ID.upper(), "language": "de-CH-1996", "platform": "x"}},
        {"context": {"contextActivities": {"parent": {"id": "http://e.com/p"}, "other": []}}},
        {"context": {"contextAgents": [{"objectType": "contextAgent", "agent": _AGENT}]}},
        {"timestamp": "2026-01-05T10:00:00Z"},
        {"timestamp": "2026-01-05T10:00:00.123456789+05:30"},
        {"timestamp": "2026-01-05T10:00:00,5-0130"},
        {"timestamp": "20260105T100000Z"},
        {"timestamp": "2026-01-05T10:00"},
        {"timestamp": "2016-12-31T23:59:60Z"},
        {"timestamp": "2026-W48-6T10:00:00Z"},
        {"timestamp": "2026W486T10Z"},
        {"timestamp": "2026-332T10:00:00Z"},
        {"timestamp": "2026332T1000+01"},
        {"timestamp": "2024-366T10:00:00Z"},
        {"timestamp": "2026-11-27T24:00:00Z"},
        {"timestamp": "2026-11-27T24:00:00.000Z"},
        {"timestamp": "20261127T24Z"},
        {"id": ID, "stored": "2026-01-05T10:00:00Z", "version": "1.0.3"},
        {"version": "2.0.0"},
        {"authority": {"objectType": "Group", "member": _MEMBERS}},
        {
            "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
            "object": {"objectType": "StatementRef", "id": ID},
        },
    ],
)
def test_what_xapi_allows_is_taken(changes: dict[str, Any]) -> None:
    assert reasons(read({**GOOD, **changes})) == []


def test_a_leap_second_is_taken_in_the_basic_format_too() -> None:
    assert reasons(read({**GOOD, "timestamp": "20161231T235960Z"})) == []


def test_a_statement_by_itself_has_no_place_and_one_of_an_array_has() -> None:
    alone, batch = read(GOOD), read([GOOD, GOOD, 1])
    assert (alone.is_array, [item.index for item in alone.items]) == (False, [None])
    assert (batch.is_array, [item.index for item in batch.items]) == (True, [0, 1, 2])
    assert read([]) == Parsed((), is_array=True)


def test_an_id_is_kept_in_lower_case_and_made_where_there_is_none() -> None:
    ids = [item.statement_id for item in read([GOOD, {**GOOD, "id": ID}, GOOD]).items]
    assert ids == ["new 1", ID, "new 2"]
    assert read_one(id=ID.upper()).statement_id == ID
    assert read_one().statement_id == "new 1"


def test_an_invalid_statement_does_not_spoil_the_others() -> None:
    parsed = read([GOOD, {**GOOD, "verb": {}}, {**GOOD, "id": ID}])
    assert [type(item) for item in parsed.items] == [Valid, Invalid, Valid]
    assert reasons(parsed) == ["statement 1: verb.id is required"]


def test_an_invalid_statement_is_named_by_the_id_it_brings_cut_short() -> None:
    (item,) = read({**GOOD, "id": "x" * 500}).items
    assert isinstance(item, Invalid)
    assert item.statement_id == "x" * 80


@pytest.mark.parametrize("again", [ID, ID.upper()])
def test_an_id_that_stands_twice_in_a_batch_is_refused_the_second_time(again: str) -> None:
    parsed = read([{**GOOD, "id": ID}, {**GOOD, "id": again}, {**GOOD, "id": OTHER}])
    assert [type(item) for item in parsed.items] == [Valid, Invalid, Valid]
    assert reasons(parsed) == [
        f"statement 1 (id {ID}): id appears twice in this batch (section 2.4.1)"
    ]


def test_an_id_that_an_invalid_statement_brought_may_come_again_in_the_batch() -> None:
    parsed = read([{**GOOD, "id": ID, "verb": {}}, {**GOOD, "id": ID}])
    assert [type(item) for item in parsed.items] == [Invalid, Valid]


def test_as_many_statements_are_taken_as_the_limit_says() -> None:
    assert len(read([GOOD] * 3, Limits(max_statements=3)).items) == 3
    with pytest.raises(InputRefused, match="has 4 statements; at most 3"):
        read([GOOD] * 4, Limits(max_statements=3))


def test_one_statement_has_as_many_objects_and_arrays_as_the_limit_says() -> None:
    def wide(values: int) -> dict[str, Any]:
        # the statement, its actor, verb, object, result and extensions are six
        return {**GOOD, "result": {"extensions": {"http://example.com/x": [[]] * (values - 7)}}}

    limits = Limits(max_values=200)
    parsed = read([wide(200), wide(201)], limits)

    assert [type(item) for item in parsed.items] == [Valid, Invalid]
    [reason] = reasons(parsed)
    assert "has more than 200 objects and arrays (http.max_values)" in reason


def test_a_body_of_too_many_objects_and_arrays_is_refused_before_it_is_parsed() -> None:
    body = b"[" * 10_001

    with pytest.raises(InputRefused, match=r"more than 10000 objects and arrays \(fifty times"):
        parse(body, Limits(max_values=200), new_id=str)


def test_nesting_is_taken_up_to_the_limit_and_refused_beyond_it() -> None:
    # statement, result, extensions: three deep already
    def nested(levels: int) -> dict[str, Any]:
        value: Any = 1
        for level in range(levels):
            value = [value] if level % 2 else {"a": value}
        return {**GOOD, "result": {"extensions": {"http://e.com/x": value}}}

    assert reasons(read(nested(5), Limits(max_depth=8))) == []
    assert reasons(read(nested(6), Limits(max_depth=8))) == [
        "statement: it is nested deeper than 8 (http.max_depth)"
    ]


def test_width_is_not_depth() -> None:
    wide = {**GOOD, "result": {"extensions": {"http://e.com/x": [[]] * 500}}}
    assert reasons(read(wide, Limits(max_depth=8))) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ID},
        {"stored": "2026-01-05T10:00:00Z"},
        {"version": "1.0.0"},
        {"authority": {"mbox": "mailto:lrs@example.com"}},
    ],
)
def test_what_the_endpoint_assigns_does_not_make_another_statement(changes: dict[str, Any]) -> None:
    assert read_one(**changes).digest == read_one().digest


def test_the_order_of_properties_does_not_make_another_statement() -> None:
    (turned,) = read(dict(reversed(GOOD.items()))).items
    assert isinstance(turned, Valid)
    assert turned.digest == read_one().digest


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": "2026-01-05T10:00:00Z"},
        {"result": {"completion": True}},
        {"actor": {"mbox": "mailto:bea@example.com"}},
        {"object": {"id": "http://example.com/course/2"}},
        {"context": {"registration": ID}},
    ],
)
def test_what_was_said_makes_another_statement(changes: dict[str, Any]) -> None:
    assert read_one(**changes).digest != read_one().digest


def test_a_digest_fits_a_signed_integer_of_64_bits() -> None:
    digests = [
        read_one(object={"id": f"http://example.com/{number}"}).digest for number in range(64)
    ]
    assert all(-(2**63) <= one < 2**63 for one in digests)
    assert any(one < 0 for one in digests)


def test_a_refusal_lists_ten_problems_and_counts_the_rest() -> None:
    parsed = read([{**GOOD, "verb": {}}] * 13)
    problems = [one for item in parsed.items if isinstance(item, Invalid) for one in item.problems]
    text = str(StatementsRefused(problems))
    assert "statement 9:" in text
    assert "statement 10:" not in text
    assert text.endswith("and 3 more")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=100)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_refused_or_read_in_words(body: bytes) -> None:
    try:
        parsed = read(body)
    except InputRefused as error:
        assert str(error)  # noqa: PT017 - whether it is raised depends on the body
    else:
        assert all(isinstance(item, Invalid) and item.problems for item in parsed.items)


FULL: dict[str, Any] = {
    **GOOD,
    "id": ID,
    "actor": {"objectType": "Agent", "account": {"homePage": "http://e.com", "name": "b"}},
    "object": {"id": "http://e.com/1", "definition": {"type": "http://e.com/t"}},
    "result": {"score": {"scaled": 0.5}, "extensions": {"http://e.com/x": [1, {"a": None}]}},
    "context": {"registration": OTHER, "contextActivities": {"parent": [{"id": "http://e.com"}]}},
    "timestamp": "2026-01-05T10:00:00Z",
}


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key)
            yield from _places(child, (*path, key))


@settings(max_examples=150)
@given(st.sampled_from(list(_places(FULL))), JSON)
def test_a_statement_with_any_one_value_replaced_is_taken_or_refused_in_words(
    place: tuple[Any, ...], value: Any
) -> None:
    statement = copy.deepcopy(FULL)
    parent: Any = statement
    for step in place[:-1]:
        parent = parent[step]
    parent[place[-1]] = value
    (item,) = read(statement).items
    if isinstance(item, Invalid):
        assert all(problem.field and problem.rule for problem in item.problems)
        assert all(str(place[0]) in problem.field for problem in item.problems)


def _recorded() -> list[Any]:
    """Bodies of statements that players sent, without attachments; whatever was answered."""
    found = []
    for file in sorted(PLAYERS.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            seen = json.loads(line)
            if (
                seen["method"] in {"PUT", "POST"}
                and seen["path"].endswith("/statements")
                and seen["body"][:1] in {"{", "["}
            ):
                name = f"{file.stem} {seen['seq']}"
                found.append(pytest.param(seen["body"].encode(), id=name))
    return found


RECORDED = _recorded()


@pytest.mark.parametrize("body", RECORDED)
def test_what_real_players_send_is_taken(body: bytes) -> None:
    parsed = read(body)
    assert parsed.items
    assert reasons(parsed) == []


def test_there_are_recordings_of_every_player() -> None:
    names = {str(one.id).split(" ", maxsplit=1)[0] for one in RECORDED}
    assert names == {"tincanjs", "xapi-cmi5", "xapi-xapi"}
    assert len(RECORDED) > 50


@pytest.mark.parametrize(
    ("address", "valid"),
    [
        ("ana@example.com", True),
        ("ana+tag/x@example.com", True),
        ("o'neil@ex-ample.co.uk", True),
        ("ana@example.com?subject=x", False),
        ("ana?subject=x@example.com", False),
        ("ana@example.com#part", False),
        ("ana@example.com/path", False),
        ("ana@example.com,ben@example.com", False),
        ("ana", False),
        # an escape says no more than its character
        ("ana%2Bx@example.com", True),
        ("ana@%E7%B4%8D.example", True),
        ("ana@example.com%3Fsubject=x", False),
        ("//ana@example.com", False),
        ("/ana@example.com", False),
        ("ana%0A@example.com", False),
        ("%0D%0Aana@example.com", False),
        ("a%00na@example.com", False),
        ("o/g@example.com", True),
        ("ana@example.com%2Fpath", False),
        ("ana@example.com%2Cben@example.com", False),
    ],
)
@pytest.mark.parametrize("scheme", ["mailto", "MAILTO"])
def test_a_mailbox_is_an_address_and_nothing_else(
    scheme: str, address: str, *, valid: bool
) -> None:
    """1.0.3 Part 2 section 2.4.2.3; RFC 6068 allows more in a mailto URI."""
    sent = {**GOOD, "actor": {"mbox": f"{scheme}:{address}"}}
    assert (reasons(read(sent)) == []) is valid
