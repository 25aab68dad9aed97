"""A launch that says what its activity is on the platform, as the rule that it stands for. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from pointsman.launch import Launch
from pointsman.mapping.rules import Course, CourseCompleted, Rule
from pointsman.mapping.template import Template

#: what the books name as the rule
NAME = "launch"


def values_of(launch: Launch) -> dict[str, str]:
    """The variables of its rule."""
    return {"topic": launch.topic_id, "course": launch.course}


def rule_of(launch: Launch) -> Rule:
    return _rule(bool(launch.topic_id), launch.course_by, launch.course_completed)


@lru_cache(maxsize=64)
def _rule(
    has_topic: bool,
    course_by: Literal["id", "slug", "sku", ""],
    completed: str,
) -> Rule:
    """Few differ, for ids are in the variables."""
    return Rule(
        name=NAME,
        activity=Template("{activity}"),
        topic_id=Template("{topic}") if has_topic else None,
        course=Course(course_by, Template("{course}")) if course_by else None,
        course_completed=CourseCompleted(completed),
    )
