from __future__ import annotations

from typing import Any

import pytest

from tests.unit.emulator_harness import Answered, Caller

PROGRESS = (
    "mutation ($topic: ID!, $progress: Int!)"
    " { UpdateTopicAndCourseProgress(topicId: $topic, progress: $progress) }"
)
STATUS = (
    "mutation ($id: ID, $slug: Slug, $sku: String, $status: String!, $date: Date)"
    " { UpdateCourseStatus("
    "id: $id, slug: $slug, sku: $sku, status: $status, statusChangeDate: $date) }"
)
#: all the topics of the course with the slug intro-to-graphql
TOPICS = ("tpc_01HX3Q4R5S6T7U8V", "tpc_01HX3Q4R5S6T7U9W")
LONG_AGO = "2024-03-15T10:30:00Z"


def field(alias: str, topic: str, progress: int) -> str:
    call = f'UpdateTopicAndCourseProgress(topicId: "{topic}", progress: {progress})'
    return f"{alias}: {call}"


def executed(call: Caller) -> list[tuple[str, dict[str, Any]]]:
    return [(each.name, each.arguments) for each in call.emulator.history]


async def test_the_first_refused_alias_stops_the_mutation_where_it_stands() -> None:
    call = Caller()
    aliases = (
        field("one", "topic_demo_1", 10),
        field("two", "topic_demo_2", 20),
        field("three", "no_such_topic", 30),
        field("four", "topic_demo_4", 40),
        field("five", "no_such_topic_either", 50),
    )
    answer = await call("mutation {" + " ".join(aliases) + "}")
    assert answer.status == 200
    assert answer.data is None, "Boolean! makes the whole data null"
    (error,) = answer.json["errors"]
    assert error["path"] == ["three"]
    assert error["extensions"] == {"code": "NOT_FOUND"}
    assert error["message"] == "there is no topic with the id 'no_such_topic'"
    assert call.learner()["topics"] == {"topic_demo_1": 10, "topic_demo_2": 20}
    assert call.emulator.state()["totals"]["mutations"] == {"UpdateTopicAndCourseProgress": 2}


async def test_the_fields_of_a_mutation_run_in_their_order() -> None:
    call = Caller()
    started = 'a: UpdateCourseStatus(slug: "intro-to-graphql", status: "started")'
    completed = 'z: UpdateCourseStatus(slug: "intro-to-graphql", status: "completed")'
    answer = await call(f"mutation {{ {started} {field('m', TOPICS[0], 50)} {completed} }}")
    assert answer.data == {"a": True, "m": True, "z": True}
    assert [name for name, _ in executed(call)] == [
        "UpdateCourseStatus",
        "UpdateTopicAndCourseProgress",
        "UpdateCourseStatus",
    ]
    course = call.learner()["courses"]["intro-to-graphql"]
    assert (course["status"], course["percentComplete"]) == ("completed", 100)


async def test_a_login_stops_what_comes_after_it_as_well() -> None:
    call = Caller()
    login = 'Login(email: "ana@example.com", password: "wrong")'
    answer = await call(f"mutation {{ {login} {field('after', 'topic_demo_1', 10)} }}")
    assert (answer.data, answer.codes) == (None, ["UNAUTHENTICATED"])
    assert call.learner()["topics"] == {}


async def test_the_mean_of_all_topics_is_the_course_rounded_down() -> None:
    call = Caller()
    await call(PROGRESS, topic="topic_demo_1", progress=100)
    await call(PROGRESS, topic="topic_demo_2", progress=99)
    course = call.learner()["courses"]["demo-course"]
    assert course["percentComplete"] == 199 // 8
    assert course["status"] == "started"


async def test_completing_the_last_topic_completes_the_course() -> None:
    call = Caller()
    await call(PROGRESS, topic=TOPICS[0], progress=100)
    call.clock.seconds = 90
    assert call.learner()["courses"]["intro-to-graphql"]["status"] == "started"
    await call(PROGRESS, topic=TOPICS[1], progress=100)
    assert call.learner()["courses"]["intro-to-graphql"] == {
        "status": "completed",
        "percentComplete": 100,
        "statusChangeDate": "2024-06-01T12:01:30Z",
    }


async def test_progress_goes_down_when_told_so_and_the_completed_course_stays_completed() -> None:
    call = Caller()
    for topic in TOPICS:
        await call(PROGRESS, topic=topic, progress=100)
    await call(PROGRESS, topic=TOPICS[0], progress=40)
    assert call.learner()["topics"][TOPICS[0]] == 40
    assert call.learner()["courses"]["intro-to-graphql"]["status"] == "completed"


async def test_a_completion_sent_again_does_not_undo_a_status_set_since() -> None:
    call = Caller()
    for topic in TOPICS:
        await call(PROGRESS, topic=topic, progress=100)
    await call(STATUS, slug="intro-to-graphql", status="not-completed")
    await call(PROGRESS, topic=TOPICS[0], progress=100)
    course = call.learner()["courses"]["intro-to-graphql"]
    assert (course["status"], course["percentComplete"]) == ("not-completed", 100)


async def test_learners_do_not_share_progress() -> None:
    call = Caller()
    await call(PROGRESS, topic="topic_demo_1", progress=100, learner="ben@example.com")
    assert call.learner("ana@example.com") == {"topics": {}, "courses": {}}
    assert call.learner("ben@example.com")["topics"] == {"topic_demo_1": 100}


@pytest.mark.parametrize(
    "name", [{"id": "course_demo"}, {"slug": "demo-course"}, {"sku": "DEMO-1"}]
)
async def test_a_course_is_found_by_any_of_its_names(name: dict[str, str]) -> None:
    call = Caller()
    assert (await call(STATUS, status="completed", date=LONG_AGO, **name)).data is not None
    assert call.learner()["courses"]["demo-course"] == {
        "status": "completed",
        "percentComplete": 100,
        "statusChangeDate": LONG_AGO,
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2024-03-15", "2024-03-15T00:00:00Z"),
        ("2024-03-15T10:30:00", "2024-03-15T10:30:00Z"),
        ("2024-03-15T10:30:00+02:00", "2024-03-15T08:30:00Z"),
        ("2024-06-01T12:00:00Z", "2024-06-01T12:00:00Z"),
        (None, "2024-06-01T12:00:00Z"),
    ],
)
async def test_a_status_keeps_its_date(given: str | None, kept: str) -> None:
    call = Caller()
    await call(STATUS, slug="demo-course", status="started", date=given)
    assert call.learner()["courses"]["demo-course"]["statusChangeDate"] == kept


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    (PROGRESS, {"topic": "topic_demo_1", "progress": 101}, "BAD_USER_INPUT", "topic_demo_1"),
    (PROGRESS, {"topic": "topic_demo_1", "progress": -1}, "BAD_USER_INPUT", "topic_demo_1"),
    (PROGRESS, {"topic": "course_demo", "progress": 1}, "NOT_FOUND", "course_demo"),
    (STATUS, {"status": "completed"}, "BAD_USER_INPUT", "exactly one of id, slug and sku"),
    (
        STATUS,
        {"id": "course_demo", "slug": "demo-course", "status": "completed"},
        "BAD_USER_INPUT",
        "id 'course_demo', slug 'demo-course'",
    ),
    (STATUS, {"slug": "demo-course", "status": "passed"}, "BAD_USER_INPUT", "demo-course"),
    (STATUS, {"slug": "demo-course", "status": "Completed"}, "BAD_USER_INPUT", "'Completed'"),
    (
        STATUS,
        {"slug": "demo-course", "status": "started", "date": "2024-06-01T12:00:01Z"},
        "BAD_USER_INPUT",
        "2024-06-01T12:00:01Z is in the future",
    ),
    (STATUS, {"slug": "course_demo", "status": "started"}, "NOT_FOUND", "slug 'course_demo'"),
    (STATUS, {"id": "demo-course", "status": "started"}, "NOT_FOUND", "id 'demo-course'"),
    (STATUS, {"sku": "NO-1", "status": "started"}, "NOT_FOUND", "sku 'NO-1'"),
]


@pytest.mark.parametrize(("document", "variables", "code", "words"), REFUSED)
async def test_a_refusal_names_its_object_and_changes_nothing(
    document: str, variables: dict[str, Any], code: str, words: str
) -> None:
    call = Caller()
    answer = await call(document, **variables)
    assert answer.status == 200
    assert (answer.data, answer.codes) == (None, [code])
    assert words in answer.messages[0]
    assert call.learner() == {"topics": {}, "courses": {}}
    assert executed(call) == []


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (PROGRESS, {"topic": "topic_demo_1", "progress": 1}),
        (STATUS, {"slug": "demo-course", "status": "started"}),
    ],
)
async def test_a_mutation_needs_a_token_that_lives_and_belongs_to_a_student(
    document: str, variables: dict[str, Any]
) -> None:
    call = Caller(token_ttl=600)

    def refused(answer: Answered, code: str) -> bool:
        return answer.status == 200 and answer.data is None and answer.codes == [code]

    assert refused(await call(document, learner=None, **variables), "UNAUTHENTICATED")
    assert refused(await call(document, learner="tess@example.com", **variables), "FORBIDDEN")
    call.tokens["nobody"] = "made-up"
    assert refused(await call(document, learner="nobody", **variables), "UNAUTHENTICATED")
    call.clock.seconds = 599
    assert (await call(document, **variables)).data is not None
    call.clock.seconds = 600
    answer = await call(document, **variables)
    assert refused(answer, "UNAUTHENTICATED")
    assert answer.json["errors"][0]["path"] in (
        ["UpdateTopicAndCourseProgress"],
        ["UpdateCourseStatus"],
    )


async def test_login_gives_a_token_that_works_and_another_one_each_time() -> None:
    call = Caller()
    login = 'mutation ($who: String!) { Login(email: $who, password: "demo") }'
    first = (await call(login, learner=None, who="ben@example.com")).data["Login"]
    second = (await call(login, learner=None, who="Ben@Example.com")).data["Login"]
    assert first != second
    for token in (first, second):
        call.tokens["again"] = token
        assert (await call(PROGRESS, learner="again", topic="topic_demo_1", progress=3)).data
    assert call.learner("ben@example.com")["topics"] == {"topic_demo_1": 3}


@pytest.mark.parametrize(
    ("email", "password"), [("ana@example.com", ""), ("zoe@example.com", "demo"), ("", "")]
)
async def test_a_wrong_login_does_not_say_what_was_wrong(email: str, password: str) -> None:
    document = "mutation ($e: String!, $p: String!) { Login(email: $e, password: $p) }"
    answer = await Caller()(document, learner=None, e=email, p=password)
    assert (answer.data, answer.codes) == (None, ["UNAUTHENTICATED"])
    assert answer.messages == ["the e-mail address or the password is wrong"]


async def test_the_history_says_who_did_what_in_which_request() -> None:
    call = Caller()
    await call(PROGRESS, topic="topic_demo_1", progress=5)
    call.clock.seconds = 2
    await call(STATUS, slug="demo-course", status="started", date=LONG_AGO)
    assert "history" not in call.emulator.state()
    assert call.emulator.state(history=True)["history"] == [
        {
            "learner": "ana@example.com",
            "name": "UpdateTopicAndCourseProgress",
            "arguments": {"topicId": "topic_demo_1", "progress": 5},
            "time": "2024-06-01T12:00:00Z",
            "request": 1,
        },
        {
            "learner": "ana@example.com",
            "name": "UpdateCourseStatus",
            "arguments": {
                "slug": "demo-course",
                "status": "started",
                "statusChangeDate": LONG_AGO,
            },
            "time": "2024-06-01T12:00:02Z",
            "request": 2,
        },
    ]


async def test_a_reset_is_a_fresh_start() -> None:
    call = Caller(requests_per_minute=1)
    fresh = call.emulator.state()
    await call(PROGRESS, topic="topic_demo_1", progress=5)
    call.emulator.reset()
    assert call.emulator.state() == fresh
    answer = await call(PROGRESS, topic="topic_demo_1", progress=5)
    assert answer.codes == ["UNAUTHENTICATED"], "tokens are gone too"
