"""What an administrator of the platform does to learners, and what the platform forgets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from pointsman.emulator.catalogue import Catalogue, Course, Learner, LearningPath, Topic
from pointsman.emulator.errors import Code, RejectionError
from pointsman.emulator.events import PlatformEvents, kinds
from pointsman.emulator.records import LearnerRecord
from pointsman.emulator.state import STATUSES, State

_T = TypeVar("_T")


class Administrator:
    """Learners are named by e-mail address or id; courses by id, slug or SKU; paths by id or slug.

    Raises `RejectionError` for what is not there or can't be done.
    """

    def __init__(self, catalogue: Catalogue, state: State, events: PlatformEvents) -> None:
        self._catalogue = catalogue
        self._state = state
        self._events = events

    def reset(self, learner: str, course: str, topic: str | None = None, *, now: datetime) -> None:
        """Set back the progress of a course, or of one of its topics, and tell of it."""
        who, where = self._learner(learner), self._course(course)
        self._clear(who, where, topic)
        self._events.happened(kinds.PROGRESS_RESET, who, where, at=now, topic=topic)

    def forget(self, learner: str, course: str, topic: str | None = None) -> None:
        """The same without a word to anyone: the platform has lost it."""
        self._clear(self._learner(learner), self._course(course), topic)

    def set_status(self, learner: str, course: str, status: str, *, now: datetime) -> None:
        """Change the status of a course."""
        if status not in STATUSES:
            message = f"status must be one of {', '.join(STATUSES)}, not {status!r}"
            raise RejectionError(Code.BAD_USER_INPUT, message)
        who, where = self._learner(learner), self._course(course)
        self._state.set_course_status(who, where, status, changed_at=now, now=now)

    def revoke(self, learner: str, course: str, *, now: datetime) -> None:
        """Take the course away: from now on, the learner's mutations in it are refused."""
        who, where = self._learner(learner), self._course(course)
        self._state.change(who).revoked_courses.add(where.id)
        self._events.happened(kinds.ACCESS_REVOKED, who, where, at=now)

    def enrol(self, learner: str, course: str, *, now: datetime) -> None:
        """Give the course (back)."""
        who, where = self._learner(learner), self._course(course)
        self._state.change(who).revoked_courses.discard(where.id)
        self._events.happened(kinds.ENROLLED, who, where, at=now)

    def grant_certificate(self, learner: str, content: str, *, now: datetime) -> bool:
        """For a course or a learning path; whether the learner did not have it yet."""
        who, what = self._learner(learner), self._content(content)
        return self._state.certificates.grant(who, what, at=now)

    def revoke_certificate(self, learner: str, content: str, *, now: datetime) -> bool:
        """Of a course or a learning path; whether the learner had it."""
        who, what = self._learner(learner), self._content(content)
        return self._state.certificates.revoke(who, what, at=now)

    def _clear(self, learner: Learner, course: Course, topic: str | None) -> None:
        record = self._state.change(learner)
        if topic is not None:
            record.topics.pop(_topic(course, topic).id, None)
            return
        _clear_course(record, course)

    def _learner(self, name: str) -> Learner:
        catalogue = self._catalogue
        found = catalogue.learner_by_email.get(name.lower()) or catalogue.learner_by_id.get(name)
        return _there(found, "learner", name)

    def _course(self, name: str) -> Course:
        return _there(self._course_if_any(name), "course", name)

    def _course_if_any(self, name: str) -> Course | None:
        catalogue = self._catalogue
        return (
            catalogue.course_by_id.get(name)
            or catalogue.course_by_slug.get(name)
            or catalogue.course_by_sku.get(name)
        )

    def _content(self, name: str) -> Course | LearningPath:
        paths = self._state.paths
        if (course := self._course_if_any(name)) is None:
            path = paths.by_id.get(name) or paths.by_slug.get(name)
            return _there(path, "course or learning path", name)
        return course


def _topic(course: Course, name: str) -> Topic:
    found = (topic for topic in course.topics if topic.id == name)
    return _there(next(found, None), f"topic of course {course.id!r}", name)


def _clear_course(record: LearnerRecord, course: Course) -> None:
    _remove(record.topics, (topic.id for topic in course.topics))
    _remove(record.attended, (meeting.id for meeting in course.meetings))
    record.courses.pop(course.id, None)


def _remove(recorded: dict[str, _T], names: Iterable[str]) -> None:
    for name in names:
        recorded.pop(name, None)


def _there(thing: _T | None, what: str, name: str) -> _T:
    if thing is None:
        raise RejectionError(Code.NOT_FOUND, f"there is no {what} {name!r}")
    return thing
