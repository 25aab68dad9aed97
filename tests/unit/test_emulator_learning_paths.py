"""Learning paths, milestones, certificates, meetings and archives on the emulated platform."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.emulator_harness import Caller

DATA_SCIENCE = "data-science-professional-certificate"
#: what completes its first, and its second milestone
FIRST = ("course_abc123", "course_def456")
SECOND = ("course_789", "course_graphql")


async def complete(call: Caller, *courses: str) -> None:
    for course in courses:
        answer = await call(
            'mutation ($id: ID!) { UpdateCourseStatus(id: $id, status: "completed") }', id=course
        )
        assert answer.codes == []


async def milestones(call: Caller, slug: str = DATA_SCIENCE) -> list[str]:
    answer = await call(
        "query ($slug: Slug!) { CurrentUserLearningPathMilestoneCompletionsBySlug(slug: $slug)"
        " { type source milestone { id } learningPath { slug } user { email } } }",
        slug=slug,
    )
    found = answer.data["CurrentUserLearningPathMilestoneCompletionsBySlug"]
    for one in found:
        assert (one["type"], one["source"]) == ("milestone_completed", "learner")
        assert one["learningPath"] == {"slug": slug}
        assert one["user"] == {"email": "ana@example.com"}
    return [one["milestone"]["id"] for one in found]


async def path(call: Caller, fields: str, **options: Any) -> Any:
    answer = await call(
        f'{{ LearningPathBySlug(slug: "{DATA_SCIENCE}") {{ {fields} }} }}', **options
    )
    return answer.data["LearningPathBySlug"]


async def access(call: Caller, status: str, slug: str = DATA_SCIENCE) -> list[str]:
    answer = await call(
        "mutation ($slug: Slug!, $status: String!)"
        " { UpdateLearningPathAccess(slug: $slug, status: $status) }",
        slug=slug,
        status=status,
    )
    return answer.codes


async def test_a_milestone_is_completed_by_the_last_course_that_its_criteria_ask_for() -> None:
    call = Caller()
    await complete(call, FIRST[0])
    assert await milestones(call) == []
    await complete(call, FIRST[1])
    assert await milestones(call) == ["milestone_001"]
    await complete(call, FIRST[1], SECOND[0])
    assert await milestones(call) == ["milestone_001"]
    await complete(call, SECOND[1])
    assert await milestones(call) == ["milestone_001", "milestone_002"]


async def test_the_last_required_milestone_makes_the_certificate_pending_and_then_earned() -> None:
    call = Caller()
    fields = "currentUserPendingCertificate currentUserEarnedCertificate"
    await complete(call, *FIRST)
    assert list((await path(call, fields)).values()) == [False, False]
    await complete(call, *SECOND)
    assert list((await path(call, fields)).values()) == [True, False]
    call.clock.seconds += 60
    assert list((await path(call, fields)).values()) == [False, True]
    assert list((await path(call, fields, learner="ben@example.com")).values()) == [False, False]
    assert list((await path(call, fields, learner=None)).values()) == [False, False]


async def test_a_course_that_falls_back_takes_no_milestone_away() -> None:
    call = Caller()
    await complete(call, *FIRST)
    await call('mutation { UpdateCourseStatus(id: "course_abc123", status: "not-completed") }')
    assert await milestones(call) == ["milestone_001"]


async def test_not_started_forgets_the_path_and_started_dates_it() -> None:
    call = Caller()
    assert await path(call, "currentUserStartActionDate") == {"currentUserStartActionDate": None}
    assert await access(call, "started") == []
    started = (await path(call, "currentUserStartActionDate"))["currentUserStartActionDate"]
    assert started is not None
    call.clock.seconds += 5
    await access(call, "started")
    assert await path(call, "currentUserStartActionDate") == {"currentUserStartActionDate": started}
    await complete(call, *FIRST)
    await access(call, "not-completed")
    assert await milestones(call) == ["milestone_001"]
    await access(call, "not-started")
    assert await milestones(call) == []
    assert await path(call, "currentUserStartActionDate") == {"currentUserStartActionDate": None}


@pytest.mark.parametrize(
    ("status", "slug", "code"),
    [
        ("completed", DATA_SCIENCE, "BAD_USER_INPUT"),
        ("Started", DATA_SCIENCE, "BAD_USER_INPUT"),
        ("started", "nowhere", "NOT_FOUND"),
    ],
)
async def test_path_access_is_refused_with_a_reason(status: str, slug: str, code: str) -> None:
    assert await access(Caller(), status, slug) == [code]


@pytest.mark.parametrize(("kind", "name"), [("Course", "course_789"), ("LearningPath", "lp_456")])
async def test_what_cannot_be_archived_or_reinstated_is_null_without_an_error(
    kind: str, name: str
) -> None:
    call = Caller()

    async def ask(verb: str, which: str = name) -> Any:
        operation = f"{verb}User{kind}"
        answer = await call(f"mutation ($id: ID!) {{ {operation}(id: $id) }}", id=which)
        assert answer.codes == []
        return answer.data[operation]

    assert await ask("Reinstate") is None
    assert await ask("Archive") == name
    assert await ask("Archive") is None
    assert await ask("Reinstate") == name
    assert await ask("Reinstate") is None
    assert await ask("Archive", "nothing") is None
    ran = [one.name for one in call.emulator.history]
    assert ran == [f"ArchiveUser{kind}", f"ReinstateUser{kind}"]


async def test_a_refused_alias_that_may_be_null_does_not_stop_the_rest() -> None:
    call = Caller()
    answer = await call(
        'mutation { a: ArchiveUserCourse(id: "course_789")'
        ' b: UpdateTopicAndCourseProgress(topicId: "topic_demo_1", progress: 5) }',
        learner="tess@example.com",
    )
    assert answer.codes == ["FORBIDDEN", "FORBIDDEN"]
    assert [error["path"] for error in answer.json["errors"]] == [["a"], ["b"]]


ATTEND = (
    "mutation ($user: ID!, $course: ID, $meeting: ID!, $attended: Boolean!)"
    " { UpdateUserCourseMeetingAttendance("
    "userId: $user, courseId: $course, meetingId: $meeting, attended: $attended)"
    " { email attendedMeetings { meeting { id course { slug } } } } }"
)


async def attend(call: Caller, **changed: Any) -> Any:
    variables = {"user": "user_ana", "meeting": "mtg_111aaa", "attended": True, **changed}
    return await call(ATTEND, learner=None, **variables)


async def test_attendance_names_its_user_and_needs_no_token() -> None:
    call = Caller()
    answer = await attend(call, course="crs_789xyz")
    assert answer.data["UpdateUserCourseMeetingAttendance"] == {
        "email": "ana@example.com",
        "attendedMeetings": [{"meeting": {"id": "mtg_111aaa", "course": {"slug": "orientation"}}}],
    }
    assert call.learner()["courses"]["orientation"]["status"] == "completed"
    answer = await attend(call, attended=False)
    assert answer.data["UpdateUserCourseMeetingAttendance"]["attendedMeetings"] == []
    assert [one.learner for one in call.emulator.history] == ["ana@example.com"] * 2


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"user": "nobody"}, "NOT_FOUND", "user with the id 'nobody'"),
        ({"user": "user_tess"}, "FORBIDDEN", "TEACHER"),
        ({"meeting": "none"}, "NOT_FOUND", "meeting with the id 'none'"),
        ({"course": "none"}, "NOT_FOUND", "course with the id 'none'"),
        ({"course": "course_456"}, "BAD_USER_INPUT", "belongs to course 'crs_789xyz'"),
    ],
)
async def test_attendance_is_refused_with_a_reason(
    changed: dict[str, str], code: str, words: str
) -> None:
    answer = await attend(Caller(), **changed)
    assert answer.codes == [code]
    assert words in answer.messages[0]
    assert answer.data == {"UpdateUserCourseMeetingAttendance": None}


async def test_criteria_complete_a_course_as_soon_as_all_are_met() -> None:
    call = Caller()

    async def set_to(topic: str, progress: int) -> None:
        await call(
            "mutation ($t: ID!, $p: Int!)"
            " { UpdateTopicAndCourseProgress(topicId: $t, progress: $p) }",
            t=topic,
            p=progress,
        )

    async def criteria() -> list[tuple[Any, ...]]:
        answer = await call(
            '{ UserCourseCompletionProgress(id: "course_456") { type required completed percent } }'
        )
        return [tuple(one.values()) for one in answer.data["UserCourseCompletionProgress"]]

    for topic in ("topic_101", "topic_102", "topic_789"):
        await set_to(topic, 100)
    viewed = ["topic_101", "topic_102", "topic_103"]
    assert await criteria() == [
        ("coursePercentViewed", None, None, 75),
        ("courseAssessmentPassed", ["topic_789"], ["topic_789"], 100),
        ("courseTopicViewed", viewed, viewed[:2], 66),
    ]
    assert call.learner()["courses"]["working-together"]["status"] == "started"
    await set_to("topic_103", 100)
    assert {percent for *_, percent in await criteria()} == {100}
    assert call.learner()["courses"]["working-together"]["status"] == "completed"


CREATE = (
    "mutation ($name: String!, $client: ID, $milestones: [MilestoneInput!]!)"
    " { CreateLearningPath(name: $name, clientId: $client, milestones: $milestones)"
    " { slug status client { id } milestones { name requirement"
    " milestoneCourses { contentId requirement } } } }"
)


async def create(call: Caller, name: str = "Hello, World!", **more: Any) -> Any:
    return await call(CREATE, learner=None, **{"name": name, "milestones": [], **more})


async def test_a_learning_path_is_made_as_a_draft_and_then_found() -> None:
    call = Caller()
    milestone = {
        "name": "M",
        "requirement": "elective",
        "courseIds": ["crs_01ABC"],
        "milestoneCourses": [{"contentId": "crs_01DEF", "requirement": "required"}],
    }
    made = (await create(call, milestones=[milestone])).data["CreateLearningPath"]
    assert made == {
        "slug": "hello-world",
        "status": "draft",
        "client": {"id": "client_root"},
        "milestones": [
            {
                "name": "M",
                "requirement": "elective",
                "milestoneCourses": [
                    {"contentId": "crs_01ABC", "requirement": "elective"},
                    {"contentId": "crs_01DEF", "requirement": "required"},
                ],
            }
        ],
    }
    again = (await create(call)).data["CreateLearningPath"]["slug"]
    assert again == "hello-world-2"
    found = await call('{ LearningPathBySlug(slug: "hello-world") { name status } }', learner=None)
    assert found.data == {"LearningPathBySlug": {"name": "Hello, World!", "status": "draft"}}
    await complete(call, "crs_01ABC", "crs_01DEF")
    assert await milestones(call, "hello-world") == []  # nothing is completed in a draft


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"name": " "}, "BAD_USER_INPUT"),
        ({"client": "nobody"}, "NOT_FOUND"),
        ({"milestones": [{"name": "M", "courseIds": ["none"]}]}, "NOT_FOUND"),
    ],
)
async def test_a_learning_path_that_cannot_be_made_is_refused(
    more: dict[str, Any], code: str
) -> None:
    call = Caller()
    answer = await create(call, **more)
    assert answer.codes == [code]
    assert call.emulator.history == []


@pytest.mark.parametrize(
    "query",
    [
        '{ LearningPathBySlug(slug: "none") { id } }',
        '{ Milestone(id: "none") { id } }',
        '{ CurrentUserLearningPathMilestoneCompletionsBySlug(slug: "none") { id } }',
        '{ UserCourseCompletionProgress(id: "none") { percent } }',
    ],
)
async def test_what_is_not_there_is_said_to_be_not_there(query: str) -> None:
    answer = await Caller()(query)
    assert answer.codes == ["NOT_FOUND"]
    assert "'none'" in answer.messages[0]


async def test_every_field_of_every_object_can_be_asked_for() -> None:
    call = Caller()
    await complete(call, *FIRST, *SECOND)
    schema = (
        await call(
            "{ __schema { types { name kind fields {"
            " name type { kind name ofType { kind name ofType { kind name"
            " ofType { kind name } } } } } } } }",
            learner=None,
        )
    ).data["__schema"]["types"]
    plain: dict[str, list[str]] = {}
    for kind in schema:
        for field in kind["fields"] or ():
            inner = field["type"]
            while inner["name"] is None:
                inner = inner["ofType"]
            if inner["kind"] in {"SCALAR", "ENUM"}:
                plain.setdefault(kind["name"], []).append(field["name"])

    def all_of(kind: str) -> str:
        return " ".join(plain[kind])

    answer = await call(
        f'{{ LearningPathBySlug(slug: "{DATA_SCIENCE}") {{ {all_of("LearningPath")}'
        f" client {{ {all_of('Client')} }} prices {{ {all_of('ItemPrice')} }}"
        f" milestones {{ {all_of('Milestone')}"
        f" contentItems {{ {all_of('Content')} }}"
        f" milestoneCourses {{ {all_of('MilestoneCourse')} }} }} }} }}"
    )
    assert answer.codes == []
    user = (
        f"{all_of('User')} purchasedCourses {{ {all_of('PurchasedCourse')}"
        f" course {{ {all_of('Course')} }} }}"
        " allocatedLearningPaths { learningPathId status learningPath { slug } }"
        f" attendedMeetings {{ attendanceDate meeting {{ {all_of('Meeting')} attendees {{ id }} }}"
        " user { id } }"
    )
    answer = await call(
        "mutation { UpdateUserCourseMeetingAttendance("
        f'userId: "user_ana", meetingId: "mtg_111aaa", attended: true) {{ {user} }} }}'
    )
    assert answer.codes == []
    shown = answer.data["UpdateUserCourseMeetingAttendance"]
    assert shown["completedCoursesCount"] == 5
    assert shown["allocatedLearningPaths"] == [
        {
            "learningPathId": "lp_abc123",
            "status": "completed",
            "learningPath": {"slug": DATA_SCIENCE},
        }
    ]
