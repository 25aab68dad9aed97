"""A mastery score of the launch decides, whatever the course's own page makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pointsman.domain.launch import PlayerKind
from pointsman.statements.scorm import commit_statement, parse_commit
from tests.support.launch_factory import launch
from tests.support.statement_ids import IDS


def stated(cmi: dict[str, Any], mastery: float | None = 0.8, *, final: bool = False) -> list[Any]:
    """Verb, completion and success of a commit."""
    body = json.dumps({"cmi": cmi}).encode()
    opened = launch(kind=PlayerKind.SCORM, mastery_score=mastery)
    statement = commit_statement(parse_commit(body, final=final), opened, 1, IDS)
    result = statement.get("result", {})
    verb = statement["verb"]["id"].rpartition("/")[2]
    return [verb, result.get("completion"), result.get("success")]


def lesson(
    status: str, raw: str = "", least: str = "", most: str = "", mastery: str = "80"
) -> dict[str, Any]:
    score = {"raw": raw, "min": least, "max": most}
    return {
        "core": {"lesson_status": status, "score": score},
        "student_data": {"mastery_score": mastery},
    }


@pytest.mark.parametrize(
    ("cmi", "said"),
    [
        (lesson("passed", "70", "0", "100"), ["failed", False, False]),
        (lesson("completed", "70"), ["failed", False, False]),
        (lesson("completed", "80"), ["passed", True, True]),
        (lesson("failed", "85"), ["passed", True, True]),
        (lesson("passed", "7", "0", "10"), ["failed", False, False]),
        (lesson("passed", "9", "0", "10"), ["passed", True, True]),
        # nothing to judge: no score, one that makes no sense, one who is still at it
        (lesson("passed"), ["passed", True, True]),
        (lesson("passed", "120"), ["passed", True, True]),
        (lesson("incomplete", "70"), ["experienced", False, None]),
        (lesson("incomplete", "90"), ["experienced", False, None]),
        (lesson("browsed", "90"), ["experienced", None, None]),
    ],
)
def test_scorm_12_is_judged_by_its_raw_score_once_it_is_done(
    cmi: dict[str, Any], said: list[Any]
) -> None:
    assert stated(cmi) == said


@pytest.mark.parametrize(
    ("cmi", "final", "said"),
    [
        ({"success_status": "passed", "score": {"scaled": "0.7"}}, False, ["failed", None, False]),
        ({"success_status": "failed", "score": {"scaled": "0.9"}}, False, ["passed", None, True]),
        (
            {"completion_status": "completed", "score": {"scaled": "0.7"}},
            False,
            ["failed", True, False],
        ),
        (
            {"completion_status": "incomplete", "score": {"scaled": "0.2"}},
            False,
            ["experienced", False, None],
        ),
        (
            {"completion_status": "incomplete", "score": {"scaled": "0.2"}},
            True,
            ["failed", False, False],
        ),
        ({"success_status": "passed"}, False, ["passed", None, True]),
    ],
)
def test_scorm_2004_is_judged_by_its_scaled_score(
    cmi: dict[str, Any], final: bool, said: list[Any]
) -> None:
    assert stated(cmi, final=final) == said


def test_a_sum_of_fractions_that_is_the_mastery_score_passes() -> None:
    summed = str(0.7 + 0.1)
    assert summed == "0.7999999999999999"
    assert stated({"success_status": "failed", "score": {"scaled": summed}}) == [
        "passed",
        None,
        True,
    ]


@pytest.mark.parametrize("raw", ["79.9999999", "79.99999999"])
def test_a_score_that_rounds_up_to_the_mastery_score_is_below_it(raw: str) -> None:
    assert stated(lesson("passed", raw, "0", "100")) == ["failed", False, False]
    scaled = {"success_status": "passed", "score": {"scaled": f"0.{raw.replace('.', '')[:9]}"}}
    assert stated(scaled) == ["failed", None, False]


@pytest.mark.parametrize(
    ("cmi", "said"),
    [
        (lesson("passed", "70"), ["failed", False, False]),
        (lesson("failed", "85"), ["passed", True, True]),
        (
            {"success_status": "passed", "score": {"scaled": "0.7"}, "scaled_passing_score": "0.8"},
            ["failed", None, False],
        ),
        # the launch's own goes first, and what is no mastery score says nothing
        (lesson("passed", "70", mastery=""), ["passed", True, True]),
        (lesson("passed", "70", mastery="800"), ["passed", True, True]),
        (lesson("passed", "70", mastery="A"), ["passed", True, True]),
        ({"success_status": "passed", "score": {"scaled": "0.7"}}, ["passed", None, True]),
    ],
)
def test_without_a_mastery_score_of_the_launch_the_one_that_the_page_was_given_decides(
    cmi: dict[str, Any], said: list[Any]
) -> None:
    assert stated(cmi, None) == said


def test_the_mastery_score_of_the_launch_goes_before_that_of_the_page() -> None:
    assert stated(lesson("passed", "70"), 0.6) == ["passed", True, True]
