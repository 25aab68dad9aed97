"""What an observation says about completion, success and progress."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.domain.records import Actor, Observation
from pointsman.mapping.result import is_complete, is_passed, progress

ADL = "http://adlnet.gov/expapi/verbs/"


def seen(verb: str = "progressed", **said: Any) -> Observation:
    return Observation(
        statement_id="id-1",
        actor=Actor("mbox", "mailto:ana@example.com"),
        verb=verb if ":" in verb else ADL + verb,
        activity="https://c.example.com/a",
        registration=None,
        occurred_at=1,
        **said,
    )


@pytest.mark.parametrize(
    ("verb", "completion", "success", "complete", "passed"),
    [
        ("completed", None, None, True, False),
        ("completed", False, None, False, False),
        ("completed", None, False, True, False),
        ("completed", None, True, True, True),
        ("passed", None, None, True, True),
        ("passed", None, False, False, False),
        ("passed", False, True, False, True),
        ("mastered", None, None, True, True),
        ("failed", None, None, False, False),
        ("failed", True, False, True, False),
        ("failed", None, True, False, True),
        ("progressed", True, None, True, False),
        ("experienced", None, None, False, False),
        ("https://w3id.org/xapi/video/verbs/completed", None, None, True, False),
        ("http://id.tincanapi.com/verb/passed", None, None, True, True),
        ("https://x.example.com/verbs/completed", None, None, False, False),
        ("http://adlnet.gov/expapi/verbs/Completed", None, None, False, False),
        ("http://adlnet.gov/expapi/verbs/completed/again", None, None, False, False),
    ],
)
def test_what_the_result_says_outweighs_the_verb(
    verb: str, completion: bool | None, success: bool | None, complete: bool, passed: bool
) -> None:
    one = seen(verb, completion=completion, success=success)
    assert (is_complete(one), is_passed(one)) == (complete, passed)


@pytest.mark.parametrize(
    ("said", "percentage"),
    [
        ({}, None),
        ({"progress": 0.0}, 0),
        ({"progress": 41.0}, 41),
        ({"progress": 41.99}, 41),
        ({"progress": 99.9}, 99),
        ({"progress": 99.999999}, 99),
        ({"progress": sum([0.1] * 10) * 100}, 100),
        ({"progress": 100.0}, 100),
        ({"progress": 0.29 * 100}, 29),
        ({"progress": 0.57 * 100}, 57),
        ({"progress": 0.58 * 100}, 58),
        ({"progress": 30.0, "completion": True}, 100),
        ({"progress": 30.0, "completion": False}, 30),
        # who says that it is not complete is not at all of it
        ({"progress": 100.0, "completion": False}, 99),
        ({"verb": "completed", "progress": 100.0, "completion": False}, 99),
        ({"verb": "failed", "progress": 100.0, "success": False}, 100),
        ({"verb": "completed"}, 100),
        ({"verb": "completed", "progress": 30.0}, 100),
        ({"verb": "completed", "progress": 30.0, "completion": False}, 30),
        ({"verb": "completed", "completion": False}, None),
        ({"verb": "passed", "score": 0.8}, 100),
        ({"score": 0.8}, None),
        ({"completion": False}, None),
    ],
)
def test_progress_is_what_was_said_cut_to_a_whole_percentage(
    said: dict[str, Any], percentage: int | None
) -> None:
    assert progress(seen(**said), score_is_progress=False) == percentage


@pytest.mark.parametrize(
    ("said", "percentage"),
    [
        ({"score": 0.0}, 0),
        ({"score": 0.29}, 29),
        ({"score": 0.999}, 99),
        ({"score": 1.0}, 100),
        ({"score": -1.0}, 0),
        ({"score": -0.004}, 0),
        ({"score": 0.5, "progress": 20.0}, 20),
        ({"score": 0.5, "completion": True}, 100),
        ({"verb": "failed", "score": 0.4, "success": False}, 40),
        ({"verb": "completed", "score": 0.4, "completion": False}, 40),
        ({"score": 1.0, "completion": False}, 99),
        ({}, None),
    ],
)
def test_a_score_is_progress_where_the_rule_says_so_and_nothing_better_is_said(
    said: dict[str, Any], percentage: int | None
) -> None:
    assert progress(seen(**said), score_is_progress=True) == percentage


@settings(max_examples=150)
@given(st.decimals(0, 100, places=6))
def test_fractions_are_cut_and_never_rounded_up(percentage: Decimal) -> None:
    found = progress(seen(progress=float(percentage)), score_is_progress=False)
    assert found == math.floor(percentage)


@settings(max_examples=150)
@given(st.integers(0, 100))
def test_a_whole_percentage_survives_the_way_through_a_scaled_score(percentage: int) -> None:
    found = progress(seen(score=percentage / 100), score_is_progress=True)
    assert found == percentage


@settings(max_examples=150)
@given(
    st.one_of(st.none(), st.floats(0, 100)),
    st.one_of(st.none(), st.floats(-1, 1)),
    st.one_of(st.none(), st.booleans()),
    st.sampled_from(["completed", "passed", "failed", "progressed"]),
    st.booleans(),
)
def test_progress_is_a_whole_percentage_or_nothing(
    percentage: float | None,
    score: float | None,
    completion: bool | None,
    verb: str,
    score_is_progress: bool,
) -> None:
    one = seen(verb, progress=percentage, score=score, completion=completion)
    found = progress(one, score_is_progress=score_is_progress)
    assert found is None or (isinstance(found, int) and 0 <= found <= 100)
    assert not is_complete(one) or found == 100
