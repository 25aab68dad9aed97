"""Translates SCORM Cloud's registration postbacks (API V2) into statements.

https://cloud.scorm.com/docs/v2/guides/postback. A postback is a whole
report of one registration, in one of three formats: COURSE is the registration alone, ACTIVITY adds
the tree of its activities, FULL adds what each of them stored at run time. Postbacks come again and
out of order; statements are dated, so that the newest wins.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pointsman.domain.errors import InputRefused
from pointsman.domain.records import Reading
from pointsman.domain.statement_ids import StatementIds
from pointsman.statements.adapters.json_paths import PathTemplate, as_text
from pointsman.statements.adapters.json_values import (
    address_of,
    derived_uuid,
    is_address,
    is_uuid,
    later,
    timestamp,
)
from pointsman.statements.adapters.report import COURSE, LESSON, ActivityReport, report_statement
from pointsman.statements.adapters.scorm_cloud_results import (
    Reader,
    RegistrationResult,
    activity_result,
    course_result,
    descendants,
    value_at,
)
from pointsman.statements.json_body import parse_json

#: names the attempts of registrations that were started again
_NAMESPACE = uuid.UUID("6f0c8a54-7c0e-5b1b-8f0d-2d9f4a1e5b77")


@dataclass(frozen=True, slots=True)
class ScormCloud:
    """What a source says of its postbacks.

    `course_activity` is a template with `{course}`, `sco_activity` one with `{course}` and `{sco}`.
    `learner` is what names the learner: the e-mail address where there is one, or always the id,
    which is an account of `home_page` unless it is an address.
    """

    course_activity: PathTemplate
    sco_activity: PathTemplate
    home_page: str
    ids: StatementIds
    learner: Literal["email", "id"] = "email"

    def statements(self, body: bytes) -> list[dict[str, Any]]:
        """One about the course, and one about each SCO of which something is known.

        `body` is the JSON of a postback. Raises `InputRefused` where it is none.
        """
        registration = _parse_registration(body)
        course_id = as_text(value_at(registration, "course", "id"))
        if course_id is None:
            raise InputRefused("course.id is missing, so nobody knows what this is about")
        names = {"course": course_id}
        read = Reader(registration)
        course = ActivityReport(
            learner=self._learner(registration),
            home_page=self.home_page,
            activity=self.course_activity.expand(names, names),
            activity_type=COURSE,
            title=as_text(value_at(registration, "course", "title")),
            registration=_registration_uuid(registration),
            timestamp=later(
                read(Reading.TIMESTAMP, ("updated",), timestamp),
                # seen to be later than the last update
                read(Reading.TIMESTAMP, ("completedDate",), timestamp),
            ),
        )
        course = replace(course, left_out=read.left_out)
        root = registration.get("activityDetails")
        statements = [self._statement(course, course_result(registration, root))]
        for child in descendants(root):
            reading = activity_result(child)
            if reading.says_nothing:  # a SCO that nobody has opened
                continue
            names = {"course": course_id, "sco": str(as_text(child.get("id")))}
            sco = replace(
                course,
                activity=self.sco_activity.expand(names, names),
                activity_type=LESSON,
                title=as_text(child.get("title")),
                parent=course.activity,
            )
            statements.append(self._statement(sco, reading))
        return list({statement["id"]: statement for statement in statements}.values())

    def _statement(self, report: ActivityReport, result: RegistrationResult) -> dict[str, Any]:
        return report_statement(_with_result(report, result), self.ids)

    def _learner(self, registration: Mapping[str, Any]) -> str:
        email = as_text(value_at(registration, "learner", "email"))
        if self.learner == "email" and email is not None and is_address(address_of(email)):
            return email
        name = as_text(value_at(registration, "learner", "id"))
        if name is None:
            raise InputRefused("learner.id is missing, so nobody knows who this is about")
        return name


def _parse_registration(body: bytes) -> dict[str, Any]:
    if body.lstrip().startswith(b"<"):
        raise InputRefused(
            "the postback is XML, as API V1 and resultsFormat legacy send it; set resultsFormat to "
            "course, activity or full"
        )
    registration = parse_json(body, tolerant=True)
    if not isinstance(registration, dict):
        raise InputRefused("the postback must be an object, a registration")
    return registration


def _with_result(report: ActivityReport, reading: RegistrationResult) -> ActivityReport:
    return replace(
        report,
        completed=reading.completed,
        passed=reading.passed,
        progress=reading.progress,
        score=reading.score,
        seconds=reading.seconds,
        left_out=report.left_out + reading.left_out,
    )


def _registration_uuid(registration: Mapping[str, Any]) -> str | None:
    """The registration; each later instance of it is an attempt of its own."""
    name, instance = as_text(registration.get("id")), as_text(registration.get("instance")) or "0"
    xapi_registration = as_text(registration.get("xapiRegistrationId"))
    if xapi_registration is not None and is_uuid(xapi_registration) and instance == "0":
        return xapi_registration.lower()
    return None if name is None else derived_uuid(_NAMESPACE, name, instance)
