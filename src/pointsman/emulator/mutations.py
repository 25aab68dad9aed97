"""What each mutation does. Arguments are checked before objects are looked up.

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
    session: ResolverContext = info.context
    learner = session.catalogue.learner_by_email.get(email.lower())
    expected = learner.password if learner is not None else ""
    matches = hmac.compare_digest(expected.encode(), password.encode())
    if learner is None or not matches:
        raise RejectionError(Code.UNAUTHENTICATED, "the e-mail address or the password is wrong")
    session.ran(info, learner.email, {"email": email})
    return session.tokens.issue(learner)


def update_topic_and_course_progress(
    _root: None, info: GraphQLResolveInfo, *, topic_id: str, progress: int
) -> bool:
    session: ResolverContext = info.context
    learner = session.student()
    if not 0 <= progress <= COMPLETE:
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"topic {topic_id!r}: progress must be from 0 to {COMPLETE}, not {progress}",
        )
    course, topic = find(session.catalogue.topic_by_id, "topic with the id", topic_id)
    session.state.set_topic_progress(learner, course, topic, progress, now=session.at)
    session.ran(info, learner.email, {"topicId": topic_id, "progress": progress})
    return True


def update_course_status(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    status: str,
    status_change_date: datetime | None = None,
    **names: str | None,
) -> bool:
    session: ResolverContext = info.context
    learner = session.student()
    given = {kind: name for kind, name in names.items() if name is not None}
    if len(given) != 1:
        listed = ", ".join(f"{kind} {name!r}" for kind, name in given.items()) or "none of them"
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"name the course by exactly one of id, slug and sku; given: {listed}",
        )
    ((kind, name),) = given.items()
    _one_of(STATUSES, status, f"course {name!r}")
    if status_change_date is not None and status_change_date > session.at:
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"course {name!r}: statusChangeDate {iso(status_change_date)} is in the future",
        )
    among = {
        "id": session.catalogue.course_by_id,
        "slug": session.catalogue.course_by_slug,
        "sku": session.catalogue.course_by_sku,
    }
    course = find(among[kind], f"course with the {kind}", name)
    session.state.set_course_status(
        learner, course, status, changed_at=status_change_date or session.at, now=session.at
    )
    dated = {"statusChangeDate": iso(status_change_date)} if status_change_date else {}
    session.ran(info, learner.email, {kind: name, "status": status, **dated})
    return True


def update_learning_path_access(
    _root: None, info: GraphQLResolveInfo, *, slug: str, status: str
) -> bool:
    session: ResolverContext = info.context
    learner = session.student()
    _one_of(PATH_STATUSES, status, f"learning path {slug!r}")
    session.state.set_path_access(learner, session.path(slug), status, now=session.at)
    session.ran(info, learner.email, {"slug": slug, "status": status})
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
    session: ResolverContext = info.context
    learner = must_be_student(find(session.catalogue.learner_by_id, "user with the id", user_id))
    course, meeting = find(session.catalogue.meeting_by_id, "meeting with the id", meeting_id)
    if course_id is not None and session.course(course_id) is not course:
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"meeting {meeting_id!r} belongs to course {course.id!r}, not to {course_id!r}",
        )
    session.state.set_attendance(learner, course, meeting, attended=attended, now=session.at)
    named = {"courseId": course_id} if course_id is not None else {}
    session.ran(
        info,
        learner.email,
        {"userId": user_id, **named, "meetingId": meeting_id, "attended": attended},
    )
    return user_object(session, learner)


def _archive(
    info: GraphQLResolveInfo, kind: Literal["courses", "paths"], name: str, *, archived: bool
) -> str | None:
    session: ResolverContext = info.context
    learner = session.student()
    there: Any = session.catalogue.course_by_id if kind == "courses" else session.state.paths.by_id
    if name not in there or not session.state.archive(learner, kind, name, archived=archived):
        return None
    session.ran(info, learner.email, {"id": name})
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
    session: ResolverContext = info.context
    learner = session.learner_if_any()
    if not name.strip():
        raise RejectionError(Code.BAD_USER_INPUT, "name must not be empty")
    if client_id is not None:
        find(session.catalogue.client_by_id, "client with the id", client_id)
    made = LearningPath(
        id=new_id("lp"),
        slug=session.state.paths.free_slug(name),
        name=name,
        status="draft",
        language=language,
        client=client_id,
        milestones=tuple(_milestone(session, one) for one in milestones),
        created_at=session.at,
        updated_at=session.at,
    )
    session.state.paths.add(made)
    session.ran(info, learner.email if learner else "", {"name": name, "slug": made.slug})
    return path_object(session, made, learner)


def _milestone(session: ResolverContext, given: dict[str, Any]) -> Milestone:
    requirement = given["requirement"]
    courses = [(course, requirement) for course in given.get("courseIds") or ()]
    courses += [
        (one["contentId"], one["requirement"]) for one in given.get("milestoneCourses") or ()
    ]
    for course, _ in courses:
        session.course(course)
    return Milestone(
        id=new_id("ms"),
        name=given["name"],
        kind=given["kind"],
        requirement=requirement,
        courses=tuple(
            MilestoneCourse(id=new_id("mc"), course=course, requirement=how)
            for course, how in courses
        ),
        created_at=session.at,
        updated_at=session.at,
    )


def _one_of(allowed: Sequence[str], status: str, what: str) -> None:
    if status not in allowed:
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"{what}: status must be one of {', '.join(allowed)}, not {status!r}",
        )
