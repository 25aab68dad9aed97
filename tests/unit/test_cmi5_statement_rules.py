"""Which rules of cmi5 a statement breaks in itself (section 9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from pointsman.domain.launch import Launch, LaunchMode
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.rule_violations import MENDED, RULES, RuleViolation
from pointsman.sources.players.cmi5.statement_rules import broken_in_itself
from pointsman.statements import STATEMENT
from tests.support.cmi5_conflicts import CONFLICTS, MASTERY, Conflict, conflicting
from tests.support.cmi5_statements import LAUNCH, PUBLISHER, good_statement

COUNTED = replace(LAUNCH, mastery_score=MASTERY, player={"publisherId": PUBLISHER})
VERBS = ("initialized", "completed", "passed", "failed", "terminated", "experienced")


def broken(statement: dict[str, Any], launch: Launch = COUNTED) -> set[str]:
    return set(broken_in_itself(launch, STATEMENT.validate_json(orjson.dumps(statement))))


@pytest.mark.parametrize("conflict", CONFLICTS, ids=lambda conflict: conflict.name)
def test_each_conflict_breaks_its_rule(conflict: Conflict) -> None:
    statement = conflicting(conflict, good_statement(conflict.verb, mastery=MASTERY))
    assert conflict.kind in broken(statement)
    assert conflict.is_mended == (RuleViolation(conflict.kind) in MENDED)


@pytest.mark.parametrize("verb", VERBS)
def test_a_good_statement_breaks_none(verb: str) -> None:
    assert broken(good_statement(verb, mastery=MASTERY)) == set()


@pytest.mark.parametrize(
    ("verb", "score"),
    [
        ("passed", {"scaled": 0.9}),
        ("passed", {"scaled": 1, "raw": 90, "min": 0, "max": 100}),
        ("passed", {"raw": 90.0, "min": 0, "max": 100}),
        ("failed", {"scaled": 0}),
        ("failed", {"scaled": 0.8999}),
    ],
)
def test_a_good_score_breaks_none(verb: str, score: dict[str, float]) -> None:
    statement = good_statement(verb, mastery=MASTERY)
    statement["result"]["score"] = score
    assert broken(statement) == set()


def test_without_a_mastery_score_none_has_to_be_named() -> None:
    statement = good_statement("passed")
    statement["result"]["score"] = {"scaled": 0.1}
    assert broken(statement, replace(COUNTED, mastery_score=None)) == set()


@pytest.mark.parametrize("offset", ["Z", "z", "+00:00", ""])
def test_utc_is_utc_however_it_is_written(offset: str) -> None:
    statement = {**good_statement("experienced"), "timestamp": f"2026-01-01T10:00:00{offset}"}
    assert broken(statement) == set()


@pytest.mark.parametrize("mode", [LaunchMode.BROWSE, LaunchMode.REVIEW])
@pytest.mark.parametrize("verb", VERBS)
def test_what_was_not_launched_to_count_says_nothing_that_counts(
    mode: LaunchMode, verb: str
) -> None:
    judged = verb in {"completed", "passed", "failed"}
    expected = {RuleViolation.NOT_LAUNCHED_TO_COUNT} if judged else set()
    assert broken(good_statement(verb, mastery=MASTERY), replace(COUNTED, mode=mode)) == expected


@pytest.mark.parametrize("verb", ["completed", "passed"])
def test_what_cmi5_only_allows_has_no_rules_of_a_result(verb: str) -> None:
    statement = good_statement(verb)
    del statement["result"]
    statement["context"]["contextActivities"] = {}
    assert broken(statement) == {RuleViolation.NOT_CMI5_DEFINED}


def test_each_rule_is_a_sentence_with_its_section() -> None:
    assert set(RULES) == set(RuleViolation)
    assert all("(section" in rule for rule in RULES.values())


def test_the_rules_of_a_context_hold_without_one() -> None:
    statement = good_statement("experienced")
    del statement["context"]
    assert broken(statement) == {RuleViolation.NO_REGISTRATION, RuleViolation.NO_SESSION_ID}
    assert vocabulary.VOIDED not in vocabulary.OF_THE_PLAYER
