"""Decides what a cmi5 player may state in its session, and when that session is over. Pure.

What merely breaks a rule is counted and taken: a player does not say again what was refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

from pointsman.domain.clock import MICROSECONDS
from pointsman.domain.errors import Forbidden
from pointsman.domain.launch import Launch
from pointsman.mapping.rules import short_verb
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.move_on import is_below_mastery, is_defined, session_of
from pointsman.sources.players.cmi5.session import Cmi5Session
from pointsman.statements import Statement, Valid


class RuleViolation(StrEnum):
    """A rule of cmi5 that a player broke, and that costs nobody anything."""

    #: section 9.3.2: something else was the session's first statement
    NOT_INITIALIZED = "not_initialized"
    #: section 9.6.3.1; the session of its credential was put in
    NO_SESSION_ID = "no_session_id"
    #: section 9.3.8; it came within `launches.grace_seconds`
    AFTER_TERMINATED = "after_terminated"
    #: section 9.3.4: a `passed` that counts for nothing
    BELOW_MASTERY = "below_mastery"
    #: section 9.6.2.1: a `completed` or `passed` that moveOn does not count
    NOT_CMI5_DEFINED = "not_cmi5_defined"


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
    launch: Launch, session: Cmi5Session, items: Sequence[Valid]
) -> Iterator[RuleViolation]:
    """What to count; `session` as it was before these."""
    if items and not session.begun and items[0].statement.verb.id != vocabulary.INITIALIZED:
        yield RuleViolation.NOT_INITIALIZED
    for item in items:
        if session.terminated_at is not None:
            yield RuleViolation.AFTER_TERMINATED
        yield from _in_itself(launch, item.statement)


def session_after(session: Cmi5Session, items: Sequence[Valid], now: int) -> Cmi5Session:
    """The session once these are stored."""
    ends = any(_terminates(item.statement) for item in items)
    at = session.terminated_at
    return replace(
        session,
        begun=session.begun or bool(items),
        terminated_at=now if ends and at is None else at,
    )


def _in_itself(launch: Launch, statement: Statement) -> Iterator[RuleViolation]:
    if session_of(statement) is None:
        yield RuleViolation.NO_SESSION_ID
    if is_below_mastery(launch, statement):
        yield RuleViolation.BELOW_MASTERY
    if statement.verb.id in {vocabulary.COMPLETED, vocabulary.PASSED} and not is_defined(statement):
        yield RuleViolation.NOT_CMI5_DEFINED


def _terminates(statement: Statement) -> bool:
    return statement.verb.id == vocabulary.TERMINATED
