"""What is asked back of each operation, as records. Their fields are the selection that is sent.

Dates are ISO 8601 text, as the platform writes them; prices are in the currency's smallest unit.
"""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Result(BaseModel):
    """A GraphQL object; what else the platform sends is passed over."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore")


def selection(result: Any) -> str:
    """The fields of a record, nested as it is; "" for a scalar."""
    record = _record(result)
    if record is None:
        return ""
    names = []
    for name, field in record.model_fields.items():
        inner = selection(field.annotation)
        names.append(f"{field.alias or name} {{ {inner} }}" if inner else field.alias or name)
    if record is Page:
        # a union: its members share an interface
        return f"__typename ... on PageEntity {{ {' '.join(names[1:])} }}"
    return " ".join(names)


def _record(annotation: Any) -> type[Result] | None:
    """The record inside `X`, `X | None`, `tuple[X, ...]` and their mixtures."""
    if isinstance(annotation, type) and issubclass(annotation, Result):
        return annotation
    if get_origin(annotation) in {tuple, Union, UnionType, Annotated}:
        return next((record for part in get_args(annotation) if (record := _record(part))), None)
    return None


class PathName(Result):
    id: str
    name: str
    slug: str


class MilestoneName(Result):
    id: str
    name: str
    kind: str
    requirement: str


class UserName(Result):
    id: str
    email: str | None
    first_name: str | None
    last_name: str | None


class MilestoneCompletion(Result):
    """A `LearningPathAction`."""

    id: str
    type: str | None
    source: str | None
    timestamp: str | None
    milestone: MilestoneName | None
    learning_path: PathName
    user: UserName | None


class MilestoneOverview(MilestoneName):
    release_date: str | None
    completion_criteria_description: str | None


class Tag(Result):
    id: str
    label: str | None


class Price(Result):
    id: str
    currency_code: str
    unit_amount: int | None
    is_default: bool | None


class LearningPath(PathName):
    status: str
    short_description: str | None
    language: str | None
    price_in_cents: int | None
    purchasable: bool
    free_with_registration: bool | None
    availability_status: str | None
    created_at: str | None
    updated_at: str | None
    current_user_start_action_date: str | None
    current_user_pending_certificate: bool
    current_user_earned_certificate: bool
    milestones: tuple[MilestoneOverview | None, ...] | None
    tags: tuple[Tag | None, ...] | None
    prices: tuple[Price, ...]


class AwardType(Result):
    id: str
    label: str | None


class MilestoneCriterion(Result):
    id: str
    type: str
    threshold: int
    award_type: AwardType | None


class MilestoneCourse(Result):
    id: str
    content_id: str
    content_title: str
    requirement: str
    content_grouping: str


class Milestone(MilestoneOverview):
    release_days: int | None
    created_at: str | None
    updated_at: str | None
    completion_criteria: tuple[MilestoneCriterion, ...] | None
    milestone_courses: tuple[MilestoneCourse, ...] | None
    learning_path: PathName


class Page(Result):
    """A member of the `PageResource` union."""

    typename: str = Field(alias="__typename")
    id: str
    title: str | None
    type: str
    lesson_id: str
    updated_at: str


class CriterionProgress(Result):
    """One of a course's completion criteria; `percent` of 0-100."""

    type: str | None
    required: tuple[str | None, ...] | None
    completed: tuple[str | None, ...] | None
    percent: int


class CourseProgress(Result):
    """`total_time` in seconds."""

    total_views: int | None
    total_time: int | None
    percent_complete: int | None


class CreatedMilestone(MilestoneName):
    milestone_courses: tuple[MilestoneCourse, ...] | None


class Client(Result):
    id: str
    name: str


class CreatedLearningPath(PathName):
    status: str
    language: str | None
    created_at: str | None
    milestones: tuple[CreatedMilestone | None, ...] | None
    client: Client | None


class User(Result):
    id: str
    email: str | None
    name: str | None
