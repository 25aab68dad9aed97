"""The rules of an operator: which topic and course an activity is, and what counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from pointsman.domain.records import FRESH_WITHIN, Falls, Observation
from pointsman.domain.targets import Target, TargetKind
from pointsman.domain.uri_template import Template

#: verbs and types of activities whose short names are remembered: players say a few, over and over
_SHORT_NAMES = 1_024
#: namespaces whose verbs may be named by their last part
VERB_NAMESPACES = (
    "http://adlnet.gov/expapi/verbs/",
    "https://adlnet.gov/expapi/verbs/",
    "https://w3id.org/xapi/adl/verbs/",
    "http://w3id.org/xapi/adl/verbs/",
    "https://w3id.org/xapi/video/verbs/",
    "https://w3id.org/xapi/dod-isd/verbs/",
    "http://activitystrea.ms/schema/1.0/",
    "http://id.tincanapi.com/verb/",
)
#: namespaces whose activity types may be named by their last part
TYPE_NAMESPACES = (
    "http://adlnet.gov/expapi/activities/",
    "https://adlnet.gov/expapi/activities/",
    "https://w3id.org/xapi/video/activity-type/",
    "https://w3id.org/xapi/cmi5/activitytype/",
    "http://activitystrea.ms/schema/1.0/",
    "http://id.tincanapi.com/activitytype/",
)


class CourseCompleted(StrEnum):
    """What completes a rule's course."""

    NEVER = "never"
    COMPLETED = "completed"
    PASSED = "passed"
    COMPLETED_OR_PASSED = "completed_or_passed"
    COMPLETED_AND_PASSED = "completed_and_passed"


class MoveOn(StrEnum):
    """When an assignable unit is satisfied (cmi5 section 13.1.4)."""

    PASSED = "Passed"
    COMPLETED = "Completed"
    COMPLETED_AND_PASSED = "CompletedAndPassed"
    COMPLETED_OR_PASSED = "CompletedOrPassed"
    NOT_APPLICABLE = "NotApplicable"


@dataclass(frozen=True, slots=True)
class CourseName:
    """How the platform's course is named: one of id, slug and SKU."""

    by: Literal["id", "slug", "sku"]
    template: Template

    def target(self, values: dict[str, str]) -> Target:
        return Target(TargetKind.COURSE_STATUS, f"{self.by}:{self.template.fill(values)}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of `[[rules]]`; the first whose activity and verb match decides."""

    name: str
    activity: Template
    #: None for any verb; short names and full IRIs
    verbs: frozenset[str] | None = None
    #: None for any type; short names and full IRIs
    activity_types: frozenset[str] | None = None
    topic_id: Template | None = None
    course: CourseName | None = None
    #: the course's id, for reading back where the course goes by another name or is not named
    audit_course_id: Template | None = None
    #: the other targets' names, by the setting that names them
    names: Mapping[str, Template] = field(default_factory=dict)
    #: a statement about an activity of this rule starts its course
    course_started: bool = True
    course_completed: CourseCompleted = CourseCompleted.NEVER
    #: activities that have to do so, to complete the course
    course_parts: int = 1
    #: what makes a topic 100; None for what an activity says of itself
    move_on: MoveOn | None = None
    #: how many activities of this rule are slides of one topic; None where they are no slides
    slides: int | None = None
    #: `result.score.scaled` counts as progress where nothing better is said
    score_is_progress: bool = False
    falls: Falls = Falls.NEVER
    #: how long progress may wait, in microseconds
    fresh_within: int = FRESH_WITHIN
    #: when learners' work is due, in microseconds since the epoch; 0 for never
    deadline: int = 0

    def named_by(self, setting: str, values: dict[str, str]) -> str | None:
        """What `setting` names under these values; None where the rule doesn't have it."""
        template = self.names.get(setting)
        return None if template is None else template.fill(values)

    def takes(self, observation: Observation) -> bool:
        """Whether verb and activity type are among those that the rule is for."""
        if self.verbs is None and self.activity_types is None:
            return True
        return _is_among(observation.verb, short_verb(observation.verb), self.verbs) and _is_among(
            observation.activity_type, short_type(observation.activity_type), self.activity_types
        )


def _is_among(full: str | None, short: str | None, wanted: frozenset[str] | None) -> bool:
    return wanted is None or full in wanted or short in wanted


@lru_cache(_SHORT_NAMES)
def short_verb(verb: str) -> str:
    """`completed` for ADL's and the profiles' IRIs of that verb, else the IRI itself."""
    return _short(verb, VERB_NAMESPACES)


@lru_cache(_SHORT_NAMES)
def short_type(activity_type: str | None) -> str | None:
    """`course` for ADL's and the profiles' IRIs of that type, else the IRI itself."""
    return None if activity_type is None else _short(activity_type, TYPE_NAMESPACES)


def _short(iri: str, namespaces: tuple[str, ...]) -> str:
    for namespace in namespaces:
        if iri.startswith(namespace):
            return iri[len(namespace) :]
    return iri
