"""Decides when a course, a milestone and a learning path are complete. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass

from pointsman.emulator.catalogue import (
    Course,
    Criterion,
    LearningPath,
    Milestone,
    MilestoneCriterion,
)
from pointsman.emulator.records import LearnerRecord

COMPLETE = 100
COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class CriterionProgress:
    """How far a learner is in one criterion; the ids are None where it counts none."""

    type: str
    required: tuple[str, ...] | None
    completed: tuple[str, ...] | None
    percent: int


def percent_complete(course: Course, record: LearnerRecord) -> int:
    """100 for a completed course, else the mean of its topics, rounded down."""
    enrolment = record.courses.get(course.id)
    if enrolment is not None and enrolment.status == COMPLETED:
        return COMPLETE
    return _viewed(course, record)


def criterion_progress(
    course: Course, criterion: Criterion, record: LearnerRecord
) -> CriterionProgress:
    """One entry of `UserCourseCompletionProgress`."""
    if criterion.type == "coursePercentViewed":
        percent = min(COMPLETE, _viewed(course, record) * 100 // criterion.percent)
        return CriterionProgress(criterion.type, None, None, percent)
    if criterion.type == "courseMeetingAttended":
        done = tuple(name for name in criterion.required if name in record.attended)
    else:
        done = tuple(name for name in criterion.required if record.topics.get(name, 0) >= COMPLETE)
    percent = len(done) * 100 // len(criterion.required)
    return CriterionProgress(criterion.type, criterion.required, done, percent)


def is_course_met(course: Course, record: LearnerRecord) -> bool:
    """Whether what the learner did completes the course, whatever its status is."""
    if course.completion_criteria:
        return all(
            criterion_progress(course, criterion, record).percent >= COMPLETE
            for criterion in course.completion_criteria
        )
    return bool(course.topics) and all(
        record.topics.get(topic.id, 0) >= COMPLETE for topic in course.topics
    )


def completed_courses(record: LearnerRecord) -> set[str]:
    return {name for name, enrolment in record.courses.items() if enrolment.status == COMPLETED}


def awards(courses: Mapping[str, Course], done: Container[str]) -> Counter[str]:
    """How many awards of each type completed courses have earned."""
    return Counter(
        course.award_type
        for course in courses.values()
        if course.award_type is not None and course.id in done
    )


def is_milestone_met(milestone: Milestone, done: Container[str], earned: Counter[str]) -> bool:
    """Whether completed courses and earned awards complete the milestone."""
    if milestone.completion_criteria:
        return all(
            _is_met(milestone, criterion, done, earned)
            for criterion in milestone.completion_criteria
        )
    required = [place.course for place in milestone.courses if place.requirement == "required"]
    return bool(required) and all(course in done for course in required)


def _is_met(
    milestone: Milestone, criterion: MilestoneCriterion, done: Container[str], earned: Counter[str]
) -> bool:
    if criterion.type == "award":
        return earned[criterion.award_type or ""] >= criterion.threshold
    if criterion.type not in {"requiredCourses", "electives"}:
        return False  # an assessment, which no operation can pass
    wanted = "required" if criterion.type == "requiredCourses" else "elective"
    finished = sum(
        place.requirement == wanted and place.course in done for place in milestone.courses
    )
    return finished >= criterion.threshold


def is_path_met(path: LearningPath, milestones: Container[str]) -> bool:
    """Whether these completed milestones complete the path: all required ones, or simply all."""
    required = [
        milestone.id for milestone in path.milestones if milestone.requirement == "required"
    ]
    wanted = required or [milestone.id for milestone in path.milestones]
    return bool(wanted) and all(name in milestones for name in wanted)


def _viewed(course: Course, record: LearnerRecord) -> int:
    percents = [record.topics.get(topic.id, 0) for topic in course.topics]
    return sum(percents) // len(percents) if percents else 0
