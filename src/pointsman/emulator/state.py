"""The progress of every learner on the emulated platform.

Progress does what it is told: it may go down. A course completes when an update meets what it was
short of, and stays so until `UpdateCourseStatus` says otherwise; what was completed of a learning
path stays until `UpdateLearningPathAccess` starts it anew.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import Any, TypeVar

from pointsman.emulator import records
from pointsman.emulator.catalogue import Catalogue, Course, Learner, LearningPath, Meeting, Topic
from pointsman.emulator.certificates import Certificates
from pointsman.emulator.completion import (
    COMPLETE,
    COMPLETED,
    awards,
    completed_courses,
    is_course_met,
    is_milestone_met,
    is_path_met,
    percent_complete,
)
from pointsman.emulator.dates import iso
from pointsman.emulator.events import PlatformEvents, kinds
from pointsman.emulator.learning_paths import LearningPaths
from pointsman.emulator.records import ActionRecord, CourseRecord, LearnerRecord, PathRecord

_T = TypeVar("_T")

STARTED = "started"
NOT_STARTED = "not-started"
NOT_COMPLETED = "not-completed"
#: what `UpdateCourseStatus` takes, in the reference page's order
STATUSES = (STARTED, NOT_COMPLETED, COMPLETED)
#: what `UpdateLearningPathAccess` takes
PATH_STATUSES = (NOT_STARTED, STARTED, NOT_COMPLETED)


class State:
    """The record of every learner of the catalogue, and the learning paths that were made.

    `events` is told of what changes.
    """

    def __init__(self, catalogue: Catalogue, events: PlatformEvents) -> None:
        self.catalogue = catalogue
        self._events = events
        self._records = {learner.email: LearnerRecord() for learner in catalogue.learners}
        self.paths = LearningPaths(catalogue)
        self.certificates = Certificates(events, of=self.of, change=self.change)
        #: learners whose record has changed since the last save
        self.changed_learners: set[str] = set()

    def of(self, learner: Learner) -> LearnerRecord:
        """The learner's record, to read."""
        return self._records[learner.email]

    def set_topic_progress(
        self, learner: Learner, course: Course, topic: Topic, progress: int, *, now: datetime
    ) -> None:
        record = self.change(learner)
        if course.id not in record.courses:
            record.courses[course.id] = CourseRecord(STARTED, now)
            self._events.happened(kinds.COURSE_STARTED, learner, course, at=now)
        record.courses[course.id].views += 1
        was_met = is_course_met(course, record)
        record.topics[topic.id] = progress
        self._complete(learner, course, was_met=was_met, now=now)

    def set_course_status(
        self, learner: Learner, course: Course, status: str, *, changed_at: datetime, now: datetime
    ) -> None:
        record = self.change(learner)
        before = record.courses.get(course.id)
        status_before = before.status if before is not None else None
        enrolment = record.courses.setdefault(course.id, CourseRecord(status, changed_at))
        enrolment.status, enrolment.changed_at = status, changed_at
        if status != status_before:
            if status == COMPLETED:
                self._completed(learner, course, completed_at=changed_at, now=now)
            elif status == STARTED and before is None:
                self._events.happened(kinds.COURSE_STARTED, learner, course, at=now)
            else:
                self._events.happened(kinds.STATUS_CHANGED, learner, course, at=now, status=status)
        self._advance(learner, now)

    def set_attendance(
        self, learner: Learner, course: Course, meeting: Meeting, *, attended: bool, now: datetime
    ) -> None:
        record = self.change(learner)
        was_met = is_course_met(course, record)
        if attended:
            record.attended.setdefault(meeting.id, now)
        else:
            record.attended.pop(meeting.id, None)
        self._complete(learner, course, was_met=was_met, now=now)

    def set_path_access(
        self, learner: Learner, path: LearningPath, status: str, *, now: datetime
    ) -> None:
        record = self.change(learner)
        enrolment = record.paths.setdefault(path.id, PathRecord())
        enrolment.status = status
        if status == STARTED:
            enrolment.started_at = enrolment.started_at or now
        else:
            enrolment.completed_at = None
        if status == NOT_STARTED:
            enrolment.started_at = None
            record.actions = [action for action in record.actions if action.path != path.id]

    def archive(self, learner: Learner, kind: str, name: str, *, archived: bool) -> bool:
        """Whether it could be done: what is so already can't. `kind` is courses or paths."""
        record = self.change(learner)
        archived_names = record.archived_courses if kind == "courses" else record.archived_paths
        if (name in archived_names) == archived:
            return False
        (archived_names.add if archived else archived_names.remove)(name)
        return True

    def dump(self, email: str) -> dict[str, Any]:
        """A learner's record as JSON's types."""
        return records.dump(self._records[email])

    def load(self, email: str, record: dict[str, Any]) -> None:
        """Put back what `dump` gave; learners and things that left the catalogue are passed over.

        Learning paths that were made have to be back before.
        """
        if email in self._records:
            self._records[email] = self._without_removed(records.load(record))
            learner = self.catalogue.learner_by_email[email]
            self.certificates.schedule_all(learner, self.catalogue.course_by_id, self.paths.by_id)

    def _without_removed(self, record: LearnerRecord) -> LearnerRecord:
        catalogue, paths = self.catalogue, self.paths
        return LearnerRecord(
            topics=_only_known(catalogue.topic_by_id, record.topics),
            courses=_only_known(catalogue.course_by_id, record.courses),
            paths=_only_known(paths.by_id, record.paths),
            actions=[action for action in record.actions if action.milestone in paths.milestones],
            attended=_only_known(catalogue.meeting_by_id, record.attended),
            archived_courses={
                course for course in record.archived_courses if course in catalogue.course_by_id
            },
            archived_paths={path for path in record.archived_paths if path in paths.by_id},
            revoked_courses={
                course for course in record.revoked_courses if course in catalogue.course_by_id
            },
            certificates=_only_known(
                {**catalogue.course_by_id, **paths.by_id}, record.certificates
            ),
        )

    def change(self, learner: Learner) -> LearnerRecord:
        """The learner's record, to change; the next save writes it."""
        self.changed_learners.add(learner.email)
        return self._records[learner.email]

    def _complete(self, learner: Learner, course: Course, *, was_met: bool, now: datetime) -> None:
        # Only the update that meets what was missing may complete the course: the same update
        # sent again must not undo a status that was set in between.
        record = self._records[learner.email]
        if not was_met and is_course_met(course, record):
            before = record.courses.get(course.id)
            record.courses[course.id] = CourseRecord(
                COMPLETED, now, views=before.views if before is not None else 0
            )
            if before is None or before.status != COMPLETED:
                self._completed(learner, course, completed_at=now, now=now)
            self._advance(learner, now)

    def _completed(
        self, learner: Learner, course: Course, *, completed_at: datetime, now: datetime
    ) -> None:
        self._events.happened(kinds.COURSE_COMPLETED, learner, course, at=now)
        self.certificates.schedule(learner, course, completed_at)

    def _advance(self, learner: Learner, now: datetime) -> None:
        """Record the milestones and learning paths that the completed courses complete."""
        record = self._records[learner.email]
        done = completed_courses(record)
        earned = awards(self.catalogue.course_by_id, done)
        reached = {action.milestone for action in record.actions}
        for path in self.paths.published:
            fresh = [
                milestone
                for milestone in path.milestones
                if milestone.id not in reached and is_milestone_met(milestone, done, earned)
            ]
            if not fresh:
                continue
            enrolment = record.paths.setdefault(path.id, PathRecord())
            enrolment.started_at = enrolment.started_at or now
            if enrolment.status == NOT_STARTED:
                enrolment.status = STARTED
            for milestone in fresh:
                reached.add(milestone.id)
                action = f"action_{len(record.actions) + 1:03}_{milestone.id}"
                record.actions.append(ActionRecord(action, path.id, milestone.id, now))
            if is_path_met(path, reached):
                if enrolment.completed_at is None:
                    self._events.happened(kinds.PATH_COMPLETED, learner, path, at=now)
                    self.certificates.schedule(learner, path, now)
                    enrolment.completed_at = now
                enrolment.status = COMPLETED

    def as_json(self) -> dict[str, Any]:
        """By e-mail address, what is recorded; courses and learning paths by their slugs."""
        return {email: self._shown(record) for email, record in self._records.items()}

    def _shown(self, record: LearnerRecord) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "topics": dict(record.topics),
            "courses": {
                course.slug: {
                    "status": enrolment.status,
                    "percentComplete": percent_complete(course, record),
                    "statusChangeDate": iso(enrolment.changed_at),
                }
                for course_id, enrolment in record.courses.items()
                for course in (self.catalogue.course_by_id[course_id],)
            },
        }
        if record.paths:
            shown["learningPaths"] = {
                self.paths.by_id[name].slug: {
                    "status": enrolment.status,
                    "milestones": [
                        action.milestone for action in record.actions if action.path == name
                    ],
                }
                for name, enrolment in record.paths.items()
            }
        if record.attended:
            shown["attendedMeetings"] = sorted(record.attended)
        if record.revoked_courses:
            shown["revokedCourses"] = sorted(record.revoked_courses)
        if record.certificates:
            shown["certificates"] = {
                name: iso(granted_at) for name, granted_at in sorted(record.certificates.items())
            }
        if record.archived_courses:
            shown["archivedCourses"] = sorted(record.archived_courses)
        if record.archived_paths:
            shown["archivedLearningPaths"] = sorted(record.archived_paths)
        return shown


def _only_known(known: Container[str], recorded: dict[str, _T]) -> dict[str, _T]:
    return {name: value for name, value in recorded.items() if name in known}


__all__ = ["COMPLETE", "COMPLETED", "PATH_STATUSES", "STATUSES", "State"]
