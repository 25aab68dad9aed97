"""What an operator says about activities: which topic and course they are, and what counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pointsman.mapping.template import Template
from pointsman.model import Falls, Target, TargetKind

#: namespaces whose verbs may be named by their last part
VERB_NAMESPACES = (
    "http://adlnet.gov/expapi/verbs/",
    "https://adlnet.gov/expapi/verbs/",
    "https://w3id.org/xapi/adl/verbs/",
    "http://w3id.org/xapi/adl/verbs/",
    "https://w3id.org/xapi/video/verbs/",
    "https://w3id.org/xapi/dod-isd/verbs/",
)


class CourseCompleted(StrEnum):
    """What completes a rule's course."""

    NEVER = "never"
    COMPLETED = "completed"
    PASSED = "passed"
    COMPLETED_OR_PASSED = "completed_or_passed"


@dataclass(frozen=True, slots=True)
class Course:
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
    topic_id: Template | None = None
    course: Course | None = None
    #: a statement about an activity of this rule starts its course
    course_started: bool = True
    course_completed: CourseCompleted = CourseCompleted.NEVER
    #: `result.score.scaled` counts as progress where nothing better is said
    score_is_progress: bool = False
    falls: Falls = Falls.NEVER

    def takes(self, verb: str) -> bool:
        return self.verbs is None or verb in self.verbs or short_verb(verb) in self.verbs


def short_verb(verb: str) -> str:
    """`completed` for ADL's and the profiles' IRIs of that verb, else the IRI itself."""
    for namespace in VERB_NAMESPACES:
        if verb.startswith(namespace):
            return verb[len(namespace) :]
    return verb
