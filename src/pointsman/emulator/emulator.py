"""The whole platform without sockets: one request in, one answer out, on the injected clock.

The way of a request: key, size, request quota, reading, price, points quota, execution. Every
step is synchronous, so requests never see each other half done.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import structlog
from graphql import ExecutionResult, GraphQLError

from pointsman.clock import Clock
from pointsman.emulator import replies
from pointsman.emulator.catalogue import Catalogue
from pointsman.emulator.journal import Executed, Journal
from pointsman.emulator.limits import Limits, Quota
from pointsman.emulator.pricing import price
from pointsman.emulator.rejections import Code, RejectionError
from pointsman.emulator.replies import Answer, Reply, RequestError
from pointsman.emulator.requests import Prepared, Reader
from pointsman.emulator.schema import execute, load_schema
from pointsman.emulator.session import Session
from pointsman.emulator.state import State
from pointsman.emulator.tokens import Tokens

MAX_BODY_BYTES = 1_048_576
#: seconds
TOKEN_TTL = 3_600.0

_log = structlog.get_logger(__name__)


class Emulator:
    """An emulated instance of the platform.

    `token_ttl` is in seconds. `handle` never raises for what was sent.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        api_key: str,
        clock: Clock,
        points_per_minute: int = 100_000,
        requests_per_minute: int = 2_500,
        points_per_request: int = 1_000,
        token_ttl: float = TOKEN_TTL,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self.catalogue = catalogue
        self.max_body_bytes = max_body_bytes
        self._limits = Limits(points_per_minute, requests_per_minute, points_per_request)
        self._api_key = api_key.encode()
        self._clock = clock
        self._token_ttl = token_ttl
        self._schema = load_schema()
        self._reader = Reader(self._schema)
        self.reset()

    def reset(self) -> None:
        """As if freshly started: no progress, tokens, totals, history or open window."""
        self._state = State(self.catalogue)
        self._tokens = Tokens(self._clock, self._token_ttl)
        self._journal = Journal()
        self._quota = Quota(self._limits)

    async def handle(
        self, *, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        """Answer a POST to `/helium`. `query` holds the URL's parameters; header case is free."""
        if not self.knows_key(query=query, headers=headers):
            return replies.refusal(401, Code.UNAUTHENTICATED, "the apiKey is missing or wrong")
        if len(body) > self.max_body_bytes:
            return self.too_large()
        try:
            answer = self._answer({name.lower(): value for name, value in headers.items()}, body)
        except RequestError as refused:
            answer = refused.answer
        quota = replies.quota_headers(
            self._quota.reading(self._clock.monotonic()),
            now=self._clock.now(),
            cost=answer.cost,
            limit=self._limits.points_per_request,
        )
        return replies.as_json(
            answer.payload, status=answer.status, headers={**quota, **answer.headers}
        )

    def knows_key(self, *, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Whether `apiKey`, or without one the bearer of `Authorization`, is the instance's key."""
        presented = query.get("apiKey")
        if presented is None:
            given = {name.lower(): value for name, value in headers.items()}
            scheme, _, credentials = given.get("authorization", "").partition(" ")
            presented = credentials.strip() if scheme.lower() == "bearer" else ""
        return hmac.compare_digest(presented.encode("utf-8", "replace"), self._api_key)

    def too_large(self) -> Reply:
        return replies.refusal(
            413, Code.BAD_REQUEST, f"the body is larger than {self.max_body_bytes} bytes"
        )

    def issue_token(self, email: str) -> str:
        """An authToken as `Login` gives it, but for free. KeyError for an unknown learner."""
        return self._tokens.issue(self.catalogue.learner_by_email[email.lower()])

    @property
    def history(self) -> list[Executed]:
        """The newest mutations that ran, oldest first."""
        return list(self._journal.history)

    def state(self, *, history: bool = False) -> dict[str, Any]:
        """What `GET /emulator/state` shows (docs/emulator.md)."""
        reading = self._quota.reading(self._clock.monotonic())
        shown: dict[str, Any] = {
            "learners": self._state.as_json(),
            "totals": self._journal.as_json(),
            "window": {
                "points_left": reading.points_left,
                "requests_left": reading.requests_left,
                "resets_in": reading.resets_in,
            },
        }
        if history:
            shown["history"] = [executed.as_json() for executed in self._journal.history]
        return shown

    def _answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        self._journal.requests += 1
        if not self._quota.admit(self._clock.monotonic()):
            raise self._throttled("requests", cost=0)
        kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json":
            message = f"Content-Type must be application/json, not {kind!r}"
            raise RequestError(415, [RejectionError(Code.BAD_REQUEST, message)])
        request, cost = self._read(body)
        if cost > self._limits.points_per_request:
            limit = self._limits.points_per_request
            message = f"the request costs {cost} points; one request may cost {limit}"
            rejection = RejectionError(Code.COMPLEXITY_LIMIT_EXCEEDED, message)
            raise RequestError(400, [rejection], cost=cost)
        if not self._quota.spend(cost):
            raise self._throttled("points", cost=cost)
        self._journal.points += cost
        session = Session(
            catalogue=self.catalogue,
            state=self._state,
            tokens=self._tokens,
            journal=self._journal,
            auth_token=headers.get("authtoken"),
            now=self._clock.now(),
            request=self._journal.requests,
        )
        result = execute(
            self._schema,
            request.document,
            session,
            variables=request.variables,
            operation_name=request.operation_name,
        )
        return Answer(200, _formatted(result), cost)

    def _read(self, body: bytes) -> tuple[Prepared, int]:
        try:
            request = self._reader.read(body)
            return request, price(
                self._schema, request.operation, request.fragments, request.coerced
            )
        except RecursionError as error:
            # Newer releases of graphql-core refuse such a document themselves.
            message = "the document is nested too deeply"
            rejection = RejectionError(Code.GRAPHQL_VALIDATION_FAILED, message)
            raise RequestError(400, [rejection]) from error

    def _throttled(self, what: str, *, cost: int) -> RequestError:
        self._journal.rejected_429 += 1
        resets_in = self._quota.reading(self._clock.monotonic()).resets_in or 0.0
        wait = max(1, replies.whole_seconds(resets_in))
        message = f"the {what} of this minute are used up; try again in {wait} s"
        return RequestError(
            429,
            [RejectionError(Code.RATE_LIMITED, message)],
            cost=cost,
            headers={"Retry-After": str(wait)},
        )


def _formatted(result: ExecutionResult) -> dict[str, Any]:
    formatted: dict[str, Any] = {"data": result.data}
    if result.errors:
        formatted["errors"] = [_shown(error).formatted for error in result.errors]
    return formatted


def _shown(error: GraphQLError) -> GraphQLError:
    if "code" in (error.extensions or {}):
        return error
    # No resolver meant to say this: ours, so its words stay in the log.
    _log.error("emulator.bug", path=error.path, exc_info=error.original_error)
    return GraphQLError(
        "the emulator failed at this field; its log says how",
        error.nodes,
        path=error.path,
        extensions={"code": Code.INTERNAL_SERVER_ERROR.value},
    )
