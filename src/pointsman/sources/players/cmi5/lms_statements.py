"""Makes the statements of the LMS: launched, abandoned, waived, satisfied, voided. Pure.

cmi5 sections 6.3 and 9.3.

Their ids are made of what they are about, so that none is stated twice, and with the secret of the
installation, so that no player can state one first.
"""

from __future__ import annotations

import uuid
from typing import Any

from pointsman.domain.clock import MICROSECONDS
from pointsman.domain.launch import Launch, launch_actor_json
from pointsman.domain.statement_ids import DerivedId, StatementIds
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.session import Cmi5Session
from pointsman.statements import timestamp_of

_NAMESPACE = uuid.UUID("1b0b6a52-7b6c-4f0e-9a7e-2f6f5a1f0c35")
Statement = dict[str, Any]


def satisfied_id(ids: StatementIds, launch: Launch) -> DerivedId:
    return _id(ids, launch.registration, launch.activity, "satisfied")


def waived_id(ids: StatementIds, launch: Launch) -> DerivedId:
    return _id(ids, launch.registration, launch.activity, "waived")


def waived_session(launch: Launch) -> str:
    return _session(launch, "waived session")


def registration_session(launch: Launch) -> str:
    """Of what is stated because the registration began (section 9.6.1)."""
    return _session(launch, "registration session")


def abandoned_id(ids: StatementIds, session: Cmi5Session) -> DerivedId:
    return _id(ids, session.id, "abandoned")


def voiding_id(ids: StatementIds, statement_id: str) -> DerivedId:
    return _id(ids, statement_id, "voided")


def voided(
    ids: StatementIds, launch: Launch, statement_id: str, home_page: str, now: int
) -> Statement:
    """Section 6.3, in the form of xAPI Part 2 section 2.3.2; `home_page` is that of the LMS."""
    statement = _statement(
        launch,
        voiding_id(ids, statement_id),
        vocabulary.VOIDED,
        launch.session,
        now,
        is_defined=False,
    )
    return statement | {
        "actor": {"objectType": "Agent", "account": {"homePage": home_page, "name": "pointsman"}},
        "object": {"objectType": "StatementRef", "id": statement_id},
    }


def launched(ids: StatementIds, launch: Launch, url: str | None, now: int) -> Statement:
    """Section 9.3.1; `url` is where the content is, without what the launch adds."""
    extensions: dict[str, Any] = {
        vocabulary.LAUNCH_MODE: launch.mode.value,
        vocabulary.MOVE_ON: move_on(launch),
    }
    if url is not None:
        extensions[vocabulary.LAUNCH_URL] = url
    if launch.mastery_score is not None:
        extensions[vocabulary.MASTERY_SCORE] = launch.mastery_score
    if "launchParameters" in launch.player:
        extensions[vocabulary.LAUNCH_PARAMETERS] = launch.player["launchParameters"]
    return _statement(
        launch,
        _id(ids, launch.session, "launched"),
        vocabulary.LAUNCHED,
        launch.session,
        now,
        extensions,
    )


def abandoned(
    ids: StatementIds, launch: Launch, session: Cmi5Session, last: int, now: int
) -> Statement:
    """Section 9.3.6; `last` is when the session last said something."""
    seconds = max(0, last - session.opened_at) / MICROSECONDS
    statement = _statement(
        launch, abandoned_id(ids, session), vocabulary.ABANDONED, session.id, now
    )
    return statement | {"result": {"duration": f"PT{seconds:.2f}S"}}


def waived(ids: StatementIds, launch: Launch, reason: str, now: int) -> Statement:
    """Section 9.3.7: in a session of its own."""
    statement = _statement(
        launch,
        waived_id(ids, launch),
        vocabulary.WAIVED,
        waived_session(launch),
        now,
        move_on=True,
    )
    result = {"success": True, "completion": True, "extensions": {vocabulary.REASON: reason}}
    return statement | {"result": result}


def satisfied(ids: StatementIds, launch: Launch, session: str, now: int) -> Statement:
    """Section 9.3.9; what is satisfied is the launch's activity, as a course of this one unit.

    `session` is that of the launch, or another where it was not the player that met moveOn.
    """
    statement_id = satisfied_id(ids, launch)
    statement = _statement(launch, statement_id, vocabulary.SATISFIED, session, now)
    statement["object"]["definition"] = {"type": vocabulary.COURSE_TYPE}
    return statement


def move_on(launch: Launch) -> str:
    """One of cmi5's five words; without one every completion counts, and so does every pass."""
    return launch.move_on or "CompletedOrPassed"


def grouping(launch: Launch) -> list[dict[str, Any]]:
    """The publisher's own id of the unit, where it is known (section 9.6.2.3)."""
    publisher = launch.player.get("publisherId")
    return [{"objectType": "Activity", "id": publisher}] if publisher else []


def _statement(
    launch: Launch,
    statement_id: str,
    verb: str,
    session: str,
    now: int,
    extensions: dict[str, Any] | None = None,
    *,
    move_on: bool = False,
    is_defined: bool = True,
) -> Statement:
    categories = [vocabulary.CMI5_CATEGORY, *([vocabulary.MOVE_ON_CATEGORY] if move_on else [])]
    activities: dict[str, Any] = {}
    if is_defined:
        activities["category"] = [
            {"objectType": "Activity", "id": category} for category in categories
        ]
    if group := grouping(launch):
        activities["grouping"] = group
    return {
        "id": statement_id,
        "actor": launch_actor_json(launch),
        "verb": {"id": verb, "display": {"en": verb.rpartition("/")[2]}},
        "object": {"objectType": "Activity", "id": launch.activity},
        "context": {
            "registration": launch.registration,
            "contextActivities": activities,
            "extensions": {vocabulary.SESSION_ID: session, **(extensions or {})},
        },
        "timestamp": timestamp_of(now),
    }


def _session(launch: Launch, name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{launch.registration} {launch.activity} {name}"))


def _id(ids: StatementIds, *parts: str) -> DerivedId:
    return ids.derive(_NAMESPACE, " ".join(parts))
