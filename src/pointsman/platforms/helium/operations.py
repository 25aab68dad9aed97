"""The 15 operations of the platform's reference page that pointsman is built on: one table.

The calls, the delivery's documents, the emulator's price function and docs/platform.md all come
from it, or are held against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pointsman.platforms.helium import selections
from pointsman.platforms.helium.selections import selection

#: points on top of the 1 of the property itself, by the type that the property belongs to
EXTRA_POINTS = {
    ("Query", "PagesCompletedByCourse"): 3,
    ("Query", "UserCourseCompletionProgress"): 5,
    ("Query", "UserCourseProgress"): 5,
    ("User", "allocatedLearningPaths"): 3,
    ("User", "attendedMeetings"): 3,
    ("User", "purchasedBundles"): 3,
    ("User", "purchasedCourses"): 3,
}


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A call without its values: (argument, GraphQL type) in order, and what it asks back.

    There are a few of them, made once, and each is equal to itself alone: texts are looked up by
    them.
    """

    operation: str
    arguments: tuple[tuple[str, str], ...]
    selection: str = ""
    #: of a mutation: 1, and what its answer's properties cost
    points: int = field(init=False)

    def __post_init__(self) -> None:
        names = self.selection.replace("{", " ").replace("}", " ").split()
        extra = sum(EXTRA_POINTS.get(("User", name), 0) for name in names)
        object.__setattr__(self, "points", 1 + len(names) + extra)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `arguments` are (name, GraphQL type), a type without `!` is optional."""

    name: str
    kind: Literal["query", "mutation"]
    arguments: tuple[tuple[str, str], ...]
    #: the GraphQL type of the answer
    returns: str
    #: what is asked back of it; None where the answer is a scalar
    result: Any
    #: the target or the command that uses it
    serves: str

    @property
    def selection(self) -> str:
        return selection(self.result)

    @property
    def extra_points(self) -> int:
        return EXTRA_POINTS.get((self.kind.capitalize(), self.name), 0)

    @property
    def points(self) -> int:
        """What one call with the default selection costs: 1 a property, and what is extra."""
        words = self.selection.replace("{", " ").replace("}", " ").split()
        properties = [word for word in words if word not in {"...", "on", "PageEntity"}]
        return 1 + self.extra_points + len(properties)

    def shape(self, *names: str, selection: str | None = None) -> Shape:
        """The call with these arguments, in the table's order; with all where none is named."""
        chosen = tuple(argument for argument in self.arguments if not names or argument[0] in names)
        return Shape(self.name, chosen, self.selection if selection is None else selection)

    def document(self, *names: str) -> str:
        """A named document with variables for these arguments, or for all of them."""
        shape = self.shape(*names)
        declared = ", ".join(f"${name}: {kind}" for name, kind in shape.arguments)
        passed = ", ".join(f"{name}: ${name}" for name, _ in shape.arguments)
        body = f" {{ {shape.selection} }}" if shape.selection else ""
        return f"{self.kind} {self.name}({declared}) {{ {self.name}({passed}){body} }}"


def _setting(
    name: str, arguments: tuple[tuple[str, str], ...], serves: str, returns: str = "Boolean!"
) -> Operation:
    """A mutation that sets this to that, for the learner."""
    return Operation(
        name,
        "mutation",
        arguments,
        returns,
        None,
        serves=serves,
    )


def _reading(
    name: str, argument: tuple[str, str], returns: str, result: Any, serves: str
) -> Operation:
    return Operation(
        name,
        "query",
        (argument,),
        returns,
        result,
        serves=serves,
    )


_ID, _SLUG = ("id", "ID!"), ("slug", "Slug!")

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        _reading(
            "CurrentUserLearningPathMilestoneCompletionsBySlug",
            _SLUG,
            "[LearningPathAction]",
            selections.MilestoneCompletion,
            "pointsman platform milestones",
        ),
        _reading(
            "LearningPathBySlug",
            _SLUG,
            "LearningPath",
            selections.LearningPath,
            "pointsman platform learning-path show",
        ),
        _reading(
            "Milestone",
            _ID,
            "Milestone",
            selections.Milestone,
            "pointsman platform milestone show",
        ),
        _reading(
            "PagesCompletedByCourse",
            ("courseId", "ID!"),
            "[PageResource!]!",
            selections.Page,
            "pointsman platform course pages",
        ),
        _reading(
            "UserCourseCompletionProgress",
            _ID,
            "[CourseCompletionCriteriaProgress!]",
            selections.CriterionProgress,
            "pointsman platform course criteria",
        ),
        _reading(
            "UserCourseProgress",
            _ID,
            "UserProgress",
            selections.CourseProgress,
            "pointsman platform course progress",
        ),
        _setting("ArchiveUserCourse", (_ID,), "target course_archived", "ID"),
        _setting("ArchiveUserLearningPath", (_ID,), "target learning_path_archived", "ID"),
        Operation(
            "CreateLearningPath",
            "mutation",
            (
                ("name", "String!"),
                ("language", "String"),
                ("clientId", "ID"),
                ("milestones", "[MilestoneInput!]!"),
            ),
            "LearningPath!",
            selections.CreatedLearningPath,
            serves="pointsman platform learning-path create",
        ),
        _setting("ReinstateUserCourse", (_ID,), "target course_archived", "ID"),
        _setting("ReinstateUserLearningPath", (_ID,), "target learning_path_archived", "ID"),
        _setting(
            "UpdateCourseStatus",
            (
                ("id", "ID"),
                ("slug", "Slug"),
                ("sku", "String"),
                ("status", "String!"),
                ("statusChangeDate", "Date"),
            ),
            "target course_status",
        ),
        _setting(
            "UpdateLearningPathAccess",
            (_SLUG, ("status", "String!")),
            "target learning_path_access",
        ),
        _setting(
            "UpdateTopicAndCourseProgress",
            (("topicId", "ID!"), ("progress", "Int!")),
            "target topic_progress",
        ),
        Operation(
            "UpdateUserCourseMeetingAttendance",
            "mutation",
            (
                ("userId", "ID!"),
                ("courseId", "ID"),
                ("meetingId", "ID!"),
                ("attended", "Boolean!"),
            ),
            "User",
            selections.User,
            serves="target meeting_attendance",
        ),
    )
}
