"""Courses: lessons of topics, meetings, and what completes a course."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import AwareDatetime, Field, model_validator

from pointsman.emulator.catalogue.entry import CatalogueEntry, Dated, Name
from pointsman.emulator.page_types import TopicType


class Topic(Dated):
    """A page of a course; `id` is what `UpdateTopicAndCourseProgress` takes."""

    id: Name
    title: Name
    type: TopicType
    #: a video's id in the asset library
    asset: str | None = None
    #: of a quiz or test
    min_passing_percent: int | None = Field(default=None, ge=0, le=100)


class Lesson(CatalogueEntry):
    id: Name
    title: Name
    topics: tuple[Topic, ...]


class Meeting(CatalogueEntry):
    """What `UpdateUserCourseMeetingAttendance` is about."""

    id: Name
    title: Name
    start_date: AwareDatetime
    end_date: AwareDatetime
    time_zone: str | None = None


class Criterion(CatalogueEntry):
    """One of a course's completion criteria; all of them complete it.

    `percent` of the course for `coursePercentViewed`; `required` are ids, of meetings for
    `courseMeetingAttended` and of topics for all others.
    """

    type: Literal[
        "coursePercentViewed",
        "courseMeetingAttended",
        "courseTopicViewed",
        "courseAssessmentPassed",
        "courseAssignmentComplete",
        "scormComplete",
        "xApiComplete",
        "videoTopicId",
        "surveyGizmoComplete",
        "bongoAssignmentCompleted",
    ]
    percent: int = Field(default=100, ge=1, le=100)
    required: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _needs_its_parameter(self) -> Criterion:
        if self.type == "coursePercentViewed" and self.required:
            raise ValueError("coursePercentViewed takes percent, not required")
        if self.type != "coursePercentViewed" and not self.required:
            raise ValueError(f"{self.type} needs required, a list of ids")
        return self


class Course(Dated):
    id: Name
    slug: Name
    sku: Name | None = None
    title: Name
    lessons: tuple[Lesson, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    #: without any, all of its topics complete the course
    completion_criteria: tuple[Criterion, ...] = ()
    #: seconds from completion until the certificate is issued; none is given without it
    certificate_after_seconds: int | None = Field(default=None, ge=0)
    #: the id of the award type that completing it earns
    award_type: str | None = None

    @cached_property
    def topics(self) -> tuple[Topic, ...]:
        return tuple(topic for lesson in self.lessons for topic in lesson.topics)
