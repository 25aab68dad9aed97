"""Runs each mutation. Arguments are checked before objects are looked up.

Messages name what was asked for, and what ran goes into the journal.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from graphql import GraphQLResolveInfo

from pointsman.emulator.catalogue import LearningPath, Milestone, MilestoneCourse
from pointsman.emulator.dates import iso
from pointsman.emulator.errors import Code, RejectionError
from pointsman.emulator.graphql_objects import Object, path_object, user_object
from pointsman.emulator.learning_paths import new_id
from pointsman.emulator.resolver_context import ResolverContext, find, must_be_student
from pointsman.emulator.state import COMPLETE, PATH_STATUSES, STATUSES


def login(_root: None, info: GraphQLResolveInfo, *, email: str, password: str) -> str:
    context: ResolverContext = info.context
    learner = context.catalogue.learner_by_email.get(email.lower())
    expected = learner.password if learner is not None else ""
    matches = hmac.compare_digest(expected.encode(), password.encode())
    if learner is None or not matches:
        raise RejectionError(Code.UNAUTHENTICATED, "the e-mail address or the password is wrong")
    context.ran(info, learner.email, {"email": email})
    return context.tokens.issue(learner)


def update_topic_and_course_progress(
    _root: None, info: GraphQLResolveInfo, *, topic_id: str, progress: int
) -> bool:
    context: ResolverContext = info.context
    learner = context.student()
    if not 0 <= progress <= COMPLETE:
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"topic {topic_id!r}: progress must be from 0 to {COMPLETE}, not {progress}",
        )
    course, topic = find(context.catalogue.topic_by_id, "topic with the id", topic_id)
    context.must_have_access(learner, course)
    context.state.set_topic_progress(learner, course, topic, progress, now=context.at)
    context.ran(info, learner.email, {"topicId": topic_id, "progress": progress})
    return True


def update_course_status(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    status: str,
    status_change_date: datetime | None = None,
    **names: str | None,
) -> bool:
    context: ResolverContext = info.context
    learner = context.student()
    named = {kind: name for kind, name in names.items() if name is not None}
    if len(named) != 1:
        listed = ", ".join(f"{kind} {name!r}" for kind, name in named.items()) or "none of them"
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"name the course by exactly one of id, slug and sku; given: {listed}",
        )
    ((kind, name),) = named.items()
    _must_be_one_of(STATUSES, status, f"course {name!r}")
    if status_change_date is not None and status_change_date > context.at:
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"course {name!r}: statusChangeDate {iso(status_change_date)} is in the future",
        )
    among = {
        "id": context.catalogue.course_by_id,
        "slug": context.catalogue.course_by_slug,
        "sku": context.catalogue.course_by_sku,
    }
    course = find(among[kind], f"course with the {kind}", name)
    context.must_have_access(learner, course)
    context.state.set_course_status(
        learner, course, status, changed_at=status_change_date or context.at, now=context.at
    )
    dated = {"statusChangeDate": iso(status_change_date)} if status_change_date else {}
    context.ran(info, learner.email, {kind: name, "status": status, **dated})
    return True


def update_learning_path_access(
    _root: None, info: GraphQLResolveInfo, *, slug: str, status: str
) -> bool:
    context: ResolverContext = info.context
    learner = context.student()
    _must_be_one_of(PATH_STATUSES, status, f"learning path {slug!r}")
    context.state.set_path_access(learner, context.path(slug), status, now=context.at)
    context.ran(info, learner.email, {"slug": slug, "status": status})
    return True


def update_user_course_meeting_attendance(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    user_id: str,
    meeting_id: str,
    attended: bool,
    course_id: str | None = None,
) -> Object:
    context: ResolverContext = info.context
    learner = must_be_student(find(context.catalogue.learner_by_id, "user with the id", user_id))
    course, meeting = find(context.catalogue.meeting_by_id, "meeting with the id", meeting_id)
    if course_id is not None and context.course(course_id) is not course:
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"meeting {meeting_id!r} belongs to course {course.id!r}, not to {course_id!r}",
        )
    context.must_have_access(learner, course)
    context.state.set_attendance(learner, course, meeting, attended=attended, now=context.at)
    named = {"courseId": course_id} if course_id is not None else {}
    context.ran(
        info,
        learner.email,
        {"userId": user_id, **named, "meetingId": meeting_id, "attended": attended},
    )
    return user_object(context, learner)


def _archive(
    info: GraphQLResolveInfo, kind: Literal["courses", "paths"], name: str, *, archived: bool
) -> str | None:
    context: ResolverContext = info.context
    learner = context.student()
    there: Any = context.catalogue.course_by_id if kind == "courses" else context.state.paths.by_id
    if name not in there or not context.state.archive(learner, kind, name, archived=archived):
        return None
    context.ran(info, learner.email, {"id": name})
    return name


def archive_user_course(_root: None, info: GraphQLResolveInfo, **named: str) -> str | None:
    return _archive(info, "courses", named["id"], archived=True)


def reinstate_user_course(_root: None, info: GraphQLResolveInfo, **named: str) -> str | None:
    return _archive(info, "courses", named["id"], archived=False)


def archive_user_learning_path(_root: None, info: GraphQLResolveInfo, **named: str) -> str | None:
    return _archive(info, "paths", named["id"], archived=True)


def reinstate_user_learning_path(_root: None, info: GraphQLResolveInfo, **named: str) -> str | None:
    return _archive(info, "paths", named["id"], archived=False)


def create_learning_path(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    name: str,
    milestones: Sequence[dict[str, Any]],
    language: str | None = None,
    client_id: str | None = None,
) -> Object:
    context: ResolverContext = info.context
    learner = context.learner_if_any()
    if not name.strip():
        raise RejectionError(Code.BAD_USER_INPUT, "name must not be empty")
    if client_id is not None:
        find(context.catalogue.client_by_id, "client with the id", client_id)
    made = LearningPath(
        id=new_id("lp"),
        slug=context.state.paths.free_slug(name),
        name=name,
        status="draft",
        language=language,
        client=client_id,
        milestones=tuple(_milestone(context, milestone) for milestone in milestones),
        created_at=context.at,
        updated_at=context.at,
    )
    context.state.paths.add(made)
    context.ran(info, learner.email if learner else "", {"name": name, "slug": made.slug})
    return path_object(context, made, learner)


def _milestone(context: ResolverContext, arguments: dict[str, Any]) -> Milestone:
    requirement = arguments["requirement"]
    courses = [(course, requirement) for course in arguments.get("courseIds") or ()]
    courses += [
        (place["contentId"], place["requirement"])
        for place in arguments.get("milestoneCourses") or ()
    ]
    for course, _ in courses:
        context.course(course)
    return Milestone(
        id=new_id("ms"),
        name=arguments["name"],
        kind=arguments["kind"],
        requirement=requirement,
        courses=tuple(
            MilestoneCourse(id=new_id("mc"), course=course, requirement=how)
            for course, how in courses
        ),
        created_at=context.at,
        updated_at=context.at,
    )


def _must_be_one_of(allowed: Sequence[str], status: str, what: str) -> None:
    if status not in allowed:
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"{what}: status must be one of {', '.join(allowed)}, not {status!r}",
        )
