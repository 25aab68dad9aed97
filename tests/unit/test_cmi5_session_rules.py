"""What a cmi5 player may say, and in which order."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import orjson
import pytest

from pointsman.domain.errors import Forbidden
from pointsman.mapping.rules import VERB_NAMESPACES
from pointsman.sources.batch import BatchReader, StatementBatch
from pointsman.sources.players import add_launch_context
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.rule_violations import RuleViolation
from pointsman.sources.players.cmi5.session import Cmi5Session
from pointsman.sources.players.cmi5.session_rules import (
    check_session_statements,
    session_after,
    violations,
)
from pointsman.statements import Limits, Valid, parse
from tests.support.cmi5_statements import ADL, LAUNCH, good_statement, statement

FRESH = Cmi5Session("s1", 0, fetched=True)
BEGUN = replace(FRESH, begun=True, said=(vocabulary.INITIALIZED,))


def items(*statements: dict[str, Any]) -> list[Valid]:
    ids = (f"39b0aaf8-0000-4000-8000-0000000000{number:02}" for number in range(99))
    parsed = parse(orjson.dumps(list(statements)), Limits(), new_id=lambda: next(ids))
    found = [one for one in parsed.items if isinstance(one, Valid)]
    assert len(found) == len(statements)
    return found


@pytest.mark.parametrize("verb", sorted(vocabulary.OF_THE_LMS))
@pytest.mark.parametrize("namespace", VERB_NAMESPACES)
def test_what_is_the_lmss_a_player_may_not_say(namespace: str, verb: str) -> None:
    with pytest.raises(Forbidden, match="LMS's to say"):
        check_session_statements(
            BEGUN, items(statement(vocabulary.PASSED), statement(f"{namespace}{verb}"))
        )


def test_a_player_speaks_in_its_own_session() -> None:
    check_session_statements(BEGUN, items(statement(), statement(context={})))
    with pytest.raises(Forbidden, match="names the session s1"):
        check_session_statements(replace(BEGUN, id="s2"), items(statement()))


@pytest.mark.parametrize(
    ("session", "verbs", "kinds"),
    [
        (FRESH, ["initialized", "passed"], []),
        (FRESH, ["passed"], [RuleViolation.NOT_INITIALIZED]),
        # what is voided was not said first either
        (FRESH, ["experienced", "passed", "initialized"], [RuleViolation.NOT_INITIALIZED] * 2),
        (FRESH, [], []),
        (BEGUN, ["passed", "completed", "experienced", "experienced", "terminated"], []),
        (BEGUN, ["initialized"], [RuleViolation.REPEATED_VERB]),
        (BEGUN, ["completed", "completed"], [RuleViolation.REPEATED_VERB]),
        (BEGUN, ["failed", "failed"], [RuleViolation.REPEATED_VERB]),
        (BEGUN, ["failed", "passed"], [RuleViolation.PASSED_AND_FAILED]),
        (BEGUN, ["passed", "failed"], [RuleViolation.PASSED_AND_FAILED]),
        (
            BEGUN,
            ["terminated", "terminated"],
            [RuleViolation.AFTER_TERMINATED, RuleViolation.REPEATED_VERB],
        ),
        (replace(BEGUN, terminated_at=1), ["experienced"], [RuleViolation.AFTER_TERMINATED]),
    ],
)
def test_the_order_of_a_session(
    session: Cmi5Session, verbs: list[str], kinds: list[RuleViolation]
) -> None:
    assert broken(session, (session,), *map(said, verbs)) == kinds


@pytest.mark.parametrize(
    ("earlier", "verb", "kinds"),
    [
        ("completed", "completed", [RuleViolation.REPEATED_VERB]),
        ("passed", "passed", [RuleViolation.REPEATED_VERB]),
        ("passed", "failed", [RuleViolation.PASSED_AND_FAILED]),
        ("failed", "failed", []),
        ("failed", "passed", []),
        ("initialized", "terminated", []),
    ],
)
def test_the_order_of_a_registration(earlier: str, verb: str, kinds: list[RuleViolation]) -> None:
    before = replace(BEGUN, id="s0", said=(f"{ADL}{earlier}",))
    assert broken(BEGUN, (before, BEGUN), said(verb)) == kinds


def test_what_is_voided_was_not_said() -> None:
    (void, good) = (said("completed"), said("completed"))
    del void["result"]["duration"]
    assert broken(BEGUN, (BEGUN,), void, good) == [RuleViolation.NO_DURATION]


def said(verb: str) -> dict[str, Any]:
    return {**good_statement(verb), "id": str(uuid.uuid4())}


def broken(
    session: Cmi5Session, sessions: tuple[Cmi5Session, ...], *statements: dict[str, Any]
) -> list[RuleViolation]:
    return [
        violation.rule for violation in violations(LAUNCH, session, sessions, items(*statements))
    ]


def test_a_session_begins_with_initialized_and_ends_with_terminated() -> None:
    assert session_after(FRESH, [], 5) == FRESH
    begun = session_after(FRESH, items(said("initialized")), 5)
    assert begun == BEGUN
    ended = session_after(begun, items(said("terminated")), 5)
    assert (ended.terminated_at, ended.said) == (
        5,
        (vocabulary.INITIALIZED, vocabulary.TERMINATED),
    )
    assert session_after(ended, items(said("terminated")), 9) == ended


def stamped(*statements: dict[str, Any]) -> StatementBatch:
    """One statement alone, or an array of them, with what their launch adds."""
    body = orjson.dumps(statements[0] if len(statements) == 1 else statements)
    return add_launch_context(BatchReader().request("launch", body), LAUNCH)


def test_a_statement_without_session_gets_that_of_its_launch() -> None:
    bare = {name: value for name, value in statement().items() if name != "context"}
    assert orjson.loads(stamped(bare).body)["context"] == {
        "registration": LAUNCH.registration,
        "extensions": {vocabulary.SESSION_ID: "s1"},
    }
    whole = statement()
    assert stamped(whole).body == orjson.dumps(whole)
    other = statement(context={"extensions": {"https://example.com/x": 1}})
    assert orjson.loads(stamped(other).body)["context"]["extensions"] == {
        "https://example.com/x": 1,
        vocabulary.SESSION_ID: "s1",
    }
