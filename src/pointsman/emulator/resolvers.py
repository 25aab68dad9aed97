"""What each operation does. All are synchronous: see `schema.execute` for why that matters.

Arguments are checked before objects are looked up, and messages name what was asked for.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from graphql import GraphQLResolveInfo

from pointsman.emulator.catalogue import STUDENT, Catalogue, Course, Learner, Lesson, Topic
from pointsman.emulator.dates import iso, moment
from pointsman.emulator.journal import Executed, Journal
from pointsman.emulator.pages import page_type
from pointsman.emulator.rejections import Code, RejectionError
from pointsman.emulator.state import COMPLETE, STATUSES, State
from pointsman.emulator.tokens import Tokens

#: the platform shows its own id for the company; the emulator has only one
COMPANY = "company_emulator"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Session:
    """What the resolvers of one request share: the platform, who asks, and when."""

    catalogue: Catalogue
    state: State
    tokens: Tokens
    journal: Journal
    auth_token: str | None
    #: Unix seconds
    now: float
    #: the request's number since the start
    request: int

    def learner(self) -> Learner:
        if not self.auth_token:
            raise RejectionError(Code.UNAUTHENTICATED, "the authToken header is missing")
        learner = self.tokens.learner(self.auth_token)
        if learner is None:
            raise RejectionError(Code.UNAUTHENTICATED, "the authToken is unknown or has expired")
        return learner

    def student(self) -> Learner:
        learner = self.learner()
        if learner.role != STUDENT:
            raise RejectionError(
                Code.FORBIDDEN,
                f"user {learner.id} has the role {learner.role}; this needs {STUDENT}",
            )
        return learner

    def course(self, course_id: str) -> Course:
        return _find(self.catalogue.course_by_id, "course with the id", course_id)

    def ran(self, info: GraphQLResolveInfo, learner: Learner, arguments: dict[str, Any]) -> None:
        self.journal.record(
            Executed(learner.email, info.field_name, arguments, self.now, self.request)
        )


def _find(among: Mapping[str, _T], what: str, key: str) -> _T:
    if key not in among:
        raise RejectionError(Code.NOT_FOUND, f"there is no {what} {key!r}")
    return among[key]


def login(_root: None, info: GraphQLResolveInfo, *, email: str, password: str) -> str:
    session: Session = info.context
    learner = session.catalogue.learner_by_email.get(email.lower())
    expected = learner.password if learner is not None else ""
    matches = hmac.compare_digest(expected.encode(), password.encode())
    if learner is None or not matches:
        raise RejectionError(Code.UNAUTHENTICATED, "the e-mail address or the password is wrong")
    session.ran(info, learner, {"email": email})
    return session.tokens.issue(learner)


def update_topic_and_course_progress(
    _root: None, info: GraphQLResolveInfo, *, topic_id: str, progress: int
) -> bool:
    session: Session = info.context
    learner = session.student()
    if not 0 <= progress <= COMPLETE:
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"topic {topic_id!r}: progress must be from 0 to {COMPLETE}, not {progress}",
        )
    course, topic = _find(session.catalogue.topic_by_id, "topic with the id", topic_id)
    session.state.set_topic_progress(learner, course, topic, progress, now=moment(session.now))
    session.ran(info, learner, {"topicId": topic_id, "progress": progress})
    return True


def update_course_status(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    status: str,
    status_change_date: datetime | None = None,
    **names: str | None,
) -> bool:
    session: Session = info.context
    learner = session.student()
    given = {kind: name for kind, name in names.items() if name is not None}
    if len(given) != 1:
        listed = ", ".join(f"{kind} {name!r}" for kind, name in given.items()) or "none of them"
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"name the course by exactly one of id, slug and sku; given: {listed}",
        )
    ((kind, name),) = given.items()
    if status not in STATUSES:
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"course {name!r}: status must be one of {', '.join(STATUSES)}, not {status!r}",
        )
    now = moment(session.now)
    if status_change_date is not None and status_change_date > now:
        raise RejectionError(
            Code.BAD_USER_INPUT,
            f"course {name!r}: statusChangeDate {iso(status_change_date)} is in the future",
        )
    among = {
        "id": session.catalogue.course_by_id,
        "slug": session.catalogue.course_by_slug,
        "sku": session.catalogue.course_by_sku,
    }
    course = _find(among[kind], f"course with the {kind}", name)
    session.state.set_course_status(learner, course, status, changed_at=status_change_date or now)
    dated = {"statusChangeDate": iso(status_change_date)} if status_change_date else {}
    session.ran(info, learner, {kind: name, "status": status, **dated})
    return True


def user_course_progress(
    _root: None,
    info: GraphQLResolveInfo,
    *,
    id: str,  # noqa: A002  the schema's argument
) -> dict[str, int]:
    session: Session = info.context
    learner = session.learner()
    course = session.course(id)
    return {
        "totalViews": session.state.views(learner, course),
        "totalTime": 0,
        "percentComplete": session.state.percent_complete(learner, course),
    }


def pages_completed_by_course(
    _root: None, info: GraphQLResolveInfo, *, course_id: str
) -> list[dict[str, Any]]:
    session: Session = info.context
    learner = session.learner()
    return [
        _page(lesson, topic)
        for lesson in session.course(course_id).lessons
        for topic in lesson.topics
        if session.state.is_complete(learner, topic)
    ]


def _page(lesson: Lesson, topic: Topic) -> dict[str, Any]:
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


#: every field of the schema's Query and Mutation
RESOLVERS: dict[str, Callable[..., Any]] = {
    "Login": login,
    "PagesCompletedByCourse": pages_completed_by_course,
    "UpdateCourseStatus": update_course_status,
    "UpdateTopicAndCourseProgress": update_topic_and_course_progress,
    "UserCourseProgress": user_course_progress,
}
