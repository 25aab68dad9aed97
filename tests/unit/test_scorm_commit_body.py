"""A commit's body, in every form that scorm-again has, becomes one tree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.errors import InputRefused
from pointsman.statements.scorm import Commit, parse_commit
from pointsman.statements.scorm.commit_body import parse_commit_body
from tests.support.scorm_bodies import BODIES

TREE: dict[str, Any] = {
    "suspend_data": "page=3;quiz=ü&x=1 2",
    "core": {"lesson_status": "incomplete", "score": {"raw": "72.5", "max": "100"}},
    "interactions": {"0": {"id": "q1", "objectives": {}}},
}
FLAT: dict[str, Any] = {
    "cmi.suspend_data": "page=3;quiz=ü&x=1 2",
    "cmi.core.lesson_status": "incomplete",
    "cmi.core.score.raw": "72.5",
    "cmi.core.score.max": "100",
    "cmi.interactions.0.id": "q1",
    "cmi.interactions.0.objectives": {},
}
PAIRS = [f"{name}={'[object Object]' if value == {} else value}" for name, value in FLAT.items()]
FORM = "&".join(PAIRS)
COMMON = {"completionStatus": "incomplete", "successStatus": "unknown", "totalTimeSeconds": 0}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"cmi": TREE}),
        json.dumps({"cmi": TREE, "adl": {}, "courseId": "c", "extra": [1]}, indent=2),
        json.dumps(FLAT),
        FORM,
        json.dumps({**COMMON, "runtimeData": {"cmi": TREE}}),
        json.dumps({**COMMON, "runtimeData": FLAT}),
        json.dumps({**COMMON, "runtimeData": PAIRS}),
    ],
    ids=["json", "extras", "flattened", "params", "in common", "flattened in common", "array"],
)
def test_every_form_becomes_the_same_tree(body: str) -> None:
    assert parse_commit_body(body.encode()).cmi == TREE


@pytest.mark.parametrize(
    ("form", "cmi"),
    [
        ("cmi.a=1&b=2&cmi.c=3", {"a": "1&b=2", "c": "3"}),
        ("cmi.a=100%&cmi.b=1+1%20", {"a": "100%", "b": "1+1%20"}),
        ("cmi.a=x=y&cmi.b=", {"a": "x=y", "b": ""}),
        ("cmi.a=&&cmi.b=&", {"a": "&", "b": "&"}),
        ("cmi.a=see cmi.b=1&cmi.=2", {"a": "see cmi.b=1&cmi.=2"}),
        # a name that comes again is text of the course that stands before it
        (
            "cmi.suspend_data=x&cmi.core.exit=y&cmi.launch_data=&cmi.core.exit=suspend",
            {"suspend_data": "x&cmi.core.exit=y", "launch_data": "", "core": {"exit": "suspend"}},
        ),
        (
            "cmi.exit=suspend&cmi.suspend_data=x&cmi.exit=normal&cmi.mode=normal",
            {"exit": "suspend", "suspend_data": "x&cmi.exit=normal", "mode": "normal"},
        ),
    ],
)
def test_a_form_is_split_only_where_a_name_follows(form: str, cmi: dict[str, Any]) -> None:
    assert parse_commit_body(form.encode()).cmi == cmi


@given(st.text(st.characters(codec="utf-8")).filter(lambda text: "&cmi." not in text))
def test_whatever_a_course_keeps_comes_through_a_form(kept: str) -> None:
    body = f"cmi.suspend_data={kept}&cmi.core.lesson_status=completed"
    found = parse_commit_body(body.encode()).cmi
    assert found == {"suspend_data": kept, "core": {"lesson_status": "completed"}}


def test_what_stands_behind_a_form_is_not_of_its_last_value() -> None:
    body = parse_commit_body(b"cmi.completion_status=completed&isFinal=true&commitSequence=7")
    assert body.cmi == {"completion_status": "completed"}
    assert body.beside == {"isFinal": True, "commitSequence": 7}


@pytest.mark.parametrize("body", ["&final=true", "&cmi.suspend_data=x"])
def test_a_form_of_the_same_over_and_over_takes_no_time(body: str) -> None:
    found = parse_commit_body(b"cmi.suspend_data=a" + body.encode() * 100_000).cmi
    assert len(found["suspend_data"]) > 1_000_000


def test_a_text_that_a_course_cut_in_an_emoji_comes_back_as_it_was() -> None:
    found = parse_commit_body(b'{"cmi":{"suspend_data":"\\ud83d"}}').cmi
    assert found == {"suspend_data": "\ud83d"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "neither a JSON object nor a form"),
        (b"hello", "neither a JSON object nor a form"),
        (b"a=1&cmi.b=2", "neither a JSON object nor a form"),
        (b"{", "not JSON"),
        (b'{"cmi": NaN}', "NaN is no number"),
        (b'{"cmi": ' + b"9" * 5_000 + b"}", "number that is none"),
        (b'{"cmi": []}', "cmi must be an object"),
        (b"{}", "neither cmi, nor cmi.\u2026, nor runtimeData".encode()),
        (b'{"runtimeData": "cmi.a=1"}', b"neither cmi"),
        (b'{"runtimeData": [1]}', "array of name=value"),
        (b'{"cmi": ' + b'{"a":' * 40 + b"1" + b"}" * 41, "deeper than 32"),
        (b'{"cmi": ' + b"[" * 100_000, "deeper than 32"),
        (b'{"cmi.' + b"a." * 40 + b'b": 1}', "deeper than 32"),
        (b'{"cmi": {"a": [' + b"0," * 50_000 + b"0]}}", "more than 50000"),
        ("&".join(f"cmi.a{n}=" for n in range(50_002)).encode(), "more than 50000"),
        (b'{"cmi.core": "x", "cmi.core.exit": ""}', "cmi.core.exit lies within"),
        (b'{"cmi.core.exit": "", "cmi.core": "x"}', "cmi.core is a value"),
        (b'{"cmi.\\ud83d": "", "cmi.\\ud83d.a": ""}', "cmi.\\ud83d.a lies within"),
        (b"cmi.exit=&cmi.mode=normal&cmi.exit=suspend", "cmi.exit appears twice"),
    ],
)
def test_anything_else_is_refused_with_the_reason(body: bytes, words: str | bytes) -> None:
    with pytest.raises(InputRefused) as refused:
        parse_commit_body(body)
    assert (words if isinstance(words, str) else words.decode()) in str(refused.value)


@given(BODIES)
def test_any_bytes_are_a_commit_or_a_clear_refusal(body: bytes) -> None:
    try:
        found = parse_commit(body)
    except InputRefused:
        return
    assert isinstance(found, Commit)
