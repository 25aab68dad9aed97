"""Mutations as documents: names, types, values, prices."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.domain.targets import Target, TargetKind, Value
from pointsman.platforms.base import Mutation, Verdict
from pointsman.platforms.helium.documents import document, price

NOW = 1_767_571_200.0  # 2026-01-05T00:00:00Z
MINUTE = 60_000_000


def at(kind: TargetKind, key: str, value: Value, **more: Any) -> Mutation:
    return Mutation(Target(kind, key), value, **more)


TOPIC = at(TargetKind.TOPIC_PROGRESS, "t1", 62)


@pytest.mark.parametrize(
    ("mutation", "call", "variables"),
    [
        (
            TOPIC,
            "m0: UpdateTopicAndCourseProgress(topicId: $topicId0, progress: $progress0)",
            {"topicId0": "t1", "progress0": 62},
        ),
        (
            at(TargetKind.COURSE_STATUS, "slug:a:b", "started"),
            "m0: UpdateCourseStatus(slug: $slug0, status: $status0)",
            {"slug0": "a:b", "status0": "started"},
        ),
        (
            at(TargetKind.LEARNING_PATH_ACCESS, "p", "not-started"),
            "m0: UpdateLearningPathAccess(slug: $slug0, status: $status0)",
            {"slug0": "p", "status0": "not-started"},
        ),
        (
            at(
                TargetKind.MEETING_ATTENDANCE,
                "c1 ana@example.com",
                "attended",
                meeting_id="m1",
                user_id="u1",
            ),
            (
                "m0: UpdateUserCourseMeetingAttendance(userId: $userId0, courseId: $courseId0, "
                "meetingId: $meetingId0, attended: $attended0) "
                "{ id attendedMeetings { meeting { id } } }"
            ),
            {"userId0": "u1", "courseId0": "c1", "meetingId0": "m1", "attended0": True},
        ),
        (
            at(TargetKind.COURSE_ARCHIVED, "c1", "active"),
            "m0: ReinstateUserCourse(id: $id0)",
            {"id0": "c1"},
        ),
        (
            at(TargetKind.LEARNING_PATH_ARCHIVED, "lp", "archived"),
            "m0: ArchiveUserLearningPath(id: $id0)",
            {"id0": "lp"},
        ),
    ],
)
def test_a_target_becomes_its_mutation(
    mutation: Mutation, call: str, variables: dict[str, object]
) -> None:
    made = document([mutation], NOW)
    assert call in made.query
    assert made.variables == variables
    assert made.aliases == ("m0",)


def test_the_text_depends_on_kinds_and_never_on_values() -> None:
    other = at(TargetKind.TOPIC_PROGRESS, 't2") { __typename }', 100)
    assert document([TOPIC], NOW).query == document([other], NOW).query


@pytest.mark.parametrize(
    ("age", "date"),
    [
        (2 * MINUTE, "2026-01-04T23:58:00Z"),
        (MINUTE // 2, None),  # now is close enough, and safe from the platform's clock
        (0, None),
        (-MINUTE, None),  # a clock that was set back since
    ],
)
def test_a_course_status_is_dated_when_it_is_old_and_never_in_the_future(
    age: int, date: str | None
) -> None:
    occurred_at = round(NOW * 1e6) - age
    made = document(
        [at(TargetKind.COURSE_STATUS, "id:c1", "completed", occurred_at=occurred_at)], NOW
    )
    assert made.variables.get("statusChangeDate0") == date
    assert ("statusChangeDate: $statusChangeDate0" in made.query) is (date is not None)


def test_an_archiving_whose_fate_is_unknown_is_undone_before_it_is_asked_again() -> None:
    first = at(TargetKind.COURSE_ARCHIVED, "c1", "archived")
    again = at(TargetKind.COURSE_ARCHIVED, "c1", "archived", again=True)
    assert document([first], NOW).nulls == (Verdict.UNKNOWN,)
    made = document([again], NOW)
    undone = made.query.index("before_m0: ReinstateUserCourse(id: $id0)")
    assert undone < made.query.index("m0: ArchiveUserCourse(id: $id0)", undone + 20)
    assert made.nulls == (Verdict.REFUSED,)


def test_a_price_is_a_point_an_alias_and_a_point_a_property() -> None:
    attendance = at(
        TargetKind.MEETING_ATTENDANCE, " meeting:", "attended", meeting_id="m", user_id="u"
    )
    again = at(TargetKind.COURSE_ARCHIVED, "c1", "archived", again=True)
    assert price([TOPIC]) == 1
    assert price([attendance]) == 8
    assert price([again]) == 2
    assert price([TOPIC, attendance, again]) == 11
