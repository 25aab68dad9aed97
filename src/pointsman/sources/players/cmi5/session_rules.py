"""Decides what a cmi5 player may state in its session, in which order, and when that is over. Pure.

What a statement says in itself is judged in `statement_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pointsman.domain.clock import MICROSECONDS
from pointsman.domain.errors import Forbidden
from pointsman.domain.launch import Launch
from pointsman.mapping.rules import short_verb
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.move_on import is_defined, session_of
from pointsman.sources.players.cmi5.rule_violations import RuleViolation, Violation
from pointsman.sources.players.cmi5.session import Cmi5Session, Sessions
from pointsman.sources.players.cmi5.statement_rules import broken_in_itself
from pointsman.statements import Statement, Valid

#: verbs that are said once in a registration (section 9.3)
_ONCE = frozenset({vocabulary.COMPLETED, vocabulary.PASSED})


def refusal(session: Cmi5Session | None, now: int, grace: float) -> str | None:
    """Why statements of it are taken no longer; `grace` in seconds after `terminated`."""
    if session is None:
        return "this session is not known any longer; start the activity again"
    if session.superseded_at is not None:
        return (
            f"the session {session.id} is over: its activity was launched again, and what is said "
            "now belongs to the newer session (cmi5 section 9.3.6)"
        )
    if session.terminated_at is not None and now > session.terminated_at + grace * MICROSECONDS:
        return (
            f"the session {session.id} was terminated, and launches.grace_seconds have passed "
            "since; start the activity again (cmi5 section 9.3.8)"
        )
    return None


def check_session_statements(session: Cmi5Session, items: Sequence[Valid]) -> None:
    """Raises `Forbidden` where a statement is the LMS's to make, or of another session."""
    for item in items:
        statement = item.statement
        # as mapping reads verbs: those of the old namespaces mean the same
        if short_verb(statement.verb.id) in vocabulary.OF_THE_LMS:
            raise Forbidden(
                f"the statement {item.statement_id} says {statement.verb.id}, which is the LMS's "
                "to say (cmi5 section 9.3)"
            )
        named = session_of(statement)
        if named is not None and named != session.id:
            raise Forbidden(
                f"the statement {item.statement_id} names the session {named[:80]}, and its "
                f"credential is of {session.id} (cmi5 section 9.6.3.1)"
            )


def violations(
    launch: Launch, session: Cmi5Session, sessions: Sessions, items: Sequence[Valid]
) -> Iterator[Violation]:
    """The rules that these break, in their order; `session` and `sessions` as they were before."""
    elsewhere = frozenset(
        verb for other in sessions if other.id != session.id for verb in other.said
    )
    for item in items:
        broken = [
            Violation(item.statement_id, rule, signed=bool(item.statement.attachments))
            for rule in (
                *_broken_in_order(session, elsewhere, item.statement),
                *broken_in_itself(launch, item.statement),
            )
        ]
        yield from broken
        session = session_after(session, [item], 0, broken)


def session_after(
    session: Cmi5Session, items: Sequence[Valid], now: int, broken: Sequence[Violation] = ()
) -> Cmi5Session:
    """The session once these are stored; what is voided does not count as said."""
    void = {violation.statement_id for violation in broken if violation.conflicts_as_stored}
    said = [
        item.statement.verb.id
        for item in items
        if is_defined(item.statement) and item.statement_id not in void
    ]
    verbs = {item.statement.verb.id for item in items}
    at = session.terminated_at
    return replace(
        session,
        begun=session.begun or vocabulary.INITIALIZED in verbs,
        said=tuple(dict.fromkeys((*session.said, *said))),
        terminated_at=now if vocabulary.TERMINATED in verbs and at is None else at,
    )


def _broken_in_order(
    session: Cmi5Session, elsewhere: frozenset[str], statement: Statement
) -> Iterator[RuleViolation]:
    verb = statement.verb.id
    if not session.begun and verb != vocabulary.INITIALIZED:
        yield RuleViolation.NOT_INITIALIZED
    if session.terminated_at is not None:
        yield RuleViolation.AFTER_TERMINATED
    if not is_defined(statement):
        return
    if verb in session.said or (verb in _ONCE and verb in elsewhere):
        yield RuleViolation.REPEATED_VERB
    passed = vocabulary.PASSED in session.said or vocabulary.PASSED in elsewhere
    failed = vocabulary.FAILED in session.said
    if (verb == vocabulary.FAILED and passed) or (verb == vocabulary.PASSED and failed):
        yield RuleViolation.PASSED_AND_FAILED
