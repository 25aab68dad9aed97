"""Each target as the mutation that sets it (the platform's reference page, Mutations)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pointsman.domain.clock import MICROSECONDS
from pointsman.domain.frozen import record
from pointsman.domain.target_kinds import for_every
from pointsman.domain.targets import Archived, Attendance, TargetKind
from pointsman.platforms.base import Mutation, Verdict
from pointsman.platforms.helium.operations import OPERATIONS, Shape

#: seconds; a younger status change goes without its date, which then is now: the platform refuses
#: dates in its future, and its clock may be behind ours
_FRESH = 60.0


@record
class Field:
    """One mutation of a document."""

    shape: Shape
    values: dict[str, Any]
    #: what the answer null means; None where it can't be null
    null: Verdict | None = None
    #: a mutation with the same arguments that runs just before it
    prelude: Shape | None = None
    #: what the answer shows against what was asked, in words; "" where it agrees or says nothing
    compare: Callable[[Any], str] | None = None

    @property
    def points(self) -> int:
        return self.shape.points + (self.prelude is not None)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Unix seconds of the first and the last moment that a date can show
_EARLIEST = int((datetime.min.replace(tzinfo=UTC) - _EPOCH).total_seconds())
_LATEST = int((datetime.max.replace(tzinfo=UTC) - _EPOCH).total_seconds())

_TOPIC = OPERATIONS["UpdateTopicAndCourseProgress"].shape()
_PATH_ACCESS = OPERATIONS["UpdateLearningPathAccess"].shape()
_COURSE = {
    (by, dated): OPERATIONS["UpdateCourseStatus"].shape(
        by, "status", *(("statusChangeDate",) if dated else ())
    )
    for by in ("id", "slug", "sku")
    for dated in (True, False)
}
_ATTENDANCE = {
    with_course: OPERATIONS["UpdateUserCourseMeetingAttendance"].shape(
        "userId",
        "meetingId",
        "attended",
        *(("courseId",) if with_course else ()),
        selection="id attendedMeetings { meeting { id } }",
    )
    for with_course in (True, False)
}
_ARCHIVING = {
    (kind, value.value): OPERATIONS[operation].shape()
    for kind, value, operation in (
        (TargetKind.COURSE_ARCHIVED, Archived.ARCHIVED, "ArchiveUserCourse"),
        (TargetKind.COURSE_ARCHIVED, Archived.ACTIVE, "ReinstateUserCourse"),
        (TargetKind.LEARNING_PATH_ARCHIVED, Archived.ARCHIVED, "ArchiveUserLearningPath"),
        (TargetKind.LEARNING_PATH_ARCHIVED, Archived.ACTIVE, "ReinstateUserLearningPath"),
    )
}


def points(mutation: Mutation) -> int:
    """What it costs; of nearly all that is sent without its values."""
    if mutation.target.kind is TargetKind.TOPIC_PROGRESS:
        return _TOPIC.points
    return field(mutation, 0.0).points


def field(mutation: Mutation, now: float) -> Field:
    """The mutation that sets this target to this value; `now` in Unix seconds."""
    return _FIELDS[mutation.target.kind](mutation, now)


def _topic(mutation: Mutation, _now: float) -> Field:
    return Field(_TOPIC, {"topicId": mutation.target.key, "progress": mutation.value})


def _course_status(mutation: Mutation, now: float) -> Field:
    by, _, key = mutation.target.key.partition(":")
    values: dict[str, Any] = {by: key, "status": mutation.value}
    at = mutation.occurred_at
    dated = at is not None and at < (now - _FRESH) * MICROSECONDS
    if at is not None and dated:
        values["statusChangeDate"] = _date(at)
    return Field(_COURSE[by, dated], values)


def _date(at: int) -> str:
    """ISO 8601, of four digits for the year; before the year 1 it is cut."""
    seconds = min(max(at // MICROSECONDS, _EARLIEST), _LATEST)
    stamp = _EPOCH + timedelta(seconds=seconds)
    return stamp.isoformat().replace("+00:00", "Z")


def _path_access(mutation: Mutation, _now: float) -> Field:
    return Field(_PATH_ACCESS, {"slug": mutation.target.key, "status": mutation.value})


def _attendance(mutation: Mutation, _now: float) -> Field:
    course, _, _learner = mutation.target.key.partition(" ")
    values: dict[str, Any] = {
        "userId": mutation.user_id,
        "meetingId": mutation.meeting_id,
        "attended": mutation.value == Attendance.ATTENDED.value,
    }
    if course:
        values["courseId"] = course
    return Field(
        _ATTENDANCE[bool(course)],
        values,
        null=Verdict.REFUSED,
        compare=partial(attendance_shown, mutation.meeting_id, attended=values["attended"]),
    )


def attendance_shown(meeting_id: str, answer: Any, *, attended: bool) -> str:
    """Whether the user that is answered attended the meeting, as the page says that they show."""
    meetings = answer.get("attendedMeetings") if isinstance(answer, dict) else None
    if not isinstance(meetings, list):
        return ""
    shown = {
        entry["meeting"].get("id")
        for entry in meetings
        if isinstance(entry, dict) and isinstance(entry.get("meeting"), dict)
    }
    if (meeting_id in shown) is attended:
        return ""
    what = "does not show the meeting as attended" if attended else "still shows it as attended"
    return f"the platform answered, and {what}"


def _archived(mutation: Mutation, _now: float) -> Field:
    """Null means "could not be done", and nobody says whether "is so already" is one of those.

    To a reinstatement it may be: the page says so of what was not archived, and that is what is
    wanted. To an archiving it may be the echo of one whose answer was lost, so it is asked again
    with a reinstatement before it: if it still can't be done, it can't.
    """
    values = {"id": mutation.target.key}
    shape = _ARCHIVING[mutation.target.kind, str(mutation.value)]
    compare = partial(id_shown, mutation.target.key)
    if mutation.value == Archived.ACTIVE.value:
        return Field(shape, values, null=Verdict.DONE, compare=compare)
    if not mutation.again:
        return Field(shape, values, null=Verdict.UNKNOWN, compare=compare)
    undo = _ARCHIVING[mutation.target.kind, Archived.ACTIVE.value]
    return Field(shape, values, null=Verdict.REFUSED, prelude=undo, compare=compare)


def id_shown(wanted: str, answer: Any) -> str:
    """Whether the id that is answered is that of what was asked for."""
    if not isinstance(answer, str) or answer == wanted:
        return ""
    return f"the platform answered for {answer[:100]!r}, which is another one"


_FIELDS: Mapping[TargetKind, Callable[[Mutation, float], Field]] = for_every(
    TargetKind,
    {
        TargetKind.TOPIC_PROGRESS: _topic,
        TargetKind.COURSE_STATUS: _course_status,
        TargetKind.LEARNING_PATH_ACCESS: _path_access,
        TargetKind.MEETING_ATTENDANCE: _attendance,
        TargetKind.COURSE_ARCHIVED: _archived,
        TargetKind.LEARNING_PATH_ARCHIVED: _archived,
    },
    "platforms/helium/fields.py",
)
