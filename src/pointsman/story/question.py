"""What is asked: a learner, and of that learner one topic, course, activity or statement."""

from __future__ import annotations

from dataclasses import dataclass

from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import ReadBackPlace, Target, TargetKind

_OF_COURSE = frozenset({TargetKind.COURSE_STATUS, TargetKind.COURSE_ARCHIVED})


@dataclass(frozen=True, slots=True)
class Question:
    """At most one of the four is given; empty texts ask for everything."""

    learner: str = ""
    #: the topic's id
    topic: str = ""
    #: the course's id, slug or SKU
    course: str = ""
    #: the activity's IRI
    activity: str = ""
    statement_id: str = ""

    @property
    def words(self) -> str:
        """What it is about, beside the learner, for a person; empty for everything."""
        named = (
            ("topic", self.topic),
            ("course", self.course),
            ("activity", self.activity),
            ("statement", self.statement_id),
        )
        return ", ".join(f"{what} {name}" for what, name in named if name)

    @property
    def names_inputs(self) -> bool:
        """Whether it is told by its inputs which targets it is about."""
        return bool(self.activity or self.statement_id)

    def is_about(self, target: Target, desired: Desired | None = None) -> bool:
        """Whether a target is asked for; without a topic or a course every one is."""
        if self.topic:
            return target == Target(TargetKind.TOPIC_PROGRESS, self.topic) or (
                desired is not None
                and Target(TargetKind.TOPIC_PROGRESS, self.topic) in desired.after
            )
        if self.course:
            return self._is_about_course(target, desired)
        return True

    def _is_about_course(self, target: Target, desired: Desired | None) -> bool:
        if desired is not None and desired.read_back == ReadBackPlace.course(self.course):
            return True
        if target.kind in _OF_COURSE:
            return target.key.rpartition(":")[2] == self.course
        if target.kind is TargetKind.MEETING_ATTENDANCE:
            return target.key.partition(" ")[0] == self.course
        return False
