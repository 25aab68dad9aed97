"""The platform's REST API without sockets: the feeds of events, and the registration of webhooks.

Its limit is its own: it spends nothing of GraphQL's, and GraphQL nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from pointsman.domain.clock import Clock
from pointsman.emulator import responses
from pointsman.emulator.api_key import ApiKey
from pointsman.emulator.events import EndpointOptions, PlatformEvents, kinds
from pointsman.emulator.events.feed_query import FeedRequestError, cursor_of, read_query
from pointsman.emulator.events.kinds import EventKind
from pointsman.emulator.faults import Faults, InjectedRestFault, named_facts
from pointsman.emulator.limits import InstanceLimits, Quota
from pointsman.emulator.responses import HttpReply

BASE = "/incoming/v2/"
_OF_PATHS = "/incoming/v2/events/learningPathAction"
#: what each feed shows; all but one are of courses
_FEEDS: Mapping[str, frozenset[EventKind]] = {
    "/incoming/v2/events/courseAction": frozenset(kinds.KINDS) - {kinds.PATH_COMPLETED},
    "/incoming/v2/events/courseCompletion": frozenset({kinds.COURSE_COMPLETED}),
    "/incoming/v2/events/courseCertificate": frozenset({kinds.CERTIFICATE_GRANTED}),
    _OF_PATHS: frozenset(
        {kinds.PATH_COMPLETED, kinds.CERTIFICATE_GRANTED, kinds.CERTIFICATE_REVOKED}
    ),
}
_NO_POINTS = 1 << 62


@dataclass(frozen=True, slots=True)
class RestOptions:
    """How the REST API behaves where the public pages differ, or say nothing."""

    requests_per_minute: int = 100
    #: events of one page, at most and by default
    per_page: int = 100
    newest_first: bool = True
    #: pages as `{"data": {"APIEvents": {…}}}`
    wrapped: bool = False
    #: seconds that a cursor is good for; for ever without
    cursor_ttl: float | None = None


class RestApi:
    """Answers what begins with `/incoming/v2/`."""

    def __init__(
        self,
        key: ApiKey,
        events: PlatformEvents,
        clock: Clock,
        faults: Faults,
        options: RestOptions | None = None,
    ) -> None:
        self.options = options or RestOptions()
        self.requests = 0
        self.rejected_429 = 0
        self._key = key
        self._events = events
        self._clock = clock
        self._faults = faults
        self.clear()

    def clear(self) -> None:
        """No window is open, and nothing is counted yet."""
        self.requests = self.rejected_429 = 0
        limit = self.options.requests_per_minute
        self._quota = Quota(InstanceLimits(_NO_POINTS, limit, _NO_POINTS))

    async def handle(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes = b"",
    ) -> HttpReply:
        """Answer one request; `path` is that of the URL. Never raises for what was sent."""
        if not self._key.is_bearer(headers):
            return HttpReply(HTTPStatus.UNAUTHORIZED, {}, b"")
        self.requests += 1
        if not self._quota.admit(self._clock.monotonic()):
            self.rejected_429 += 1
            return self._throttled()
        fault = InjectedRestFault()
        if self._faults.in_force:
            feed = path.rpartition("/")[2]
            facts = named_facts(feed, number=self.requests, at=self._clock.monotonic())
            self._faults.inject(facts, fault)
            if fault.latency:
                await self._clock.sleep(fault.latency)
            if fault.status is not None:
                return self._failed(fault)
        match (method, path):
            case ("GET", "/incoming/v2/ping"):
                return self._answer({"valid": True})
            case ("POST", "/incoming/v2/webhooks"):
                return self._register(body)
            case ("GET", feed) if feed in _FEEDS:
                return self._feed(feed, query)
            case _:
                message = f"there is no {method} {path}"
                return self._answer({"error": "not_found", "message": message}, status=404)

    def _feed(self, path: str, query: Mapping[str, str]) -> HttpReply:
        now = self._clock.now()
        self._events.advance()
        try:
            shown, of_courses = _FEEDS[path], path != _OF_PATHS
            wanted = read_query(query, shown, self.options, now, of_courses=of_courses)
        except FeedRequestError as error:
            return self._answer({"error": "invalid_request", "message": str(error)}, status=400)
        page = self._events.log.page(wanted, now)
        info: dict[str, Any] = {
            "perPage": wanted.per_page,
            "cursor": cursor_of(page.events[-1].key, now) if page.events else query.get("cursor"),
            "total": page.total,
            "hasMore": page.has_more,
        }
        entries = [event.feed_entry() for event in page.events]
        answer = {"pageInfo": info, "events": entries}
        return self._answer({"data": {"APIEvents": answer}} if self.options.wrapped else answer)

    def _register(self, body: bytes) -> HttpReply:
        try:
            endpoint = EndpointOptions.model_validate_json(body)
        except ValidationError as error:
            message = responses.problems(error)
            return self._answer({"error": "invalid_request", "message": message}, status=400)
        name = self._events.webhooks.register(endpoint)
        shown = endpoint.model_dump(exclude={"secret"}, mode="json")
        return self._answer({"id": name, **shown}, status=HTTPStatus.CREATED)

    def _failed(self, fault: InjectedRestFault) -> HttpReply:
        headers = {}
        if fault.retry_after is not None:
            headers["Retry-After"] = str(responses.whole_seconds(fault.retry_after))
        if fault.status == HTTPStatus.UNAUTHORIZED:
            return HttpReply(fault.status, headers, b"")
        answer = {"error": "a_fault", "message": "a fault on purpose"}
        return self._answer(answer, status=fault.status or 503, headers=headers)

    def _throttled(self) -> HttpReply:
        wait = max(1, responses.whole_seconds(self._resets_in()))
        answer = {
            "error": "rate_limit_exceeded",
            "message": f"Request rate limit reached. Retry after {wait} seconds.",
            "retryAfter": wait,
        }
        return self._answer(answer, status=429, headers={"Retry-After": str(wait)})

    def _resets_in(self) -> float:
        return self._quota.reading(self._clock.monotonic()).resets_in or 0.0

    def _answer(
        self, payload: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> HttpReply:
        reading = self._quota.reading(self._clock.monotonic())
        resets_at = responses.whole_seconds(self._clock.now() + self._resets_in())
        quota = {
            "X-RateLimit-Limit": str(self.options.requests_per_minute),
            "X-RateLimit-Remaining": str(reading.requests_left),
            "X-RateLimit-Reset": str(resets_at),
        }
        return responses.as_json(payload, status=status, headers={**quota, **(headers or {})})
