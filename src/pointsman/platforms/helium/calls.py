"""What a person asks of Helium, as typed calls, one request each; and the making of a path.

Whatever comes back is in the `CallResult`; nothing raises for it. Delivery sends many mutations
in one request and has its own client (`client`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from pointsman.domain.clock import Clock
from pointsman.domain.errors import PlatformUnreachable
from pointsman.domain.header_value import header_problem
from pointsman.platforms.base import PlatformAnswer, RequestOutcome, Verdict
from pointsman.platforms.helium import selections
from pointsman.platforms.helium.operations import OPERATIONS
from pointsman.platforms.helium.outcomes import read_answer, read_payload, unusable_token
from pointsman.platforms.helium.transport import JSON_HEADERS, Transport

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CallResult(Generic[T]):
    """`data` is None where the platform refused, or has no such thing; `message` says why."""

    answer: PlatformAnswer
    data: T | None = None

    @property
    def message(self) -> str:
        refused = (
            result.message for result in self.answer.results if result.verdict is not Verdict.DONE
        )
        return self.answer.message or next(refused, "")


class HeliumCalls:
    """Calls to one instance. `auth_token` chooses the learner."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    async def milestone_completions(
        self, slug: str, auth_token: str
    ) -> CallResult[list[selections.MilestoneCompletion]]:
        return await self._call(
            "CurrentUserLearningPathMilestoneCompletionsBySlug",
            {"slug": slug},
            list[selections.MilestoneCompletion],
            auth_token,
        )

    async def learning_path_by_slug(
        self, slug: str, auth_token: str | None = None
    ) -> CallResult[selections.LearningPath]:
        variables = {"slug": slug}
        return await self._call(
            "LearningPathBySlug", variables, selections.LearningPath, auth_token
        )

    async def milestone(self, name: str) -> CallResult[selections.Milestone]:
        return await self._call("Milestone", {"id": name}, selections.Milestone)

    async def pages_completed(
        self, course_id: str, auth_token: str
    ) -> CallResult[list[selections.Page]]:
        variables = {"courseId": course_id}
        return await self._call(
            "PagesCompletedByCourse", variables, list[selections.Page], auth_token
        )

    async def completion_progress(
        self, course_id: str, auth_token: str
    ) -> CallResult[list[selections.CriterionProgress]]:
        return await self._call(
            "UserCourseCompletionProgress",
            {"id": course_id},
            list[selections.CriterionProgress],
            auth_token,
        )

    async def course_progress(
        self, course_id: str, auth_token: str
    ) -> CallResult[selections.CourseProgress]:
        variables = {"id": course_id}
        return await self._call(
            "UserCourseProgress", variables, selections.CourseProgress, auth_token
        )

    async def create_learning_path(
        self,
        name: str,
        milestones: Sequence[Mapping[str, Any]],
        *,
        language: str | None = None,
        client_id: str | None = None,
        auth_token: str | None = None,
    ) -> CallResult[selections.CreatedLearningPath]:
        """Not idempotent: a second call makes a second path."""
        variables = {
            "name": name,
            "milestones": list(milestones),
            "language": language,
            "clientId": client_id,
        }
        return await self._call(
            "CreateLearningPath", variables, selections.CreatedLearningPath, auth_token
        )

    async def probe(self) -> CallResult[str]:
        """One point, for nobody: whether the key is good, and what the headers say."""
        return await self.ask("query Probe { __typename }", "__typename", {}, str)

    async def close(self) -> None:
        await self._transport.close()

    async def _call(
        self,
        operation: str,
        variables: Mapping[str, Any],
        kind: type[T],
        auth_token: str | None = None,
    ) -> CallResult[T]:
        present = {name: value for name, value in variables.items() if value is not None}
        document = OPERATIONS[operation].document(*present)
        return await self.ask(document, operation, present, kind, auth_token)

    async def ask(
        self,
        document: str,
        field: str,
        variables: Mapping[str, Any],
        kind: type[T],
        auth_token: str | None = None,
    ) -> CallResult[T]:
        """Send a document with one field; `kind` is what its data is read as."""
        if auth_token is not None and (fault := header_problem(auth_token)):
            return CallResult(unusable_token(fault))
        learner = {} if auth_token is None else {"authToken": auth_token}
        body = orjson.dumps({"query": document, "variables": dict(variables)})
        try:
            response = await self._transport.post({**JSON_HEADERS, **learner}, body)
        except PlatformUnreachable as error:
            return CallResult(PlatformAnswer(RequestOutcome.UNREACHABLE, message=str(error)))
        answer = read_answer(response, (field,), (Verdict.REFUSED,), self._clock.now())
        if any(result.verdict is not Verdict.DONE for result in answer.results):
            return CallResult(answer)
        try:
            data = TypeAdapter(kind).validate_python(read_payload(response.body)["data"][field])
        except ValidationError as error:
            odd = f"the platform's answer to {field} has another shape than its page says: {error}"
            return CallResult(PlatformAnswer(RequestOutcome.UNREACHABLE, (), answer.rate, odd))
        return CallResult(answer, data)
