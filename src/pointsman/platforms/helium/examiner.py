"""Asks a Helium instance for its clock, and whether it has courses and learning paths.

A course is asked for by its completion criteria: the cheapest operation whose answer may be null,
so that one that is missing does not spoil the rest, and whose answer names topics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from pointsman.domain.clock import Clock
from pointsman.domain.errors import PlatformUnreachable
from pointsman.domain.header_value import header_problem
from pointsman.domain.targets import ReadBackKind, ReadBackPlace
from pointsman.platforms.base import PlatformAnswer, RequestOutcome, Verdict
from pointsman.platforms.examiner import LookUp, Probe
from pointsman.platforms.helium.client import PROBE, read_probe
from pointsman.platforms.helium.graphql_errors import read_errors
from pointsman.platforms.helium.operations import EXTRA_POINTS
from pointsman.platforms.helium.outcomes import read_answer, read_payload, unusable_token
from pointsman.platforms.helium.rate_headers import http_date
from pointsman.platforms.helium.transport import JSON_HEADERS, Transport

_NOT_THERE = "NOT_FOUND"
#: (operation, argument, its type, what is asked back): of a course, of a path
_COURSE = ("UserCourseCompletionProgress", "id", "ID!", "required")
_PATH = ("LearningPathBySlug", "slug", "Slug!", "id")
#: where nothing is asked for: it needs a token only, and no path of this name
_NOTHING_ELSE = (
    "query Token { token: CurrentUserLearningPathMilestoneCompletionsBySlug"
    '(slug: "pointsman-doctor") { source } }'
)


class HeliumExaminer:
    """An `Examiner` over a transport."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    def price(self, places: Sequence[ReadBackPlace]) -> int:
        if not places:
            return 2
        return sum(2 + EXTRA_POINTS.get(("Query", _shape(place)[0]), 0) for place in places)

    async def probe(self) -> Probe:
        try:
            response = await self._transport.post(JSON_HEADERS, PROBE)
        except PlatformUnreachable as error:
            return Probe(PlatformAnswer(RequestOutcome.UNREACHABLE, message=str(error)))
        answer = read_probe(response, self._clock.now())
        return Probe(answer, http_date(response.headers.get("Date")))

    async def look_up(self, auth_token: str, places: Sequence[ReadBackPlace]) -> LookUp:
        if fault := header_problem(auth_token):
            return LookUp(unusable_token(fault))
        aliases = [f"place{number}" for number in range(len(places))] or ["token"]
        query = {
            "query": _document(places),
            "variables": {alias: place.key for alias, place in zip(aliases, places, strict=False)},
        }
        headers = {**JSON_HEADERS, "authToken": auth_token}
        try:
            response = await self._transport.post(headers, orjson.dumps(query))
        except PlatformUnreachable as error:
            return LookUp(PlatformAnswer(RequestOutcome.UNREACHABLE, message=str(error)))
        nulls = [Verdict.DONE] * len(aliases)
        answer = read_answer(response, aliases, nulls, self._clock.now())
        payload = read_payload(response.body)
        missing = {error.alias: error.message for error in read_errors(payload) if _is_gone(error)}
        data = payload.get("data")
        by_alias = dict(zip(aliases, places, strict=False))
        return LookUp(
            answer,
            {by_alias[alias]: words for alias, words in missing.items() if alias in by_alias},
            {
                place.key: _required(data, alias)
                for alias, place in by_alias.items()
                if place.kind is ReadBackKind.COURSE and isinstance(data, dict)
            },
        )

    async def close(self) -> None:
        await self._transport.close()


def _is_gone(error: Any) -> bool:
    return bool(error.code == _NOT_THERE)


def _shape(place: ReadBackPlace) -> tuple[str, str, str, str]:
    return _COURSE if place.kind is ReadBackKind.COURSE else _PATH


def _document(places: Sequence[ReadBackPlace]) -> str:
    if not places:
        return _NOTHING_ELSE
    shapes = [(f"place{number}", *_shape(place)) for number, place in enumerate(places)]
    declared = ", ".join(f"${alias}: {kind}" for alias, _, _, kind, _ in shapes)
    asked = " ".join(
        f"{alias}: {operation}({argument}: ${alias}) {{ {back} }}"
        for alias, operation, argument, _, back in shapes
    )
    return f"query LookUp({declared}) {{ {asked} }}"


def _required(data: Mapping[str, Any], alias: str) -> frozenset[str]:
    """Ids of topics; shapes that the platform's page rules out name none."""
    rows = data.get(alias)
    ids = (
        name
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict)
        for name in row.get("required") or ()
    )
    return frozenset(name for name in ids if isinstance(name, str))
