"""A commit as a statement: what it says, and that it keeps our own rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.errors import InputRefused
from pointsman.domain.launch import LaunchMode
from pointsman.domain.records import Observation
from pointsman.mapping.result import is_complete, is_passed, progress
from pointsman.statements import Limits, Valid, observe, parse
from pointsman.statements.scorm import Commit, CommitScore, commit_statement, parse_commit
from tests.support.scorm_bodies import BODIES, LAUNCH
from tests.support.statement_ids import IDS

AT = 1_700_000_000_123_456


def seen(commit: Commit) -> Observation:
    """What our own reading makes of it; no statement of ours may be invalid."""
    body = orjson.dumps(commit_statement(commit, LAUNCH, AT, IDS))
    (item,) = parse(body, Limits(), new_id=lambda: "").items
    assert isinstance(item, Valid), item
    found = observe(item, AT + 1)
    assert isinstance(found, Observation)
    return found


@pytest.mark.parametrize(
    ("commit", "verb", "percentage", "passed"),
    [
        (Commit("1.2"), "experienced", None, False),
        (Commit("1.2", completion=False), "experienced", None, False),
        (Commit("1.2", completion=True), "completed", 100, False),
        (Commit("1.2", completion=True, success=True), "passed", 100, True),
        (Commit("1.2", completion=False, success=False), "failed", None, False),
        (Commit("2004", completion=False, progress=45), "progressed", 45, False),
        (Commit("2004", completion=False, success=True, progress=45), "passed", 45, True),
        (Commit("2004", completion=True, success=False), "failed", 100, False),
        (Commit("2004", progress=100), "progressed", 100, False),
        # far, but not complete: its own word outweighs the measure
        (Commit("2004", completion=False, progress=100), "progressed", 99, False),
        (Commit("2004", final=True), "terminated", None, False),
        (Commit("2004", final=True, exit="suspend"), "suspended", None, False),
        (Commit("2004", final=True, progress=45), "progressed", 45, False),
    ],
)
def test_the_verb_says_the_most_that_is_true(
    commit: Commit, verb: str, percentage: int | None, passed: bool
) -> None:
    found = seen(commit)
    assert found.verb == f"http://adlnet.gov/expapi/verbs/{verb}"
    assert progress(found, score_is_progress=False) == percentage
    assert (is_complete(found), is_passed(found)) == (commit.completion is True, passed)


def test_it_is_about_the_launch_and_as_of_its_time() -> None:
    found = seen(Commit("1.2"))
    assert (found.actor, found.activity) == (LAUNCH.actor, LAUNCH.activity)
    assert (found.registration, found.occurred_at) == (LAUNCH.registration, AT)


@pytest.mark.parametrize(
    ("score", "told"),
    [
        (CommitScore(0.4, 40, 0, 100), {"scaled": 0.4, "raw": 40, "min": 0, "max": 100}),
        (CommitScore(0.4), {"scaled": 0.4}),
        (CommitScore(None, 120, 0, 100), {"raw": 120, "min": 0}),
        (CommitScore(None, -5, 0, 100), {"raw": -5, "max": 100}),
        (CommitScore(None, 5, 9, 9), {"raw": 5}),
        (CommitScore(0.2, 5, None, 100), {"scaled": 0.2, "raw": 5, "max": 100}),
    ],
)
def test_of_a_score_goes_on_what_xapi_allows(score: CommitScore, told: dict[str, Any]) -> None:
    commit = Commit("1.2", score=score)
    assert commit_statement(commit, LAUNCH, AT, IDS)["result"]["score"] == told
    assert seen(commit).score == score.scaled


@pytest.mark.parametrize(
    ("session", "total", "told"),
    [(60.0, 600.0, "PT60S"), (None, 600.0, "PT600S"), (None, None, None)],
)
def test_the_duration_is_that_of_the_session(
    session: float | None, total: float | None, told: str | None
) -> None:
    commit = Commit("1.2", completion=False, session_time=session, total_time=total)
    assert commit_statement(commit, LAUNCH, AT, IDS)["result"].get("duration") == told


def test_the_same_commit_has_the_same_id_and_any_other_another() -> None:
    commit = Commit("1.2", {"suspend_data": "x"}, completion=False, sequence=1)
    same = commit_statement(commit, LAUNCH, AT, IDS)["id"]
    assert commit_statement(replace(commit), LAUNCH, AT, IDS)["id"] == same
    others = [
        commit_statement(replace(commit, sequence=2), LAUNCH, AT, IDS),
        commit_statement(replace(commit, cmi={"suspend_data": "y"}), LAUNCH, AT, IDS),
        commit_statement(replace(commit, final=True), LAUNCH, AT, IDS),
        commit_statement(commit, LAUNCH, AT + 1, IDS),
        commit_statement(commit, LAUNCH, AT, IDS, "run"),
        commit_statement(
            commit, replace(LAUNCH, registration="0" * 8 + LAUNCH.registration[8:]), AT, IDS
        ),
    ]
    assert len({same, *(one["id"] for one in others)}) == 7


@given(BODIES, st.integers(0, 4_000_000_000_000_000))
def test_whatever_is_read_makes_a_valid_statement(body: bytes, at: int) -> None:
    try:
        commit = parse_commit(body)
    except InputRefused:
        return
    found = orjson.dumps(commit_statement(commit, LAUNCH, at, IDS))
    (item,) = parse(found, Limits(), new_id=lambda: "").items
    assert isinstance(item, Valid), item
    observe(item, at)


def test_a_launch_to_review_misses_nothing_that_was_left_out() -> None:
    reviewed = b'{"cmi": {"core": {"lesson_status": "completed", "lesson_mode": "review"}}}'
    commit = parse_commit(reviewed)
    assert commit.left_out
    for mode, is_noted in ((LaunchMode.NORMAL, True), (LaunchMode.REVIEW, False)):
        statement = commit_statement(commit, replace(LAUNCH, mode=mode), AT, IDS)
        assert ("result" in statement) is is_noted
