"""Decides whether an assignable unit is satisfied, by its moveOn (cmi5 section 13.1.4).

Pure. Only what cmi5 defines counts: statements of its category about the launched activity itself,
said in a session that was launched to count. A pass below the mastery score is none.
"""

from __future__ import annotations

from typing import Literal

from pointsman.domain.launch import Launch, LaunchMode, is_its_activity, same_actor
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.session import Sessions, find
from pointsman.statements import Statement, actor_of
from pointsman.statements.activities import Activity

NOT_APPLICABLE = "NotApplicable"


def is_met(move_on: str, *, completed: bool, passed: bool) -> bool:
    match move_on:
        case "Passed":
            return passed
        case "Completed":
            return completed
        case "CompletedAndPassed":
            return completed and passed
        case "CompletedOrPassed":
            return completed or passed
        case _:
            return move_on == NOT_APPLICABLE


def counts(launch: Launch, statement: Statement, sessions: Sessions) -> bool:
    """Whether a `completed`, `passed` or `waived` of this registration says what its verb says."""
    if not isinstance(statement.object, Activity):
        return False
    actor = actor_of(statement.actor)
    if actor is None or not same_actor(actor, launch.actor):
        return False
    if not is_its_activity(launch, statement.object.id):
        return False
    result = statement.result
    if result is not None and (result.success is False or result.completion is False):
        return False
    if not is_defined(statement) or is_below_mastery(launch, statement):
        return False
    return statement.verb.id == vocabulary.WAIVED or _was_to_count(session_of(statement), sessions)


def is_below_mastery(launch: Launch, statement: Statement) -> bool:
    """A `passed` that is none (section 9.3.4)."""
    if statement.verb.id != vocabulary.PASSED or launch.mastery_score is None:
        return False
    score = statement.result.score if statement.result is not None else None
    if score is None or score.scaled is None:
        return False
    # 0.7 + 0.1 is 0.7999999999999999 in JavaScript, and 0.8 was meant
    return round(score.scaled, 12) < launch.mastery_score


def is_defined(statement: Statement) -> bool:
    """Whether cmi5 defines it, and does not merely allow it (section 7.1.3)."""
    return vocabulary.CMI5_CATEGORY in activities_of(statement, "category")


def session_of(statement: Statement) -> str | None:
    """The session ID that it carries."""
    context = statement.context
    session_id = (
        (context.extensions or {}).get(vocabulary.SESSION_ID) if context is not None else None
    )
    return session_id if isinstance(session_id, str) else None


def _was_to_count(session_id: str | None, sessions: Sessions) -> bool:
    if session_id is not None and (session := find(sessions, session_id)) is not None:
        return session.mode is LaunchMode.NORMAL
    # it names none that we know: good where there was nothing else to be said in
    return all(known_session.mode is LaunchMode.NORMAL for known_session in sessions)


def activities_of(
    statement: Statement, kind: Literal["parent", "grouping", "category", "other"]
) -> set[str]:
    """The ids of its context activities of this kind."""
    context = statement.context
    if context is None or context.context_activities is None:
        return set()
    activities = getattr(context.context_activities, kind)
    if activities is None:
        return set()
    return {
        activity.id for activity in (activities if isinstance(activities, list) else [activities])
    }
