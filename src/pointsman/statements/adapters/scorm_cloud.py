"""SCORM Cloud's registration postbacks (API V2) as statements.

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
from pointsman.statements.adapters.json_paths import PathTemplate, as_text
from pointsman.statements.adapters.json_values import is_address, is_uuid, later, timestamp, uuid_of
from pointsman.statements.adapters.report import COURSE, LESSON, ActivityReport, statement
from pointsman.statements.adapters.scorm_cloud_results import (
    RegistrationResult,
    activity_reading,
    course_reading,
    descendants,
    dig,
    read,
)
from pointsman.statements.json_body import parse_json

#: names the attempts of registrations that were started anew
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
    learner: Literal["email", "id"] = "email"

    def statements(self, body: bytes) -> list[dict[str, Any]]:
        """One about the course, and one about each SCO of which something is known.

        `body` is the JSON of a postback. Raises `InputRefused` where it is none.
        """
        found = _registration(body)
        course_id = as_text(dig(found, "course", "id"))
        if course_id is None:
            raise InputRefused("course.id is missing, so nobody knows what this is about")
        names = {"course": course_id}
        course = ActivityReport(
            learner=self._learner(found),
            home_page=self.home_page,
            activity=self.course_activity.expand(names, names),
            activity_type=COURSE,
            title=as_text(dig(found, "course", "title")),
            registration=_attempt(found),
            timestamp=later(
                read(found, ("updated",), timestamp),
                # seen to be later than the last update
                read(found, ("completedDate",), timestamp),
            ),
        )
        root = found.get("activityDetails")
        made = [statement(_with(course, course_reading(found, root)))]
        for child in descendants(root):
            reading = activity_reading(child)
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
            made.append(statement(_with(sco, reading)))
        return list({one["id"]: one for one in made}.values())

    def _learner(self, found: Mapping[str, Any]) -> str:
        email = as_text(dig(found, "learner", "email"))
        if self.learner == "email" and email is not None and is_address(email):
            return email
        name = as_text(dig(found, "learner", "id"))
        if name is None:
            raise InputRefused("learner.id is missing, so nobody knows who this is about")
        return name


def _registration(body: bytes) -> dict[str, Any]:
    if body.lstrip().startswith(b"<"):
        raise InputRefused(
            "the postback is XML, as API V1 and resultsFormat legacy send it; set resultsFormat to "
            "course, activity or full"
        )
    found = parse_json(body)
    if not isinstance(found, dict):
        raise InputRefused("the postback must be an object, a registration")
    return found


def _with(report: ActivityReport, reading: RegistrationResult) -> ActivityReport:
    return replace(
        report,
        completed=reading.completed,
        passed=reading.passed,
        progress=reading.progress,
        score=reading.score,
        seconds=reading.seconds,
    )


def _attempt(found: Mapping[str, Any]) -> str | None:
    """The registration; each later instance of it is an attempt of its own."""
    name, instance = as_text(found.get("id")), as_text(found.get("instance")) or "0"
    given = as_text(found.get("xapiRegistrationId"))
    if given is not None and is_uuid(given) and instance == "0":
        return given.lower()
    return None if name is None else uuid_of(_NAMESPACE, name, instance)
