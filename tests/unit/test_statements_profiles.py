"""What the profiles of single players say: video, H5P, and how Rise and Storyline are read."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.evidence import Coverage
from pointsman.domain.records import Observation, Reading
from pointsman.statements import Limits, NoEffect, Valid, observe, parse
from tests.support.malformed_bodies import GOOD

ID = "0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11"
NOW = 1_767_571_200_000_000
ADL = "http://adlnet.gov/expapi/verbs/"
VIDEO = "https://w3id.org/xapi/video/extensions/"
PLAYED, LENGTH, THRESHOLD = (
    f"{VIDEO}{name}" for name in ("played-segments", "length", "completion-threshold")
)
H5P_CATEGORY = {"category": [{"id": "http://h5p.org/libraries/H5P.TrueFalse-1.8"}]}
PARENT = {"parent": [{"id": "https://content.example.com/quiz"}]}
QUIZ = "https://content.example.com/quiz"


def read(**changes: Any) -> Observation | NoEffect:
    (item,) = parse(json.dumps({**GOOD, **changes}).encode(), Limits(), new_id=lambda: ID).items
    assert isinstance(item, Valid), item
    return observe(item, NOW)


def seen(**changes: Any) -> Observation:
    found = read(**changes)
    assert isinstance(found, Observation), found
    return found


def recording(played: object = None, **around: object) -> Observation:
    names = {"length": LENGTH, "threshold": THRESHOLD}
    return seen(
        result={"completion": True, "extensions": {} if played is None else {PLAYED: played}},
        context={"extensions": {names[name]: value for name, value in around.items()}},
    )


def video(played: object = None, **around: object) -> Coverage | None:
    return recording(played, **around).coverage


@pytest.mark.parametrize(
    ("played", "around", "said"),
    [
        (
            "0.002[.]2.417[,]5[.]10[,]0.003[.]10",
            {"length": 10.01, "threshold": "1.0"},
            Coverage(((0.002, 2.417), (5, 10), (0.003, 10)), 10.01, 1.0),
        ),
        ("0[.]1", {"length": "60", "threshold": 0.8}, Coverage(((0, 1),), 60, 0.8)),
        (" 0[.]1 [,] 2[.]3", {"length": 9}, Coverage(((0, 1), (2, 3)), 9)),
        # said by another statement of the session
        ("0[.]1", {}, Coverage(((0, 1),), math.inf)),
        (None, {"length": 9, "threshold": 0.5}, Coverage(None, 9, 0.5)),
        # nothing was played yet, and that is said
        ("", {"length": 9}, Coverage((), 9)),
        # not known yet
        ("0[.]1", {"length": 0, "threshold": ""}, Coverage(((0, 1),), math.inf)),
        ("0[.]1", {"length": None, "threshold": 0}, Coverage(((0, 1),), math.inf)),
        # a jump back, and a clock that begins before the beginning
        ("5[.]2[,]-0.01[.]3", {"length": 9}, Coverage(((5, 2), (-0.01, 3)), 9)),
        (None, {}, None),
        (None, {"length": 0}, None),
    ],
)
def test_what_was_played_is_read(
    played: object, around: dict[str, object], said: Coverage | None
) -> None:
    assert video(played, **around) == said


@pytest.mark.parametrize(
    ("played", "around", "words"),
    [
        ("0[.]", {}, "one of them is '0[.]'"),
        ("[.]", {}, "one of them is '[.]'"),
        ("0[.]1[,]", {}, "one of them is ''"),
        ("0-1", {}, "one of them is '0-1'"),
        ("0[.]1[.]2", {}, "one of them is"),
        ("0[.]nan", {}, "one of them is"),
        ("0[.]inf", {}, "one of them is"),
        (f"0[.]{'9' * 500}", {}, "one of them is"),
        ("0[.]99999999999", {}, "one of them is"),
        (5, {}, "must be text"),
        ([[0, 1]], {}, "must be text"),
        ("[,]".join(["0[.]1"] * 10_001), {}, "at most 10,000 segments"),
        ("0[.]1", {"length": "long"}, "length] must be a number"),
        ("0[.]1", {"length": -1}, "length] must be a number"),
        ("0[.]1", {"length": False}, "length] must be a number"),
        ("0[.]1", {"length": [1]}, "length] must be a number"),
        ("0[.]1", {"threshold": 80}, "completion-threshold] must be a number from 0 to 1"),
    ],
)
def test_what_makes_no_sense_is_left_out_with_the_place_and_what_it_was(
    played: object, around: dict[str, object], words: str
) -> None:
    found = recording(played, **around)
    assert (found.coverage, found.completion) == (None, True)
    (left_out,) = found.left_out
    assert left_out.reading is Reading.COVERAGE
    assert words in left_out.reason
    assert "extensions[https://w3id.org/xapi/video/extensions/" in left_out.reason
    assert len(left_out.reason) < 400


@given(st.one_of(st.text(), st.from_regex(r"([-0-9.e+\[\],]{0,12}\[\.\])*", fullmatch=True)))
def test_segments_are_read_or_left_out_and_nothing_else(played: str) -> None:
    observation = recording(played)
    found = observation.coverage
    assert (found is None) == bool(observation.left_out)
    assert found is None or all(math.isfinite(edge) for span in found.spans or () for edge in span)


@pytest.mark.parametrize(
    ("verb", "activity", "context"),
    [
        ("answered", QUIZ, {**H5P_CATEGORY, **PARENT}),
        ("completed", QUIZ, {**H5P_CATEGORY, **PARENT}),
        ("completed", f"{QUIZ}?subContentId=1f1d6a0e", {}),
        ("passed", f"{QUIZ}?id=4&subContentId=1f1d6a0e", H5P_CATEGORY),
    ],
)
def test_a_part_of_an_h5p_activity_completes_nothing_and_says_why(
    verb: str, activity: str, context: dict[str, Any]
) -> None:
    found = read(
        verb={"id": ADL + verb},
        object={"id": activity},
        context={"contextActivities": context},
        result={"completion": True, "success": True},
    )
    assert isinstance(found, NoEffect)
    assert "a part of an H5P activity, such as an inner question" in found.reason
    assert found.activity == activity


def test_a_part_of_an_h5p_activity_is_known_by_its_extension() -> None:
    extensions = {"http://h5p.org/x-api/h5p-subContentId": "1f1d6a0e"}
    found = read(object={"id": QUIZ, "definition": {"extensions": extensions}})
    assert isinstance(found, NoEffect)


@pytest.mark.parametrize(
    ("activity", "context"),
    [
        (QUIZ, H5P_CATEGORY),
        # other players name the course as the parent
        (QUIZ, PARENT),
        (QUIZ, {**PARENT, "category": {"id": "https://w3id.org/xapi/video"}}),
        ("https://content.example.com/subContentId=/1", {}),
        ("https://[/?subContentId=1", {}),
    ],
)
def test_a_whole_activity_is_observed(activity: str, context: dict[str, Any]) -> None:
    found = seen(
        object={"id": activity},
        context={"contextActivities": context},
        result={"completion": True},
    )
    assert found.completion is True


def test_an_answer_says_nothing_about_the_whole_activity() -> None:
    done = {"completion": True, "success": True, "score": {"scaled": 0.5}}
    answered = {"id": f"{ADL}answered"}
    of_h5p = seen(verb=answered, context={"contextActivities": H5P_CATEGORY}, result=done)
    assert (of_h5p.completion, of_h5p.success, of_h5p.score) == (None, None, 0.5)
    assert "its completed is about the whole" in of_h5p.remark
    of_others = seen(verb=answered, result=done)
    assert (of_others.completion, of_others.success, of_others.remark) == (True, True, "")


@pytest.mark.parametrize(
    "known",
    [
        {"context": {"contextActivities": H5P_CATEGORY}},
        {"context": {"contextActivities": {"category": H5P_CATEGORY["category"][0]}}},
        {"extensions": {"http://h5p.org/x-api/h5p-local-content-id": 7}},
    ],
)
def test_a_page_of_h5p_is_no_percentage(known: dict[str, Any]) -> None:
    page = {"http://id.tincanapi.com/extension/ending-point": 3}
    definition = {"extensions": {**page, **known.pop("extensions", {})}}
    found = seen(
        verb={"id": f"{ADL}progressed"}, object={"id": QUIZ, "definition": definition}, **known
    )
    assert found.progress is None
    assert "names a page" in found.remark


def test_other_players_progressed_needs_no_remark() -> None:
    assert seen(verb={"id": f"{ADL}progressed"}).remark == ""


def test_rise_is_read_with_its_spelling_of_the_extension() -> None:
    rise = "http://w3id.org/xapi/cmi5/result/extensions/progress"
    found = seen(
        verb={"id": f"{ADL}progressed"}, result={"completion": False, "extensions": {rise: 38}}
    )
    assert (found.progress, found.completion) == (38, False)
