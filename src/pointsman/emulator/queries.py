"""Answers each query. Arguments are checked before objects are looked up."""

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
    context: ResolverContext = info.context
    learner = context.learner_if_any()
    path = context.path(slug)
    if learner is None:
        return []
    return [
        action_object(context, action, learner)
        for action in context.state.of(learner).actions
        if action.path == path.id
    ]


def learning_path_by_slug(_root: None, info: GraphQLResolveInfo, *, slug: str) -> Object:
    context: ResolverContext = info.context
    learner = context.learner_if_any()
    return path_object(context, context.path(slug), learner)


def milestone(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    id: str,  # noqa: A002  the schema's argument
) -> Object:
    context: ResolverContext = info.context
    learner = context.learner_if_any()
    path, milestone_found = find(context.state.paths.milestones, "milestone with the id", id)
    return milestone_object(context, path, milestone_found, learner)


def pages_completed_by_course(
    _root: None, info: GraphQLResolveInfo, *, course_id: str
) -> list[Object]:
    context: ResolverContext = info.context
    topics = context.state.of(context.learner()).topics
    return [
        _page(lesson, topic)
        for lesson in context.course(course_id).lessons
        for topic in lesson.topics
        if topics.get(topic.id, 0) >= COMPLETE
    ]


def user_course_completion_progress(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    id: str,  # noqa: A002  the schema's argument
) -> list[dict[str, Any]]:
    context: ResolverContext = info.context
    record = context.state.of(context.learner())
    course = context.course(id)
    criteria = [
        criterion_progress(course, criterion, record) for criterion in course.completion_criteria
    ]
    return [
        {
            "type": criterion.type,
            "required": criterion.required,
            "completed": criterion.completed,
            "percent": criterion.percent,
        }
        for criterion in criteria
    ]


def user_course_progress(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    id: str,  # noqa: A002  the schema's argument
) -> dict[str, int]:
    context: ResolverContext = info.context
    record = context.state.of(context.learner())
    course = context.course(id)
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
