"""Writes another system's report of one learner and one activity as an xAPI statement.

The verb is the strongest that fits (cmi5 section 9.3); what is known stands in the result (xAPI
Part 2 section 2.4.5), so that a rule needs no verbs to read it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import orjson

from pointsman.domain.errors import InputRefused
from pointsman.domain.iri import mailbox
from pointsman.domain.records import LeftOut
from pointsman.domain.statement_ids import StatementIds
from pointsman.statements.adapters.json_values import (
    address_of,
    in_message,
    is_address,
    is_iri,
    joined,
)
from pointsman.statements.extension_numbers import percentage
from pointsman.statements.left_out_readings import as_extension

_VERBS = "http://adlnet.gov/expapi/verbs/"
COURSE = "http://adlnet.gov/expapi/activities/course"
LESSON = "http://adlnet.gov/expapi/activities/lesson"
#: cmi5 section 9.5.5.1
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
_NAMESPACE = uuid.UUID("0a3a7a0e-3a56-5d5c-9e4b-6f7d1c3b8e21")


@dataclass(frozen=True, slots=True)
class ActivityReport:
    """`learner` is an e-mail address, or the name of an account of `home_page`."""

    learner: str
    home_page: str
    #: the activity's IRI
    activity: str
    activity_type: str | None = None
    title: str | None = None
    #: a percentage, 0-100
    progress: float | None = None
    completed: bool | None = None
    passed: bool | None = None
    #: scaled, -1..1
    score: float | None = None
    seconds: float | None = None
    #: the attempt, a UUID
    registration: str | None = None
    #: an xAPI timestamp
    timestamp: str | None = None
    #: the IRI of the activity that this one is a part of
    parent: str | None = None
    #: what made no sense
    left_out: tuple[LeftOut, ...] = ()


def report_statement(
    report: ActivityReport, ids: StatementIds, *id_parts: str | int | None
) -> dict[str, Any]:
    """A valid statement. Its id is made of `id_parts`, and of the statement itself without.

    Raises `InputRefused` where the activity is no IRI.
    """
    if not is_iri(report.activity):
        raise InputRefused(
            f"the activity must be an absolute IRI, not {in_message(report.activity)}"
        )
    properties: dict[str, Any] = {
        "actor": _actor(report),
        "verb": _verb(report),
        "object": _object(report),
        "result": _result(report),
        "context": _context(report),
        "timestamp": report.timestamp,
    }
    properties = {name: value for name, value in properties.items() if value}
    id_source = id_parts or (orjson.dumps(properties, option=orjson.OPT_SORT_KEYS).decode(),)
    return {"id": ids.derive(_NAMESPACE, joined(*id_source)), **properties}


def _actor(report: ActivityReport) -> dict[str, Any]:
    address = address_of(report.learner)
    if is_address(address):
        return {"objectType": "Agent", "mbox": mailbox(address)}
    account = {"homePage": report.home_page, "name": report.learner}
    return {"objectType": "Agent", "account": account}


def _verb(report: ActivityReport) -> dict[str, Any]:
    word = "completed" if report.completed else "progressed"
    if report.passed is not None:
        word = "passed" if report.passed else "failed"
    return {"id": _VERBS + word, "display": {"en": word}}


def _object(report: ActivityReport) -> dict[str, Any]:
    definition: dict[str, Any] = {}
    if report.activity_type is not None:
        definition["type"] = report.activity_type
    if report.title is not None:
        definition["name"] = {"und": report.title}
    activity = {"objectType": "Activity", "id": report.activity}
    return {**activity, "definition": definition} if definition else activity


def _result(report: ActivityReport) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if report.completed is not None:
        result["completion"] = report.completed
    if report.passed is not None:
        result["success"] = report.passed
    if report.score is not None:
        result["score"] = {"scaled": report.score}
    if report.seconds is not None:
        result["duration"] = f"PT{f'{report.seconds:.2f}'.rstrip('0').rstrip('.')}S"
    extensions: dict[str, Any] = {**as_extension(report.left_out)}
    # what is completed is so whatever its percentage says
    if report.progress is not None and not report.completed:
        progress = percentage(report.progress / 100)
        whole = progress.is_integer()
        extensions[_PROGRESS] = int(progress) if whole else progress
    if extensions:
        result["extensions"] = extensions
    return result


def _context(report: ActivityReport) -> dict[str, Any]:
    context: dict[str, Any] = {}
    if report.registration is not None:
        context["registration"] = report.registration
    if report.parent is not None:
        parent = {"objectType": "Activity", "id": report.parent}
        context["contextActivities"] = {"parent": [parent]}
    return context
