"""Lists what an observation changes at each target that its rule names. Pure.

The defaults by verb, where the rule says nothing else:
- a course is started by its first statement, completed as the rule says or when it is
  `waived` (cmi5 section 9.3.9), and not completed when it is `abandoned` (section 9.3.8)
- a learning path is started by its first statement, and not completed when it is `abandoned`
- a meeting is attended with `attended`; `registered` says that it is not yet
- a course or learning path is archived with `archived`, and comes back with `reinstated`
"""

from __future__ import annotations

from collections.abc import Iterator

from pointsman.domain.evidence import Evidence
from pointsman.domain.frozen import record
from pointsman.domain.records import (
    Falls,
    Observation,
)
from pointsman.domain.targets import (
    Archived,
    Attendance,
    CourseStatus,
    PathAccess,
    ReadBackPlace,
    Recipient,
    Target,
    TargetKind,
    Value,
)
from pointsman.mapping.completion import ConditionalValue, course_values, topic_values
from pointsman.mapping.rules import Rule, short_verb

_ARCHIVING = frozenset({"archived", "archive"})
_REINSTATING = frozenset({"reinstated", "unarchived", "restored"})


@record
class TargetChange:
    """One value for one target.

    With `evidence`, it is wanted once the evidence is complete, or in its share.
    """

    #: what it is delivered for, None where that is the learner
    meeting: Recipient | None
    target: Target
    value: Value
    falls: Falls
    after: tuple[Target, ...] = ()
    read_back: ReadBackPlace | None = None
    evidence: Evidence | None = None


def target_changes(
    rule: Rule, values: dict[str, str], observation: Observation, learner: Recipient
) -> list[TargetChange]:
    """All that the observation changes under `rule`, whose variables have these values."""
    verb = short_verb(observation.verb)
    archived = _archived_by(verb)
    if archived is not None:
        return [
            *_archiving_changes(rule, values, archived),
            *_meeting_changes(rule, values, verb, learner),
        ]
    return [
        *_course_changes(rule, values, observation, verb),
        *_path_changes(rule, values, verb),
        *_meeting_changes(rule, values, verb, learner),
    ]


def _course_changes(
    rule: Rule, values: dict[str, str], observation: Observation, verb: str
) -> Iterator[TargetChange]:
    """The topic, and the course that stands behind it."""
    read_back = _course_read_back(rule, values)
    topics: tuple[Target, ...] = ()
    if rule.topic_id is not None:
        topic = Target(TargetKind.TOPIC_PROGRESS, rule.topic_id.fill(values))
        for candidate in topic_values(rule, observation, topic):
            topics = (topic,)
            # a share never falls, whatever a rule says about what players claim
            falls = Falls.NEVER if candidate.evidence and rule.falls is Falls.ALWAYS else rule.falls
            yield TargetChange(
                None, topic, candidate.value, falls, (), read_back, candidate.evidence
            )
    if rule.course is not None:
        course = rule.course.target(values)
        for candidate in _course_values_by_verb(rule, observation, verb, course):
            after = topics if candidate.value == CourseStatus.COMPLETED else ()
            yield TargetChange(
                None, course, candidate.value, Falls.NEVER, after, read_back, candidate.evidence
            )


def _course_values_by_verb(
    rule: Rule, observation: Observation, verb: str, course: Target
) -> Iterator[ConditionalValue]:
    """Started or abandoned, and completed now or once the evidence says so."""
    completed = course_values(rule, observation, course)
    if not any(candidate.evidence is None for candidate in completed):
        if verb == "abandoned":
            yield ConditionalValue(CourseStatus.NOT_COMPLETED.value)
        elif rule.course_started:
            yield ConditionalValue(CourseStatus.STARTED.value)
    yield from completed


def _path_changes(rule: Rule, values: dict[str, str], verb: str) -> Iterator[TargetChange]:
    slug = rule.named_by("learning_path_slug", values)
    if slug is None:
        return
    access = PathAccess.NOT_COMPLETED if verb == "abandoned" else PathAccess.STARTED
    target = Target(TargetKind.LEARNING_PATH_ACCESS, slug)
    place = ReadBackPlace.path(slug)
    yield TargetChange(None, target, access.value, Falls.ALWAYS, read_back=place)


def _archiving_changes(
    rule: Rule, values: dict[str, str], archived: Archived
) -> Iterator[TargetChange]:
    if rule.course is not None and rule.course.by == "id":
        course = Target(TargetKind.COURSE_ARCHIVED, rule.course.template.fill(values))
        yield TargetChange(None, course, archived.value, Falls.ALWAYS)
    path_id = rule.named_by("learning_path_id", values)
    if path_id is not None:
        path = Target(TargetKind.LEARNING_PATH_ARCHIVED, path_id)
        yield TargetChange(None, path, archived.value, Falls.ALWAYS)


def _course_read_back(rule: Rule, values: dict[str, str]) -> ReadBackPlace | None:
    if rule.audit_course_id is not None:
        return ReadBackPlace.course(rule.audit_course_id.fill(values))
    if rule.course is not None and rule.course.by == "id":
        return ReadBackPlace.course(rule.course.template.fill(values))
    return None


def _meeting_changes(
    rule: Rule, values: dict[str, str], verb: str, learner: Recipient
) -> Iterator[TargetChange]:
    meeting_id = rule.named_by("meeting_id", values)
    if meeting_id is None or verb not in {"attended", "registered"}:
        return
    course = ""
    if rule.course is not None and rule.course.by == "id":
        course = rule.course.template.fill(values)
    attendance = Attendance.ATTENDED if verb == "attended" else Attendance.NOT_ATTENDED
    yield TargetChange(
        Recipient.meeting(meeting_id),
        Target(TargetKind.MEETING_ATTENDANCE, f"{course} {learner}"),
        attendance.value,
        rule.falls,
    )


def _archived_by(verb: str) -> Archived | None:
    if verb in _ARCHIVING:
        return Archived.ARCHIVED
    return Archived.ACTIVE if verb in _REINSTATING else None
