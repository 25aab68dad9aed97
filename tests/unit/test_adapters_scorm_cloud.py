"""SCORM Cloud's postbacks as statements: what is read of them, and what is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.errors import InputRefused
from pointsman.domain.records import Actor, Observation, Reading
from pointsman.statements import Limits, Valid, observe, parse
from pointsman.statements.adapters import PathTemplate, ScormCloud
from tests.support.postbacks import GOLF, MULTI_SCO, sco
from tests.support.statement_ids import IDS
from tests.unit.test_adapters_json_values import JSON

ADL = "http://adlnet.gov/expapi/verbs/"
ANA = Actor("mbox", "mailto:ana@example.com")
#: microseconds, after all that the postbacks speak of
NOW = 1_900_000_000_000_000


def adapter(learner: Literal["email", "id"] = "email") -> ScormCloud:
    return ScormCloud(
        PathTemplate.parse("https://cloud.scorm.com/{course}"),
        PathTemplate.parse("https://cloud.scorm.com/{course}/{sco}"),
        "https://cloud.scorm.com",
        IDS,
        learner,
    )


def observations(postback: Any, learner: Literal["email", "id"] = "email") -> list[Observation]:
    body = postback if isinstance(postback, bytes) else json.dumps(postback).encode()
    made = adapter(learner).statements(body)
    parsed = parse(json.dumps(made).encode(), Limits(), new_id=lambda: pytest.fail("no id"))
    seen = []
    for item in parsed.items:
        assert isinstance(item, Valid), item
        observation = observe(item, NOW)
        assert isinstance(observation, Observation)
        seen.append(observation)
    return seen


def the_one(**changes: Any) -> Observation:
    """Of a small postback with these changes; None takes a part away."""
    (seen,) = observations({**SMALL, **changes})
    return seen


SMALL: dict[str, Any] = {
    "id": "r",
    "updated": "2025-10-06T10:00:00Z",
    "course": {"id": "c"},
    "learner": {"id": "l", "email": "ana@example.com"},
}


def test_a_finished_course_of_one_activity_is_one_observation() -> None:
    (seen,) = observations(GOLF)
    assert seen == Observation(
        statement_id=seen.statement_id,
        actor=Actor("account", "e04849ba", "https://cloud.scorm.com"),
        verb=ADL + "failed",
        activity="https://cloud.scorm.com/golf",
        registration="26e23536-bac9-4867-ba34-533799d97e57",
        # completedDate, which is later than updated
        occurred_at=1_706_730_363_000_000,
        progress=None,
        completion=True,
        success=False,
        score=0.07,
        activity_type="http://adlnet.gov/expapi/activities/course",
    )


def test_each_sco_that_was_opened_is_an_observation_of_its_own() -> None:
    seen = observations(MULTI_SCO)
    assert [
        (one.verb.removeprefix(ADL), one.activity, one.progress, one.completion, one.score)
        for one in seen
    ] == [
        ("progressed", "https://cloud.scorm.com/course%2F3", 50, False, None),
        ("passed", "https://cloud.scorm.com/course%2F3/one", None, True, 0.9),
        ("progressed", "https://cloud.scorm.com/course%2F3/two", 25, False, 0.5),
    ]
    assert {one.actor for one in seen} == {ANA}
    assert len({one.registration for one in seen}) == 1
    assert {one.occurred_at for one in seen} == {1_759_748_400_000_000}


def test_a_sco_names_its_course_and_its_time() -> None:
    two = adapter().statements(json.dumps(MULTI_SCO).encode())[2]
    parent = {"objectType": "Activity", "id": "https://cloud.scorm.com/course%2F3"}
    assert two["context"]["contextActivities"] == {"parent": [parent]}
    assert two["result"]["duration"] == "PT90.5S"
    assert two["object"]["definition"] == {
        "type": "http://adlnet.gov/expapi/activities/lesson",
        "name": {"und": "SCO two"},
    }


@pytest.mark.parametrize(
    ("changes", "verb", "completion", "success"),
    [
        ({}, "progressed", None, None),
        ({"registrationCompletion": None, "registrationSuccess": None}, "progressed", None, None),
        ({"registrationCompletion": "INCOMPLETE"}, "progressed", False, None),
        ({"registrationCompletion": "Completed"}, "completed", True, None),
        ({"registrationCompletion": "UNKNOWN"}, "progressed", None, None),
        ({"registrationSuccess": "PASSED"}, "passed", None, True),
        (
            {"registrationCompletion": "COMPLETED", "registrationSuccess": "FAILED"},
            "failed",
            True,
            False,
        ),
    ],
)
def test_words_become_verbs(
    changes: dict[str, Any], verb: str, completion: bool | None, success: bool | None
) -> None:
    seen = the_one(**changes)
    assert (seen.verb, seen.completion, seen.success) == (ADL + verb, completion, success)


@pytest.mark.parametrize(
    ("scaled", "score"),
    [
        *[(92.0, 0.92), (100, 1), (1, 0.01), (1.0, 0.01), (0.5, 0.005), (0, 0), (99.5, 0.995)],
        *[("80", 0.8), ("1", 0.01), (None, None)],
        *[(-0.5, None), (101, None), ("A", None)],
    ],
)
def test_a_score_is_of_a_hundred_as_score_schema_says(scaled: Any, score: float | None) -> None:
    assert the_one(score={"scaled": scaled}).score == score


@pytest.mark.parametrize(
    ("amount", "progress"),
    [(0, 0), (0.29, 29), ("0.45", 45), (1, 100), (None, None), ("NaN", None)],
)
def test_the_amount_is_progress(amount: Any, progress: float | None) -> None:
    assert the_one(registrationCompletionAmount=amount).progress == progress


def test_a_course_of_one_sco_is_as_far_as_that_sco() -> None:
    only = sco("only", "INCOMPLETE", runtime={"progressMeasure": "0.4", "scoreScaled": "0.5"})
    course, inner = observations(
        {**SMALL, "registrationCompletionAmount": 0, "activityDetails": {"children": [only]}}
    )
    assert (course.progress, course.score, course.completion) == (40, 0.5, None)
    assert (inner.progress, inner.score) == (40, 0.5)


REGISTRATION = "1f6b2c3a-0001-4c1e-9a11-000000000001"


def test_a_later_instance_is_an_attempt_of_its_own() -> None:
    def attempt(**changes: Any) -> str | None:
        return the_one(xapiRegistrationId=REGISTRATION, **changes).registration

    assert attempt() == attempt(instance=0) == attempt(instance=None) == REGISTRATION
    again = attempt(instance=1)
    assert again not in (None, REGISTRATION, attempt(instance=2))
    assert again == attempt(instance=1, updated="2025-10-07T10:00:00Z")
    unnamed = the_one(xapiRegistrationId="no uuid").registration
    assert unnamed == the_one().registration != the_one(id="other").registration


@pytest.mark.parametrize(
    ("by", "learner", "actor"),
    [
        ("email", {"id": "l", "email": "ana@example.com"}, ANA),
        ("id", {"id": "l", "email": "ana@example.com"}, "l"),
        ("email", {"id": "l", "email": None}, "l"),
        ("email", {"id": "l", "email": "no address"}, "l"),
        ("email", {"id": "ana@example.com"}, ANA),
        ("id", {"id": "ana@example.com"}, ANA),
        ("id", {"id": 17}, "17"),
        ("email", {"id": "l", "email": "mailto:ana@example.com"}, ANA),
        ("email", {"id": "MAILTO:ana@example.com"}, ANA),
        ("id", {"id": "mailto:%61na@example.com"}, ANA),
        ("email", {"id": "l", "email": "mailto:ana@example.com?subject=x"}, "l"),
    ],
)
def test_the_learner_is_a_mailbox_or_an_account(
    by: Literal["email", "id"], learner: dict[str, Any], actor: Actor | str
) -> None:
    (seen,) = observations({**SMALL, "learner": learner}, by)
    if isinstance(actor, str):
        actor = Actor("account", actor, "https://cloud.scorm.com")
    assert seen.actor == actor


def test_the_same_said_again_has_the_same_id_and_anything_else_another() -> None:
    (first,) = adapter().statements(json.dumps(GOLF).encode())
    (again,) = adapter().statements(json.dumps(GOLF, indent=2, sort_keys=True).encode())
    assert again == first
    (other,) = adapter().statements(
        json.dumps({**GOLF, "updated": "2025-01-01T00:00:00Z"}).encode()
    )
    assert other["id"] != first["id"]


def test_two_children_that_say_the_same_are_one_statement() -> None:
    twice = [sco("one", "COMPLETED")] * 2
    assert len(observations({**SMALL, "activityDetails": {"children": twice}})) == 2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<registrationreport/>", "XML"),
        (b" \n<?xml version='1.0'?><a/>", "resultsFormat"),
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"id": 1, "id": 2}', "'id' appears twice"),
        (b"[]", "must be an object"),
        (b"{}", "course.id is missing"),
        ({**SMALL, "course": "c"}, "course must be an object"),
        ({**SMALL, "course": {"id": ""}}, "course.id is missing"),
        ({**SMALL, "learner": None}, "learner.id is missing"),
        ({**SMALL, "learner": {"email": "x"}}, "learner.id is missing"),
        ({**SMALL, "activityDetails": "ORG"}, "activityDetails must be an object"),
        ({**SMALL, "activityDetails": {"children": {}}}, "children of an activity must be a list"),
        ({**SMALL, "activityDetails": {"children": [{}]}}, "with an id each"),
        (
            {**SMALL, "activityDetails": {"children": [sco("a", "COMPLETED", children=[1])]}},
            "with an id each",
        ),
    ],
)
def test_what_is_not_understood_is_refused_in_words(body: Any, words: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InputRefused, match=words):
        adapter().statements(raw)


@pytest.mark.parametrize(
    ("changes", "reading", "words"),
    [
        ({"updated": "yesterday"}, Reading.TIMESTAMP, "updated must be a time"),
        ({"registrationSuccess": 1}, Reading.SUCCESS, "registrationSuccess must be passed"),
        (
            {"registrationCompletionAmount": 45},
            Reading.PROGRESS,
            "registrationCompletionAmount must be a number from 0 to 1",
        ),
        (
            {"score": {"scaled": 101}},
            Reading.SCORE,
            "score.scaled must be a number from 0 to 100",
        ),
        ({"score": 7}, Reading.SCORE, "score must be an object"),
    ],
)
def test_what_makes_no_sense_is_left_out_and_the_completion_is_not(
    changes: dict[str, Any], reading: Reading, words: str
) -> None:
    seen = the_one(**{"registrationCompletion": "COMPLETED", **changes})
    assert seen.completion is True
    assert [left_out.reading for left_out in seen.left_out] == [reading]
    assert words in seen.left_out[0].reason


def test_a_completion_that_is_no_word_is_left_out_and_the_success_is_not() -> None:
    seen = the_one(registrationCompletion="DONE", registrationSuccess="PASSED")
    assert (seen.completion, seen.success) == (None, True)
    assert "registrationCompletion must be completed" in seen.left_out[0].reason


KEYS = sorted({*SMALL, *GOLF})
DETAILS = st.recursive(
    st.fixed_dictionaries({"id": st.text(min_size=1)}),
    lambda inner: st.fixed_dictionaries(
        {"id": JSON | st.just("a")},
        optional={
            "children": st.lists(inner, max_size=3) | JSON,
            "activityCompletion": st.sampled_from(["COMPLETED", "UNKNOWN", None]) | JSON,
            "completionAmount": st.fixed_dictionaries({"scaled": st.floats(0, 1)}) | JSON,
            "score": st.fixed_dictionaries({"scaled": st.floats(-1, 100)}) | JSON,
            "timeTracked": st.just("0000:00:01.5") | st.floats(min_value=0) | JSON,
            "runtime": JSON,
            "title": JSON,
        },
    ),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(KEYS), JSON),
    st.none() | DETAILS,
    st.text(min_size=1),
    st.text(min_size=1),
)
def test_any_json_becomes_valid_statements_or_is_refused(
    changes: dict[str, Any], details: Any, course: str, learner: str
) -> None:
    postback = {
        **SMALL,
        "course": {"id": course, "title": course},
        "learner": {"id": learner},
        "activityDetails": details,
        **changes,
    }
    with suppress(InputRefused):
        observations(postback)


@given(JSON)
def test_any_json_at_all_is_refused_in_words(found: Any) -> None:
    with pytest.raises(InputRefused):
        adapter().statements(json.dumps(found).encode())
