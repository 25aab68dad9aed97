"""Decides which rules of cmi5 a statement breaks in itself, whatever was said before. Pure.

Most rules are for statements that cmi5 defines (section 9.3): those with its category. The others,
which it allows, have an id, a time, a registration and a session.
"""

from __future__ import annotations

from collections.abc import Iterator

from pointsman.domain.launch import Launch, LaunchMode, is_its_activity
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.move_on import (
    activities_of,
    is_below_mastery,
    is_defined,
    session_of,
)
from pointsman.sources.players.cmi5.rule_violations import RuleViolation
from pointsman.statements import Statement
from pointsman.statements.activities import Activity
from pointsman.statements.statement import Result, parse_timestamp

_JUDGED = frozenset({vocabulary.PASSED, vocabulary.FAILED})
_WITH_DURATION = frozenset({vocabulary.COMPLETED, vocabulary.TERMINATED, *_JUDGED})
_SUCCESS = {vocabulary.PASSED: True, vocabulary.FAILED: False}
_COMPLETION = {vocabulary.COMPLETED: True}
_NO_RESULT = Result()


def broken_in_itself(launch: Launch, statement: Statement) -> Iterator[RuleViolation]:
    """What it breaks, of the rules for any statement and for those that cmi5 defines."""
    if statement.id is None:
        yield RuleViolation.NO_ID
    if statement.timestamp is None:
        yield RuleViolation.NO_TIMESTAMP
    elif parse_timestamp(statement.timestamp).utcoffset():
        yield RuleViolation.NOT_UTC
    if statement.context is None or statement.context.registration is None:
        yield RuleViolation.NO_REGISTRATION
    if session_of(statement) is None:
        yield RuleViolation.NO_SESSION_ID
    defined = is_defined(statement)
    result = statement.result or _NO_RESULT
    judges = defined and (result.success is not None or result.completion is not None)
    if judges != (vocabulary.MOVE_ON_CATEGORY in activities_of(statement, "category")):
        yield RuleViolation.MOVE_ON_CATEGORY
    if defined:
        yield from _broken_as_defined(launch, statement, result)
    elif statement.verb.id in {vocabulary.COMPLETED, vocabulary.PASSED}:
        yield RuleViolation.NOT_CMI5_DEFINED


def _broken_as_defined(
    launch: Launch, statement: Statement, result: Result
) -> Iterator[RuleViolation]:
    verb = statement.verb.id
    if verb not in vocabulary.OF_THE_PLAYER:
        yield RuleViolation.NOT_A_CMI5_VERB
        return
    if launch.mode is not LaunchMode.NORMAL and verb not in vocabulary.IN_EVERY_MODE:
        yield RuleViolation.NOT_LAUNCHED_TO_COUNT
    # with a launch credential a statement is about an activity, and others were refused
    if isinstance(statement.object, Activity) and not is_its_activity(launch, statement.object.id):
        yield RuleViolation.NOT_THE_ACTIVITY
    publisher = launch.player.get("publisherId")
    if publisher and publisher not in activities_of(statement, "grouping"):
        yield RuleViolation.NO_PUBLISHER_ID
    if _is_not_allowed_score(verb, result):
        yield RuleViolation.SCORE
    if result.success is not _SUCCESS.get(verb):
        yield RuleViolation.SUCCESS
    if result.completion is not _COMPLETION.get(verb):
        yield RuleViolation.COMPLETION
    if verb in _WITH_DURATION and result.duration is None:
        yield RuleViolation.NO_DURATION
    yield from _broken_of_mastery(launch, statement, result)


def _is_not_allowed_score(verb: str, result: Result) -> bool:
    score = result.score
    if score is None:
        return False
    if verb not in _JUDGED or (score.scaled is not None and score.scaled < 0):
        return True
    whole = all(
        number is None or float(number).is_integer() for number in (score.raw, score.min, score.max)
    )
    return not whole or (score.raw is not None and None in {score.min, score.max})


def _broken_of_mastery(
    launch: Launch, statement: Statement, result: Result
) -> Iterator[RuleViolation]:
    mastery = launch.mastery_score
    if mastery is None or statement.verb.id not in _JUDGED:
        return
    scaled = result.score.scaled if result.score is not None else None
    extensions = (statement.context.extensions if statement.context is not None else None) or {}
    # required where it was evaluated, and there is nothing to evaluate without a score
    told = extensions.get(vocabulary.MASTERY_SCORE, mastery if scaled is None else None)
    if told != mastery:
        yield RuleViolation.MASTERY_SCORE
    if is_below_mastery(launch, statement):
        yield RuleViolation.BELOW_MASTERY
    if statement.verb.id == vocabulary.FAILED and scaled is not None and scaled >= mastery:
        yield RuleViolation.FAILED_ABOVE_MASTERY
