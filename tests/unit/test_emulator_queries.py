from __future__ import annotations

from typing import get_args

import pytest
from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLUnionType, get_introspection_query

from pointsman.emulator.page_types import TopicType, page_type
from pointsman.emulator.schema import load_schema
from tests.unit.emulator_harness import Caller

DONE = (
    "mutation ($topic: ID!, $progress: Int!)"
    " { UpdateTopicAndCourseProgress(topicId: $topic, progress: $progress) }"
)
PROGRESS = (
    "query ($course: ID!)"
    " { UserCourseProgress(id: $course) { totalViews totalTime percentComplete } }"
)
PAGES = (
    "query ($course: ID!) { PagesCompletedByCourse(courseId: $course)"
    " { __typename ... on PageEntity { id title type lessonId createdAt updatedAt } } }"
)


async def test_progress_of_an_untouched_course_is_nothing() -> None:
    answer = await Caller()(PROGRESS, course="course_demo")
    assert answer.data == {
        "UserCourseProgress": {"totalViews": 0, "totalTime": 0, "percentComplete": 0}
    }
    assert answer.headers["X-Complexity-Cost"] == "9"


async def test_progress_of_a_course_counts_its_updates() -> None:
    call = Caller()
    for percent in (10, 50, 90):
        await call(DONE, topic="topic_demo_1", progress=percent)
    answer = await call(PROGRESS, course="course_demo")
    assert answer.data["UserCourseProgress"] == {
        "totalViews": 3,
        "totalTime": 0,
        "percentComplete": 11,
    }


async def test_only_completed_pages_are_listed_in_the_order_of_the_course() -> None:
    call = Caller()
    for topic, percent in (("topic_demo_6", 100), ("topic_demo_2", 99), ("topic_demo_1", 100)):
        await call(DONE, topic=topic, progress=percent)
    answer = await call(PAGES, course="course_demo")
    assert answer.data["PagesCompletedByCourse"] == [
        {
            "__typename": "TextPage",
            "id": "topic_demo_1",
            "title": "Welcome",
            "type": "text",
            "lessonId": "lesson_demo_1",
            "createdAt": "2024-01-01T00:00:00Z",
            "updatedAt": "2024-01-01T00:00:00Z",
        },
        {
            "__typename": "GeneralPage",
            "id": "topic_demo_6",
            "title": "Setting the points",
            "type": "xApiObject",
            "lessonId": "lesson_demo_2",
            "createdAt": "2024-01-01T00:00:00Z",
            "updatedAt": "2024-01-01T00:00:00Z",
        },
    ]


async def test_a_page_that_fell_below_a_hundred_is_no_longer_listed() -> None:
    call = Caller()
    await call(DONE, topic="topic_demo_1", progress=100)
    await call(DONE, topic="topic_demo_1", progress=60)
    assert (await call(PAGES, course="course_demo")).data["PagesCompletedByCourse"] == []


async def test_a_nullable_query_answers_null_beside_its_error() -> None:
    answer = await Caller()(PROGRESS, course="nowhere")
    assert (answer.status, answer.codes) == (200, ["NOT_FOUND"])
    assert answer.data == {"UserCourseProgress": None}
    assert answer.messages == ["there is no course with the id 'nowhere'"]


@pytest.mark.parametrize("document", [PROGRESS, PAGES])
async def test_a_query_needs_a_token_but_no_student(document: str) -> None:
    call = Caller()
    assert (await call(document, learner=None, course="course_demo")).codes == ["UNAUTHENTICATED"]
    answer = await call(document, learner="tess@example.com", course="course_demo")
    assert answer.codes == []


def test_every_kind_of_topic_has_a_page_type_of_the_union() -> None:
    union = load_schema().type_map["PageResource"]
    assert isinstance(union, GraphQLUnionType)
    members = {member.name for member in union.types}
    assert {page_type(kind) for kind in get_args(TopicType)} == members


def test_the_catalogue_and_the_schema_know_the_same_kinds_of_topics() -> None:
    kinds = load_schema().type_map["TopicType"]
    assert isinstance(kinds, GraphQLEnumType)
    assert set(kinds.values) == set(get_args(TopicType))


def test_every_operation_of_the_schema_is_described() -> None:
    schema = load_schema()
    for root in (schema.query_type, schema.mutation_type):
        assert isinstance(root, GraphQLObjectType)
        assert all(field.description for field in root.fields.values())


async def test_tools_can_introspect_the_schema() -> None:
    answer = await Caller()(get_introspection_query(), learner=None)
    names = {each["name"] for each in answer.data["__schema"]["types"]}
    assert {"UserProgress", "PageResource", "TextPage", "Date", "Slug"} <= names
