"""moveOn: which statements count, and when they are enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pointsman.domain.launch import LaunchMode
from pointsman.sources.players.cmi5 import lms_statements, vocabulary
from pointsman.sources.players.cmi5.move_on import counts, is_met
from pointsman.sources.players.cmi5.session import Cmi5Session
from pointsman.statements import STATEMENT
from tests.support.cmi5_statements import LAUNCH, UNIT, statement
from tests.support.statement_ids import IDS

SESSIONS = (Cmi5Session("s1", 0), Cmi5Session("s2", 1, LaunchMode.BROWSE))

#: completed and passed, neither, one, the other, both
WORDS = {
    "Passed": (False, False, True, True),
    "Completed": (False, True, False, True),
    "CompletedAndPassed": (False, False, False, True),
    "CompletedOrPassed": (False, True, True, True),
    "NotApplicable": (True, True, True, True),
    "": (False, False, False, False),
}


@pytest.mark.parametrize("move_on", list(WORDS))
@pytest.mark.parametrize(
    ("place", "completed", "passed"),
    [(0, False, False), (1, True, False), (2, False, True), (3, True, True)],
)
def test_each_word_of_move_on_asks_for_its_statements(
    move_on: str, place: int, *, completed: bool, passed: bool
) -> None:
    assert is_met(move_on, completed=completed, passed=passed) is WORDS[move_on][place]


def said(context: dict[str, Any]) -> dict[str, Any]:
    return {"context": {**statement()["context"], **context}}


@pytest.mark.parametrize(
    ("more", "counted"),
    [
        ({}, True),
        ({"result": {"success": True, "score": {"scaled": 0.8}}}, True),
        ({"result": {"success": True, "score": {"raw": 3}}}, True),
        ({"result": {"score": {"scaled": 0.79}}}, False),
        ({"result": {"success": False}}, False),
        ({"object": {"id": f"{UNIT}/"}}, True),
        ({"object": {"id": f"{UNIT}/test"}}, False),
        ({"object": {"objectType": "Agent", "mbox": "mailto:a@b.example"}}, False),
        ({"actor": {"mbox": "mailto:ben@example.com"}}, False),
        ({"actor": {"objectType": "Group", "mbox": "mailto:g@example.com"}}, False),
        ({"context": {}}, False),
        (said({"contextActivities": {}}), False),
        (said({"contextActivities": {"category": {"id": vocabulary.CMI5_CATEGORY}}}), True),
        (said({"contextActivities": {"category": [{"id": vocabulary.MOVE_ON_CATEGORY}]}}), False),
        (said({"extensions": {vocabulary.SESSION_ID: "s2"}}), False),
        (said({"extensions": {}}), False),
        (said({"extensions": {vocabulary.SESSION_ID: 3}}), False),
    ],
)
def test_only_what_cmi5_defines_counts(more: dict[str, Any], *, counted: bool) -> None:
    assert counts(LAUNCH, STATEMENT.validate_python(statement(**more)), SESSIONS) is counted


def test_without_other_sessions_one_need_not_be_named() -> None:
    unnamed = STATEMENT.validate_python(statement(**said({"extensions": {}})))
    assert counts(LAUNCH, unnamed, SESSIONS[:1])


def test_a_completed_has_no_mastery_score() -> None:
    done = statement(vocabulary.COMPLETED, result={"completion": True, "score": {"scaled": 0.1}})
    assert counts(LAUNCH, STATEMENT.validate_python(done), SESSIONS)
    undone = statement(vocabulary.COMPLETED, result={"completion": False})
    assert not counts(LAUNCH, STATEMENT.validate_python(undone), SESSIONS)


def test_a_sum_of_fractions_that_is_the_mastery_score_is_not_below_it() -> None:
    exact = replace(LAUNCH, mastery_score=0.8)
    for score, counted in ((0.7 + 0.1, True), (0.79, False)):
        passed = STATEMENT.validate_python(statement(result={"score": {"scaled": score}}))
        assert counts(exact, passed, SESSIONS) is counted


def test_without_a_mastery_score_every_pass_is_one() -> None:
    low = STATEMENT.validate_python(statement(result={"score": {"scaled": 0.1}}))
    assert counts(replace(LAUNCH, mastery_score=None), low, SESSIONS)


def test_a_waiver_counts_in_a_session_of_its_own() -> None:
    waived = lms_statements.waived(IDS, LAUNCH, "Administrative", 0)
    assert counts(LAUNCH, STATEMENT.validate_python(waived), SESSIONS)


def test_what_the_lms_says_is_valid_and_has_the_same_id_again() -> None:
    session = Cmi5Session("s1", 0)
    for now in (0, 5_000_000):
        for made in (
            lms_statements.launched(IDS, LAUNCH, "https://cdn.example.com/unit", now),
            lms_statements.abandoned(IDS, LAUNCH, session, 1_500_000, now),
            lms_statements.waived(IDS, LAUNCH, "Tested Out", now),
            lms_statements.satisfied(IDS, LAUNCH, "s1", now),
        ):
            STATEMENT.validate_python(made)
    ids = {lms_statements.satisfied(IDS, LAUNCH, "s1", now)["id"] for now in (0, 9)}
    assert ids == {lms_statements.satisfied_id(IDS, LAUNCH)}
    other = replace(LAUNCH, registration="39b0aaf8-0000-4000-8000-000000000001")
    assert lms_statements.satisfied_id(IDS, other) not in ids
    abandoned = lms_statements.abandoned(IDS, LAUNCH, session, 1_500_000, 5_000_000)
    assert abandoned["result"] == {"duration": "PT1.50S"}
