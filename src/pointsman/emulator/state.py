"""What the learners have done on the emulated platform, in memory.

Progress does what it is told: it may go down. A course completes when an update completes the
last of its topics, and stays so until `UpdateCourseStatus` says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pointsman.emulator.catalogue import Catalogue, Course, Learner, Topic
from pointsman.emulator.dates import iso

COMPLETE = 100

STARTED = "started"
COMPLETED = "completed"
#: what `UpdateCourseStatus` takes, in the reference page's order
STATUSES = (STARTED, "not-completed", COMPLETED)


@dataclass(slots=True)
class CourseRecord:
    """One learner in one course, from the first thing recorded there."""

    status: str
    changed_at: datetime
    #: topic updates so far
    views: int = 0


@dataclass(slots=True)
class LearnerRecord:
    #: percent by topic id
    topics: dict[str, int] = field(default_factory=dict)
    #: by course id
    courses: dict[str, CourseRecord] = field(default_factory=dict)


class State:
    """The record of every learner of the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._records = {learner.email: LearnerRecord() for learner in catalogue.learners}

    def set_topic_progress(
        self, learner: Learner, course: Course, topic: Topic, progress: int, *, now: datetime
    ) -> None:
        record = self._records[learner.email]
        enrolment = record.courses.setdefault(course.id, CourseRecord(STARTED, now))
        enrolment.views += 1
        before = record.topics.get(topic.id, 0)
        record.topics[topic.id] = progress
        # Only the update that completes a topic may complete the course: the same update sent
        # again must not undo a status that was set in between.
        if before < COMPLETE <= progress and all(
            record.topics.get(each.id, 0) >= COMPLETE for each in course.topics
        ):
            enrolment.status, enrolment.changed_at = COMPLETED, now

    def set_course_status(
        self, learner: Learner, course: Course, status: str, *, changed_at: datetime
    ) -> None:
        courses = self._records[learner.email].courses
        enrolment = courses.setdefault(course.id, CourseRecord(status, changed_at))
        enrolment.status, enrolment.changed_at = status, changed_at

    def percent_complete(self, learner: Learner, course: Course) -> int:
        """100 for a completed course, else the mean of its topics, rounded down."""
        record = self._records[learner.email]
        enrolment = record.courses.get(course.id)
        if enrolment is not None and enrolment.status == COMPLETED:
            return COMPLETE
        percents = [record.topics.get(topic.id, 0) for topic in course.topics]
        return sum(percents) // len(percents) if percents else 0

    def views(self, learner: Learner, course: Course) -> int:
        enrolment = self._records[learner.email].courses.get(course.id)
        return enrolment.views if enrolment is not None else 0

    def is_complete(self, learner: Learner, topic: Topic) -> bool:
        return self._records[learner.email].topics.get(topic.id, 0) >= COMPLETE

    def as_json(self) -> dict[str, Any]:
        """By e-mail address: percent by topic id, and by course slug what is recorded there."""
        return {
            learner.email: {
                "topics": dict(record.topics),
                "courses": {
                    course.slug: {
                        "status": enrolment.status,
                        "percentComplete": self.percent_complete(learner, course),
                        "statusChangeDate": iso(enrolment.changed_at),
                    }
                    for course_id, enrolment in record.courses.items()
                    for course in (self._catalogue.course_by_id[course_id],)
                },
            }
            for learner in self._catalogue.learners
            for record in (self._records[learner.email],)
        }
