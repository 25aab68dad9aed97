"""A fault beside the point costs a statement nothing else, where nobody can correct its sender."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.errors import InputRefused
from pointsman.domain.records import Observation, Reading
from pointsman.statements import Invalid, Limits, Parsed, Tolerance, Valid, observe, parse

ACTIVITY = "https://content.example.com/lesson-1"
GOOD: dict[str, Any] = {
    "actor": {"mbox": "mailto:ana@example.com"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
    "object": {"id": ACTIVITY},
}
COURSE = {"type": "http://adlnet.gov/expapi/activities/course"}
NOTE = "tag:pointsman,2026:left-out"
IDS = [f"00000000-0000-4000-8000-00000000000{digit}" for digit in range(4)]


def read(body: Any, tolerance: Tolerance = Tolerance.TIDIES) -> Parsed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse(raw, Limits(), new_id=lambda: IDS[0], data={}, tolerance=tolerance)


def taken(**changes: Any) -> tuple[dict[str, Any], Observation]:
    """The statement as it is stored, and what it says."""
    parsed = read({**GOOD, **changes})
    (item,) = parsed.items
    assert isinstance(item, Valid), item
    assert orjson.loads(parsed.body) == parsed.json
    seen = observe(item, 0)
    assert isinstance(seen, Observation)
    return parsed.json, seen


def definition(**members: Any) -> dict[str, Any]:
    return {"object": {"id": ACTIVITY, "definition": {**COURSE, **members}}}


#: what was reported of players and libraries, and which reading is left out for it
FAULTS: dict[str, tuple[dict[str, Any], list[Reading]]] = {
    "a scaled score of NaN, which JavaScript writes as null": (
        {"result": {"completion": True, "score": {"scaled": None, "raw": 0}}},
        [Reading.SCORE],
    ),
    "a score of nothing out of nothing": (
        {"result": {"completion": True, "score": {"raw": 0, "min": 0, "max": 0}}},
        [Reading.SCORE],
    ),
    "a raw score above the highest": (
        {"result": {"completion": True, "score": {"scaled": 1, "raw": 110, "max": 100}}},
        [Reading.SCORE],
    ),
    "a scaled score above 1": (
        {"result": {"completion": True, "score": {"scaled": 1.25}}},
        [Reading.SCORE],
    ),
    "a score that is no object": ({"result": {"completion": True, "score": 80}}, [Reading.SCORE]),
    "empty texts for scores": (
        {"result": {"completion": True, "score": {"raw": "", "min": "", "max": ""}}},
        [Reading.SCORE] * 3,
    ),
    "a duration of NaN": (
        {"result": {"completion": True, "duration": "PTNaNS"}},
        [Reading.DURATION],
    ),
    "a duration as SCORM has it": (
        {"result": {"completion": True, "duration": "00:01:02"}},
        [Reading.DURATION],
    ),
    "seconds without their T": (
        {"result": {"completion": True, "duration": "P16559.14S"}},
        [Reading.DURATION],
    ),
    "a response that is a number": (
        {"result": {"completion": True, "response": 5}},
        [Reading.DETAIL],
    ),
    "a timestamp with a space": ({"timestamp": "2026-01-01 10:00:00"}, [Reading.TIMESTAMP]),
    "a timestamp of a day that does not exist": (
        {"timestamp": "2026-02-30T10:00:00Z"},
        [Reading.TIMESTAMP],
    ),
    "an empty registration": ({"context": {"registration": ""}}, [Reading.ATTEMPT]),
    "a language of Moodle Workplace": ({"context": {"language": "en_us_wp"}}, [Reading.DETAIL]),
    "a platform beside an empty revision": ({"context": {"revision": None}}, [Reading.DETAIL]),
    "a display in no language": (
        {"verb": {**GOOD["verb"], "display": {"en_US": "completed", "en": "completed"}}},
        [Reading.DETAIL],
    ),
    "a name that is null": (
        {"actor": {**GOOD["actor"], "name": None}},
        [Reading.DETAIL],
    ),
    "an activity's name that is null": (definition(name=None), [Reading.DETAIL]),
    "a description of null in a language": (
        definition(description={"en-US": None}),
        [Reading.DETAIL],
    ),
    "an answer pattern of null": (
        definition(interactionType="choice", correctResponsesPattern=[None]),
        [Reading.DETAIL, Reading.DETAIL],
    ),
    "a type that is no IRI": (definition(type="course"), [Reading.DETAIL]),
    "PHP's empty arrays for objects": (
        {"context": [], **definition(extensions=[])},
        [Reading.DETAIL, Reading.DETAIL],
    ),
    "nulls for what is not said": ({"context": None, "result": None}, [Reading.DETAIL] * 2),
    "an extension that is named by no IRI": (
        {"result": {"completion": True, "extensions": {"attempt": 1}}},
        [Reading.DETAIL],
    ),
    "a grouping by a bare id": (
        {"context": {"contextActivities": {"grouping": [{"id": "438AD672"}]}}},
        [Reading.DETAIL],
    ),
    "a property of an earlier version": ({"inProgress": False}, [Reading.DETAIL]),
    "a version of before 1.0": ({"version": "0.95"}, [Reading.DETAIL]),
    "a platform of what is no activity's": (
        {"context": {"team": None, "language": None, "platform": 5}},
        [Reading.DETAIL] * 3,
    ),
}


@pytest.mark.parametrize(("changes", "readings"), FAULTS.values(), ids=FAULTS.keys())
def test_what_is_beside_the_point_is_left_out_and_the_rest_counts(
    changes: dict[str, Any], readings: list[Reading]
) -> None:
    strict = read({**GOOD, **changes}, Tolerance.NONE)
    assert [type(item) for item in strict.items] == [Invalid]
    statement, seen = taken(**changes)
    assert (seen.activity, seen.verb, seen.completion) == (
        ACTIVITY,
        GOOD["verb"]["id"],
        (changes.get("result") or {}).get("completion"),
    )
    assert {left_out.reading for left_out in seen.left_out} == set(readings)
    assert set(statement["result"]["extensions"][NOTE]) == set(readings)
    # as it is stored it keeps every rule
    (again,) = read(statement, Tolerance.NONE).items
    assert isinstance(again, Valid)


def test_numbers_and_yes_in_quotation_marks_are_what_they_say() -> None:
    statement, seen = taken(
        result={"completion": "true", "success": "False", "score": {"scaled": "0.8", "raw": "80"}}
    )
    assert (seen.completion, seen.success, seen.score) == (True, False, 0.8)
    assert statement["result"] == {
        "completion": True,
        "success": False,
        "score": {"scaled": 0.8, "raw": 80},
    }
    assert taken(result={"score": {"scaled": "80"}})[1].score is None


def test_a_scaled_score_holds_beside_raw_ones_that_contradict_each_other() -> None:
    _, seen = taken(result={"score": {"scaled": 0.5, "raw": 5, "min": 10, "max": 10}})
    assert seen.score == 0.5


def test_only_the_language_that_is_wrong_goes() -> None:
    statement, _ = taken(
        verb={**GOOD["verb"], "display": {"en_US": "completed", "de": "abgeschlossen"}}
    )
    assert statement["verb"]["display"] == {"de": "abgeschlossen"}


@pytest.mark.parametrize(
    "changes",
    [
        {"actor": {"mbox": "ana@example.com"}},
        {"actor": {"name": ["Ana"], "mbox": ["mailto:ana@example.com"]}},
        {"actor": {"account": {"homePage": "lms", "name": "1"}}},
        {"actor": {"account": {"homePage": "https://lms.example.com", "name": None}}},
        {"actor": None},
        {"actor": {**GOOD["actor"], "mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"}},
        {"verb": "completed"},
        {"verb": {"id": "completed"}},
        {"verb": {}},
        {"object": {"id": "lesson 1"}},
        {"object": None},
        {"object": {"objectType": "Course", "id": ACTIVITY}},
        {"id": "1234"},
        {"result": {"completion": "maybe"}},
        {"result": {"success": "passed"}},
        {"result": {"completion": []}},
        {"context": {"contextActivities": {"parent": [{"id": "quiz"}]}}},
        {"context": {"contextActivities": {"category": [{"id": "cmi5"}]}}},
        {"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}},
        {"attachments": [{"usageType": "http://e.com/u", "display": {"en": "a"}}]},
        {"object": {"objectType": "SubStatement", **GOOD, "timestamp": "now"}},
    ],
)
def test_who_what_and_what_is_claimed_are_never_guessed(changes: dict[str, Any]) -> None:
    (item,) = read({**GOOD, **changes}).items
    assert isinstance(item, Invalid)
    assert item == read({**GOOD, **changes}, Tolerance.NONE).items[0]


def test_a_message_that_comes_late_is_not_dated_by_its_arrival() -> None:
    body = {**GOOD, "timestamp": "yesterday"}
    assert isinstance(read(body, Tolerance.TIDIES_DATED).items[0], Invalid)
    late = {**GOOD, "stored": "yesterday", "timestamp": "2026-01-01T00:00:00Z"}
    assert isinstance(read(late, Tolerance.TIDIES_DATED).items[0], Valid)


def test_of_an_array_only_what_is_wrong_is_changed() -> None:
    good = {**GOOD, "id": IDS[1]}
    flawed = {**GOOD, "id": IDS[2], "context": None}
    lost = {**GOOD, "id": IDS[3], "verb": None}
    parsed = read([good, flawed, lost])
    assert [type(item) for item in parsed.items] == [Valid, Valid, Invalid]
    first, second, third = orjson.loads(parsed.body)
    assert (first, third) == (good, lost)
    assert "context" not in second


def test_the_same_statement_again_is_the_same() -> None:
    flawed = {**GOOD, "id": IDS[2], "result": {"duration": "PTNaNS"}}
    first, again = (read(flawed).items[0] for _ in range(2))
    assert isinstance(first, Valid)
    assert isinstance(again, Valid)
    assert first.digest == again.digest


def test_a_text_that_was_cut_in_an_emoji_costs_the_character() -> None:
    raw = json.dumps({**GOOD, "result": {"completion": True, "response": "fine \ud83d"}}).encode()
    parsed = read(raw)
    assert parsed.json["result"]["response"] == "fine \ufffd"
    assert orjson.loads(parsed.body) == parsed.json
    with pytest.raises(InputRefused, match="surrogate"):
        read(raw, Tolerance.NONE)


def test_what_is_right_is_taken_as_it_came() -> None:
    raw = json.dumps(GOOD, indent=1).encode()
    assert read(raw).body is raw


_junk = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
_properties = st.sampled_from(
    ["id", "actor", "verb", "object", "result", "context", "timestamp", "attachments", "x"]
)


@given(st.dictionaries(_properties, _junk, max_size=3))
def test_whatever_comes_is_taken_whole_or_refused_as_a_strict_reader_does(
    changes: dict[str, Any],
) -> None:
    body = {**GOOD, **changes}
    parsed = read(body)
    (item,) = parsed.items
    if isinstance(item, Valid):
        (again,) = read(parsed.body, Tolerance.NONE).items
        assert isinstance(again, Valid)
        kept = {name: parsed.json[name] for name in ("actor", "verb")}
        assert kept["verb"]["id"] == body["verb"]["id"]
        assert kept["actor"]["mbox"] == body["actor"]["mbox"]
    else:
        assert item == read(body, Tolerance.NONE).items[0]
