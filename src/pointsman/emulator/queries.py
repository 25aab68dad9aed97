"""What each query answers. Arguments are checked before objects are looked up."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLResolveInfo

from pointsman.emulator.catalogue import Lesson, Topic
from pointsman.emulator.completion import COMPLETE, criterion_progress, percent_complete
from pointsman.emulator.graphql_objects import Object, action_object, milestone_object, path_object
from pointsman.emulator.page_types import page_type
from pointsman.emulator.resolver_context import ResolverContext, find

#: the platform shows its own id for the company; the emulator has only one
COMPANY = "company_emulator"


def milestone_completions(_root: None, info: GraphQLResolveInfo, *, slug: str) -> list[Object]:
    session: ResolverContext = info.context
    learner = session.learner_if_any()
    path = session.path(slug)
    if learner is None:
        return []
    return [
        action_object(session, action, learner)
        for action in session.state.of(learner).actions
        if action.path == path.id
    ]


def learning_path_by_slug(_root: None, info: GraphQLResolveInfo, *, slug: str) -> Object:
    session: ResolverContext = info.context
    learner = session.learner_if_any()
    return path_object(session, session.path(slug), learner)


def milestone(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    id: str,  # noqa: A002  the schema's argument
) -> Object:
    session: ResolverContext = info.context
    learner = session.learner_if_any()
    path, found = find(session.state.paths.milestones, "milestone with the id", id)
    return milestone_object(session, path, found, learner)


def pages_completed_by_course(
    _root: None, info: GraphQLResolveInfo, *, course_id: str
) -> list[Object]:
    session: ResolverContext = info.context
    topics = session.state.of(session.learner()).topics
    return [
        _page(lesson, topic)
        for lesson in session.course(course_id).lessons
        for topic in lesson.topics
        if topics.get(topic.id, 0) >= COMPLETE
    ]


def user_course_completion_progress(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    id: str,  # noqa: A002  the schema's argument
) -> list[dict[str, Any]]:
    session: ResolverContext = info.context
    record = session.state.of(session.learner())
    course = session.course(id)
    found = [criterion_progress(course, one, record) for one in course.completion_criteria]
    return [
        {
            "type": one.type,
            "required": one.required,
            "completed": one.completed,
            "percent": one.percent,
        }
        for one in found
    ]


def user_course_progress(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    id: str,  # noqa: A002  the schema's argument
) -> dict[str, int]:
    session: ResolverContext = info.context
    record = session.state.of(session.learner())
    course = session.course(id)
    enrolment = record.courses.get(course.id)
    return {
        "totalViews": enrolment.views if enrolment is not None else 0,
        "totalTime": 0,
        "percentComplete": percent_complete(course, record),
    }


def _page(lesson: Lesson, topic: Topic) -> Object:
    return {
        "__typename": page_type(topic.type),
        "id": topic.id,
        "title": topic.title,
        "type": topic.type,
        "lessonId": lesson.id,
        "companyId": COMPANY,
        "createdAt": topic.created_at,
        "updatedAt": topic.updated_at,
        "asset": topic.asset,
        "minPassingPercent": topic.min_passing_percent,
    }
