"""A target: one thing that can be set for one learner. What kinds there are: `target_kinds`."""

from __future__ import annotations

from dataclasses import dataclass

from pointsman.domain.target_kinds import (
    TARGET_KINDS,
    Archived,
    Attendance,
    CourseStatus,
    PathAccess,
    TargetKind,
    Value,
)

__all__ = [
    "MEETING",
    "Archived",
    "Attendance",
    "CourseStatus",
    "PathAccess",
    "Target",
    "TargetKind",
    "Value",
    "is_completion",
    "rank",
]

#: how the name begins under which all attendance of one meeting is delivered together: it is the
#: one mutation that names its user, so it may share a request across learners
MEETING = "meeting:"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One thing that can be set for one learner; `key` is as `TargetKind` says."""

    kind: TargetKind
    key: str


def rank(target: Target, value: Value) -> int:
    """What is further along is higher."""
    return TARGET_KINDS[target.kind].rank(value)


def is_completion(target: Target, value: Value) -> bool:
    """Completions: a topic at 100, a course completed, a meeting attended. They go first."""
    return value == TARGET_KINDS[target.kind].complete
