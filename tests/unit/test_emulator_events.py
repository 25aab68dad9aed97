"""What happens on the emulated platform as events: by learners, by an administrator, in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from pointsman.emulator.administrator import Administrator
from pointsman.emulator.catalogue import Course
from pointsman.emulator.errors import RejectionError
from pointsman.emulator.events.kinds import CERTIFICATE_GRANTED, PATH_COMPLETED
from tests.unit.emulator_harness import Caller

ANA = "ana@example.com"
DEMO = "demo-course"
#: whose certificate comes 60 s after its completion
WITH_CERTIFICATE = "course_456"
PROGRESS = 'mutation {{ UpdateTopicAndCourseProgress(topicId: "topic_demo_{}", progress: {}) }}'
STATUS = 'mutation {{ UpdateCourseStatus(id: "{}", status: "{}") }}'


def told(call: Caller) -> list[str]:
    """The names of the events in courses so far, oldest first."""
    events = call.emulator.events.log
    return [event.kind.webhook for event in events if isinstance(event.content, Course)]


async def test_the_first_progress_starts_the_course_and_the_last_completes_it() -> None:
    call = Caller()
    for topic in range(1, 9):
        await call(PROGRESS.format(topic, 50))
    assert told(call) == ["course.started"]
    for topic in range(1, 9):
        await call(PROGRESS.format(topic, 100))
    await call(PROGRESS.format(8, 100))
    assert told(call) == ["course.started", "course.completed"]


async def test_a_status_is_told_when_it_changes_and_only_then() -> None:
    call = Caller()
    for status in ("started", "started", "completed", "completed", "not-completed", "completed"):
        await call(STATUS.format("course_demo", status))
    assert told(call) == [
        "course.started",
        "course.completed",
        "course.status_changed",
        "course.completed",
    ]


async def test_a_learning_path_completes_once_and_its_certificate_comes_in_time() -> None:
    call = Caller()
    for course in ("course_abc123", "course_def456", "course_graphql", "course_456", "course_789"):
        await call(STATUS.format(course, "completed"))
    completed = [event for event in call.emulator.events.log if event.kind == PATH_COMPLETED]
    assert [event.content.id for event in completed].count("lp_abc123") == 1
    call.clock.advance(61)
    await call("{ __typename }")
    granted = [
        event.content.id
        for event in call.emulator.events.log
        if event.kind.webhook == "certificate.granted"
    ]
    assert sorted(granted) == [WITH_CERTIFICATE, "lp_abc123"]


CERTIFICATES = (
    'mutation { UpdateUserCourseMeetingAttendance(userId: "user_ana", meetingId: "mtg_111aaa",'
    " attended: true) { certificatesCount purchasedCourses { certificateIssuedAt } } }"
)


async def certificates(call: Caller) -> int:
    answer = await call(CERTIFICATES)
    count: int = answer.data["UpdateUserCourseMeetingAttendance"]["certificatesCount"]
    return count


async def test_a_certificate_is_granted_when_it_is_due_and_dated_so() -> None:
    call = Caller()
    await call(STATUS.format(WITH_CERTIFICATE, "completed"))
    completed_at = call.clock.now()
    assert await certificates(call) == 0
    call.clock.advance(300)
    assert await certificates(call) == 1
    granted = [event for event in call.emulator.events.log if event.kind == CERTIFICATE_GRANTED]
    assert [event.at for event in granted] == [completed_at + 60]


async def test_a_completion_that_is_undone_in_time_brings_no_certificate() -> None:
    call = Caller()
    await call(STATUS.format(WITH_CERTIFICATE, "completed"))
    await call(STATUS.format(WITH_CERTIFICATE, "not-completed"))
    call.clock.advance(300)
    assert await certificates(call) == 0
    await call(STATUS.format(WITH_CERTIFICATE, "completed"))
    call.clock.advance(61)
    assert await certificates(call) == 1


@pytest.mark.parametrize(
    ("act", "event"),
    [
        (lambda admin, now: admin.reset(ANA, DEMO, now=now), "course.progress_reset"),
        (
            lambda admin, now: admin.reset("user_ana", "DEMO-1", "topic_demo_1", now=now),
            "course.progress_reset",
        ),
        (
            lambda admin, now: admin.set_status(ANA, DEMO, "not-completed", now=now),
            "course.status_changed",
        ),
        (lambda admin, now: admin.revoke(ANA, DEMO, now=now), "enrollment.revoked"),
        (lambda admin, now: admin.enrol(ANA, DEMO, now=now), "enrollment.created"),
        (lambda admin, now: admin.grant_certificate(ANA, DEMO, now=now), "certificate.granted"),
        (
            lambda admin, now: (
                admin.grant_certificate(ANA, DEMO, now=now),
                admin.revoke_certificate(ANA, DEMO, now=now),
            ),
            "certificate.revoked",
        ),
        (lambda admin, _now: admin.forget(ANA, DEMO), None),
        (lambda admin, _now: admin.forget(ANA, DEMO, "topic_demo_1"), None),
    ],
)
async def test_what_an_administrator_does_is_told_and_what_is_forgotten_is_not(
    act: Callable[[Administrator, datetime], object], event: str | None
) -> None:
    call = Caller()
    await call(STATUS.format("course_demo", "completed"))
    before = told(call)
    call.emulator.administer(act)
    fresh = told(call)[len(before) :]
    assert fresh[-1:] == ([] if event is None else [event])


@pytest.mark.parametrize("name", ["reset", "forget"])
async def test_a_course_that_is_set_back_has_no_trace_and_a_topic_leaves_the_rest(
    name: str,
) -> None:
    def act(*what: str) -> Callable[[Administrator, datetime], object]:
        if name == "forget":
            return lambda admin, _now: admin.forget(*what)
        return lambda admin, now: admin.reset(*what, now=now)

    call = Caller()
    for topic in (1, 2):
        await call(PROGRESS.format(topic, 60))
    await call(STATUS.format("course_demo", "completed"))
    call.emulator.administer(act(ANA, DEMO, "topic_demo_1"))
    shown = call.learner()
    assert shown["topics"] == {"topic_demo_2": 60}
    assert shown["courses"][DEMO]["status"] == "completed"
    call.emulator.administer(act(ANA, DEMO))
    shown = call.learner()
    assert (shown["topics"], shown["courses"]) == ({}, {})
    # and what is delivered again completes it again
    await call(STATUS.format("course_demo", "completed"))
    assert told(call)[-1] == "course.completed"


async def test_a_learner_whose_access_is_revoked_is_refused_until_it_is_given_back() -> None:
    call = Caller()
    call.emulator.administer(lambda admin, now: admin.revoke(ANA, DEMO, now=now))
    for document in (PROGRESS.format(1, 5), STATUS.format("course_demo", "completed")):
        assert (await call(document)).codes == ["FORBIDDEN"]
        assert (await call(document, learner="ben@example.com")).codes == []
    assert call.learner()["revokedCourses"] == ["course_demo"]
    call.emulator.administer(lambda admin, now: admin.enrol(ANA, DEMO, now=now))
    assert (await call(PROGRESS.format(1, 5))).codes == []


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda admin, now: admin.reset("nobody", DEMO, now=now), "no learner 'nobody'"),
        (lambda admin, now: admin.reset(ANA, "nothing", now=now), "no course 'nothing'"),
        (
            lambda admin, now: admin.reset(ANA, DEMO, "topic_of_another", now=now),
            "no topic of course 'course_demo'",
        ),
        (
            lambda admin, now: admin.grant_certificate(ANA, "nothing", now=now),
            "no course or learning path 'nothing'",
        ),
        (
            lambda admin, now: admin.set_status(ANA, DEMO, "done", now=now),
            "status must be one of started, not-completed, completed",
        ),
    ],
)
async def test_what_is_not_there_is_named_and_nothing_is_told(
    act: Callable[[Administrator, datetime], object], words: str
) -> None:
    call = Caller()
    with pytest.raises(RejectionError, match=words):
        call.emulator.administer(act)
    assert told(call) == []


async def test_a_path_certificate_of_an_administrator_is_earned_at_once() -> None:
    call = Caller()
    path = "data-science-professional-certificate"
    document = f'{{ LearningPathBySlug(slug: "{path}") {{ currentUserEarnedCertificate }} }}'

    async def earned() -> Any:
        return (await call(document)).data["LearningPathBySlug"]["currentUserEarnedCertificate"]

    assert await earned() is False
    call.emulator.administer(lambda admin, now: admin.grant_certificate(ANA, path, now=now))
    assert await earned() is True
    call.emulator.administer(lambda admin, now: admin.revoke_certificate(ANA, path, now=now))
    assert await earned() is False


async def test_a_fresh_start_has_no_events_and_no_certificates_to_come() -> None:
    call = Caller()
    await call(STATUS.format(WITH_CERTIFICATE, "completed"))
    call.emulator.reset()
    call.clock.advance(100)
    await call("{ __typename }", learner=None)
    assert told(call) == []
