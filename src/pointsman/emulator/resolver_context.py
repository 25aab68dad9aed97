"""What the resolvers of one request share: the platform, who asks, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

from graphql import GraphQLError, GraphQLResolveInfo

from pointsman.emulator.catalogue import STUDENT, Catalogue, Course, Learner, LearningPath
from pointsman.emulator.dates import moment
from pointsman.emulator.errors import Code, RejectionError
from pointsman.emulator.journal import Executed, Journal
from pointsman.emulator.state import State
from pointsman.emulator.tokens import IssuedTokens

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ResolverContext:
    """One request."""

    catalogue: Catalogue
    state: State
    tokens: IssuedTokens
    journal: Journal
    auth_token: str | None
    #: Unix seconds
    now: float
    #: the request's number since the start
    request: int
    #: faults: which of the document's fields are refused, by place, and with which code
    refused: Mapping[int, str] = field(default_factory=dict)
    #: and the place of the one before which the authToken expires
    expire_at: int | None = None
    _places: Iterator[int] = field(default_factory=count)

    def next_field(self) -> None:
        """A field of the operation is about to run; raises where a fault refuses it."""
        place = next(self._places)
        if place == self.expire_at and self.auth_token:
            self.tokens.expire(self.auth_token)
        code = self.refused.get(place)
        if code is not None:
            raise GraphQLError("refused by a fault on purpose", extensions={"code": code})

    @property
    def at(self) -> datetime:
        return moment(self.now)

    def learner(self) -> Learner:
        """Whose authToken was sent; UNAUTHENTICATED without a good one."""
        if not self.auth_token:
            raise RejectionError(Code.UNAUTHENTICATED, "the authToken header is missing")
        learner = self.tokens.learner(self.auth_token)
        if learner is None:
            raise RejectionError(Code.UNAUTHENTICATED, "the authToken is unknown or has expired")
        return learner

    def learner_if_any(self) -> Learner | None:
        """Whose authToken was sent; None without one. A bad one is still UNAUTHENTICATED."""
        return self.learner() if self.auth_token else None

    def student(self) -> Learner:
        """Whose authToken was sent, if that may do what learners do; else FORBIDDEN."""
        return must_be_student(self.learner())

    def must_have_access(self, learner: Learner, course: Course) -> None:
        """FORBIDDEN where an administrator has taken the course away."""
        if course.id in self.state.of(learner).revoked_courses:
            message = f"user {learner.id} has no access to course {course.id}"
            raise RejectionError(Code.FORBIDDEN, message)

    def course(self, course_id: str) -> Course:
        return find(self.catalogue.course_by_id, "course with the id", course_id)

    def path(self, slug: str) -> LearningPath:
        return find(self.state.paths.by_slug, "learning path with the slug", slug)

    def ran(self, info: GraphQLResolveInfo, email: str, arguments: dict[str, Any]) -> None:
        """Put a mutation that ran into the journal."""
        self.journal.record(Executed(email, info.field_name, arguments, self.now, self.request))


def must_be_student(learner: Learner) -> Learner:
    if learner.role != STUDENT:
        raise RejectionError(
            Code.FORBIDDEN,
            f"user {learner.id} has the role {learner.role}; this needs {STUDENT}",
        )
    return learner


def find(among: Mapping[str, _T], what: str, key: str) -> _T:
    """What has this name, or NOT_FOUND."""
    if key not in among:
        raise RejectionError(Code.NOT_FOUND, f"there is no {what} {key!r}")
    return among[key]
