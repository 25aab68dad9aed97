"""Learning paths: milestones of courses, and what completes a milestone."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field, model_validator

from pointsman.emulator.catalogue.entry import CatalogueEntry, Dated, Name

Requirement = Literal["required", "elective"]


class MilestoneCourse(CatalogueEntry):
    """A course of a milestone; `course` is its id."""

    id: Name
    course: Name
    requirement: Requirement = "required"
    content_grouping: Literal["course", "courseGroup"] = "course"


class MilestoneCriterion(CatalogueEntry):
    """So many (`threshold`) of these complete a milestone; all of its criteria must be met.

    No operation of the emulator passes a competency assessment, so its three types are never met.
    """

    id: Name
    type: Literal[
        "requiredCourses",
        "electives",
        "award",
        "requiredCompetencyAssessmentsAssessment",
        "requiredCompetencyAssessmentsDynamicContent",
        "requiredCompetencyAssessmentsPassingScore",
    ]
    threshold: int = Field(ge=0)
    #: of an award: its type's id
    award_type: str | None = None

    @model_validator(mode="after")
    def _award_has_a_type(self) -> MilestoneCriterion:
        if (self.type == "award") != (self.award_type is not None):
            raise ValueError("award_type belongs to the criterion type award, and to no other")
        return self


class CompetencyAssessment(CatalogueEntry):
    """The assessment of a milestone whose kind is `competencyAssessment`."""

    id: Name
    title: Name
    competency_assessment_id: Name
    passing_score_required: bool = True
    allow_retakes: bool = True


class Milestone(Dated):
    id: Name
    name: Name
    kind: Literal["content", "competencyAssessment"] = "content"
    requirement: Requirement = "required"
    release_date: AwareDatetime | None = None
    #: days after enrolment
    release_days: int | None = Field(default=None, ge=0)
    completion_criteria_description: str | None = None
    #: without any, all of its required courses complete it
    completion_criteria: tuple[MilestoneCriterion, ...] = ()
    courses: tuple[MilestoneCourse, ...] = ()
    competency_assessment: CompetencyAssessment | None = None


class Price(CatalogueEntry):
    id: Name
    currency_code: Name
    #: in the currency's smallest unit
    unit_amount: int = Field(ge=0)
    is_default: bool = False


class PathTag(CatalogueEntry):
    id: Name
    label: Name


class LearningPath(Dated):
    id: Name
    slug: Name
    name: Name
    sku: Name | None = None
    status: Literal["published", "draft", "archived"] = "published"
    language: str | None = None
    #: a client's id; the first of the catalogue without it
    client: str | None = None
    milestones: tuple[Milestone, ...] = ()
    prices: tuple[Price, ...] = ()
    tags: tuple[PathTag, ...] = ()
    #: ids of courses, and of learning paths
    prerequisite_courses: tuple[Name, ...] = ()
    prerequisite_learning_paths: tuple[Name, ...] = ()
    #: seconds from completion until the certificate is issued; none is given without it
    certificate_after_seconds: int | None = Field(default=None, ge=0)
    #: further fields of the platform's `LearningPath`, by their names there
    fields: dict[str, Any] = Field(default_factory=dict)
