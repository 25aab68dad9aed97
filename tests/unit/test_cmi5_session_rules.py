"""What a cmi5 player may say, and which broken rules are only counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from pointsman.domain.errors import Forbidden
from pointsman.mapping.rules import VERB_NAMESPACES
from pointsman.sources.batch import BatchReader, StatementBatch
from pointsman.sources.players import add_launch_context
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.session import Cmi5Session
from pointsman.sources.players.cmi5.session_rules import (
    RuleViolation,
    check_session_statements,
    session_after,
    violations,
)
from pointsman.statements import Limits, Valid, parse
from tests.support.cmi5_statements import LAUNCH, statement

FRESH = Cmi5Session("s1", 0, fetched=True)
BEGUN = replace(FRESH, begun=True)


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
    ("session", "statements", "kinds"),
    [
        (FRESH, [statement(vocabulary.INITIALIZED), statement()], []),
        (FRESH, [statement()], [RuleViolation.NOT_INITIALIZED]),
        (BEGUN, [statement()], []),
        (FRESH, [], []),
        (replace(BEGUN, terminated_at=1), [statement()], [RuleViolation.AFTER_TERMINATED]),
        (BEGUN, [statement(result={"score": {"scaled": 0.7}})], [RuleViolation.BELOW_MASTERY]),
        (
            BEGUN,
            [statement(context={"extensions": {vocabulary.SESSION_ID: "s1"}})],
            [RuleViolation.NOT_CMI5_DEFINED],
        ),
        (
            BEGUN,
            [statement("https://example.com/verbs/experienced", context={})],
            [RuleViolation.NO_SESSION_ID],
        ),
    ],
)
def test_a_broken_rule_is_counted(
    session: Cmi5Session, statements: list[dict[str, Any]], kinds: list[RuleViolation]
) -> None:
    assert list(violations(LAUNCH, session, items(*statements))) == kinds


def test_a_session_begins_with_its_first_statement_and_ends_with_terminated() -> None:
    assert session_after(FRESH, items(statement()), 5) == BEGUN
    assert session_after(FRESH, [], 5) == FRESH
    ended = session_after(FRESH, items(statement(vocabulary.TERMINATED)), 5)
    assert ended == replace(BEGUN, terminated_at=5)
    assert session_after(ended, items(statement(vocabulary.TERMINATED)), 9) == ended


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
