"""Reading back what the platform shows of courses and learning paths, several in one request.

A course is read by its progress, its completed pages and its completion criteria at once: requests
are dearer than points (platform facts, "Limits"), so one of 20 points beats two of 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import PlatformUnreachable
from pointsman.domain.header_value import header_problem
from pointsman.domain.targets import ReadBackKind, ReadBackPlace
from pointsman.platforms.base import (
    PlatformAnswer,
    PlatformState,
    ReadBack,
    RequestOutcome,
    Verdict,
)
from pointsman.platforms.helium.graphql_errors import read_errors
from pointsman.platforms.helium.operations import EXTRA_POINTS
from pointsman.platforms.helium.outcomes import read_answer, read_payload, unusable_token
from pointsman.platforms.helium.transport import JSON_HEADERS, Transport

_COMPLETE = 100

#: (alias, operation, argument, what is asked back)
_COURSE_FIELDS = (
    ("progress", "UserCourseProgress", "id", "percentComplete totalViews"),
    ("pages", "PagesCompletedByCourse", "courseId", "... on PageEntity { id }"),
    ("criteria", "UserCourseCompletionProgress", "id", "percent"),
)
_PATH = (
    "currentUserStartActionDate currentUserPendingCertificate currentUserEarnedCertificate "
    "currentUserDueDate milestones { id requirement }"
)
_PATH_FIELDS = (
    (
        "path",
        "LearningPathBySlug",
        "slug",
        _PATH,
    ),
    (
        "done",
        "CurrentUserLearningPathMilestoneCompletionsBySlug",
        "slug",
        "milestone { id }",
    ),
)


class HeliumReader:
    """A `ReadBackClient` over a transport."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    def price(self, places: Sequence[ReadBackPlace]) -> int:
        return sum(_points(place) for place in places)

    async def read(self, auth_token: str, places: Sequence[ReadBackPlace]) -> ReadBack:
        """Places that are missing from the answer were spoilt by another one: read them again."""
        if fault := header_problem(auth_token):
            return ReadBack(unusable_token(fault), {})
        body = orjson.dumps({"query": document(places), "variables": _variables(places)})
        try:
            response = await self._transport.post({**JSON_HEADERS, "authToken": auth_token}, body)
        except PlatformUnreachable as error:
            return ReadBack(PlatformAnswer(RequestOutcome.UNREACHABLE, message=str(error)), {})
        aliases = [f"{alias}{n}" for n, place in enumerate(places) for alias, *_ in _fields(place)]
        nulls = [Verdict.REFUSED] * len(aliases)
        answer = read_answer(response, aliases, nulls, self._clock.now())
        if answer.outcome is not RequestOutcome.ANSWERED:
            return ReadBack(answer, {})
        try:
            shown = _read(places, read_payload(response.body))
        except (TypeError, KeyError, AttributeError):  # shapes that the platform's page rules out
            shown = {}
        if not shown:  # nobody says which one spoilt it
            odd = f"the platform's answer can't be read: {answer.message or 'it has no data'}"
            return ReadBack(replace(answer, outcome=RequestOutcome.UNREACHABLE, message=odd), {})
        return ReadBack(answer, shown)

    async def close(self) -> None:
        await self._transport.close()


def document(places: Sequence[ReadBackPlace]) -> str:
    """A query that depends on the kinds of the places only."""
    declared, selected = [], []
    for number, place in enumerate(places):
        kind = "ID!" if _is_course(place) else "Slug!"
        declared.append(f"$place{number}: {kind}")
        selected += [
            f"{alias}{number}: {operation}({argument}: $place{number}) {{ {back} }}"
            for alias, operation, argument, back in _fields(place)
        ]
    return f"query ReadBack({', '.join(declared)}) {{ {' '.join(selected)} }}"


def _is_course(place: ReadBackPlace) -> bool:
    return place.kind is ReadBackKind.COURSE


def _fields(place: ReadBackPlace) -> tuple[tuple[str, str, str, str], ...]:
    return _COURSE_FIELDS if _is_course(place) else _PATH_FIELDS


def _points(place: ReadBackPlace) -> int:
    return sum(
        1
        + EXTRA_POINTS.get(("Query", operation), 0)
        + len([word for word in back.split() if word not in {"{", "}", "...", "on", "PageEntity"}])
        for _, operation, _, back in _fields(place)
    )


def _variables(places: Sequence[ReadBackPlace]) -> dict[str, str]:
    return {f"place{number}": place.key for number, place in enumerate(places)}


def _read(
    places: Sequence[ReadBackPlace], payload: Mapping[str, Any]
) -> dict[ReadBackPlace, PlatformState | str]:
    data = payload.get("data") if isinstance(payload.get("data"), dict) else None
    wrong = {
        error.alias: str(error.fields.get("message"))
        for error in read_errors(payload)
        if error.alias
    }
    shown: dict[ReadBackPlace, PlatformState | str] = {}
    for number, place in enumerate(places):
        aliases = [f"{alias}{number}" for alias, *_ in _fields(place)]
        refused = next((wrong[alias] for alias in aliases if alias in wrong), None)
        if refused is not None:
            shown[place] = f"can't be read: {refused}"
        elif data is not None:
            show = _course if _is_course(place) else _path
            shown[place] = show(*(data.get(alias) for alias in aliases))
    return shown


def _course(
    progress: dict[str, Any] | None,
    pages: list[dict[str, Any]] | None,
    criteria: list[dict[str, Any]] | None,
) -> PlatformState:
    percent = (progress or {}).get("percentComplete") or 0
    views = (progress or {}).get("totalViews") or 0
    met = bool(criteria) and all(criterion["percent"] >= _COMPLETE for criterion in criteria or ())
    topics = frozenset(page["id"] for page in pages or () if "id" in page)
    return PlatformState(
        completed_topics=topics,
        completed=percent >= _COMPLETE or met,
        started=bool(percent or views or topics),
    )


def _path(path: dict[str, Any] | None, done: list[dict[str, Any]] | None) -> PlatformState:
    reached = {
        action["milestone"]["id"] for action in done or () if (action or {}).get("milestone")
    }
    milestones = [milestone for milestone in (path or {}).get("milestones") or () if milestone]
    required = {
        milestone["id"] for milestone in milestones if milestone["requirement"] == "required"
    }
    return PlatformState(
        completed=bool(required) and required <= reached,
        started=bool((path or {}).get("currentUserStartActionDate") or reached),
        due_at=_moment((path or {}).get("currentUserDueDate")),
        certificate=bool((path or {}).get("currentUserEarnedCertificate")),
        certificate_pending=bool((path or {}).get("currentUserPendingCertificate")),
    )


def _moment(text: object) -> int:
    """Microseconds of a Date of the platform; 0 for none, and for what is no date."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return 0
    return micros((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
