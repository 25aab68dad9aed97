"""The whole platform without sockets: one request in, one answer out, on the injected clock.

The way of a request: key, size, request quota, reading, faults, price, points quota, execution.
Every step but a fault's latency is synchronous, so requests never see each other half done.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import structlog

from pointsman.domain.clock import Clock
from pointsman.emulator import responses
from pointsman.emulator.catalogue import Catalogue
from pointsman.emulator.errors import Code, RejectionError
from pointsman.emulator.faults import Faults, InjectedFault, RequestFacts, facts_of
from pointsman.emulator.journal import Executed, Journal
from pointsman.emulator.limits import InstanceLimits, Quota
from pointsman.emulator.persistence import NotSavedError, StatePersistence
from pointsman.emulator.pricing import price
from pointsman.emulator.requests import Prepared, RequestReader
from pointsman.emulator.resolver_context import ResolverContext
from pointsman.emulator.responses import GraphQLAnswer, HttpReply, RequestError
from pointsman.emulator.schema import execute, load_schema
from pointsman.emulator.state import State
from pointsman.emulator.tokens import IssuedTokens

MAX_BODY_BYTES = 1_048_576
#: seconds
TOKEN_TTL = 3_600.0

#: what a caller whose connection is dropped gets to see: nothing
DROPPED = HttpReply(0, {}, b"", dropped=True)

_log = structlog.get_logger(__name__)


class Emulator:
    """An emulated instance of the platform.

    `token_ttl` is in seconds. `handle` never raises for what was sent. With `persistence`, what was
    answered outlives the process, and everything else that changes something may raise
    `NotSavedError`.
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
        faults: Faults | None = None,
        persistence: StatePersistence | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.faults = faults or Faults()
        self._persistence = persistence
        self.max_body_bytes = max_body_bytes
        self._limits = InstanceLimits(points_per_minute, requests_per_minute, points_per_request)
        self._api_key = api_key.encode()
        self._clock = clock
        self._token_ttl = token_ttl
        self._schema = load_schema()
        self._reader = RequestReader(self._schema)
        self._start_empty()
        if persistence is not None:
            persistence.load(self._state, self._tokens, self._journal)

    def reset(self) -> None:
        """As if freshly started: no progress, tokens, totals, history or open window.

        Faults stay in force.
        """
        self._start_empty()
        if self._persistence is not None:
            self._persistence.clear()

    def _start_empty(self) -> None:
        self._state = State(self.catalogue)
        self._tokens = IssuedTokens(self.catalogue, self._clock, self._token_ttl)
        self._journal = Journal()
        self._quota = Quota(self._limits)

    async def handle(
        self, *, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> HttpReply:
        """Answer a POST to `/helium`. `query` holds the URL's parameters; header case is free."""
        if not self.knows_key(query=query, headers=headers):
            return responses.refusal(401, Code.UNAUTHENTICATED, "the apiKey is missing or wrong")
        if len(body) > self.max_body_bytes:
            return self.too_large()
        injected = InjectedFault()
        try:
            answer = await self._answer(
                {name.lower(): value for name, value in headers.items()}, body, injected
            )
        except RequestError as refused:
            answer = refused.answer
        try:
            self._save()
        except NotSavedError as error:
            _log.exception("emulator.not_kept")
            return responses.refusal(500, Code.INTERNAL_SERVER_ERROR, f"can't be written: {error}")
        if injected.drop_before or injected.drop_after:
            return DROPPED
        quota = responses.quota_headers(
            self._quota.reading(self._clock.monotonic()),
            now=self._clock.now() + injected.reset_skew,
            cost=answer.cost,
            limit=self._limits.points_per_request,
        )
        return responses.as_json(
            answer.payload, status=answer.status, headers={**quota, **answer.headers}
        )

    def knows_key(self, *, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Whether `apiKey`, or without one the bearer of `Authorization`, is the instance's key."""
        presented = query.get("apiKey")
        if presented is None:
            by_name = {name.lower(): value for name, value in headers.items()}
            scheme, _, credentials = by_name.get("authorization", "").partition(" ")
            presented = credentials.strip() if scheme.lower() == "bearer" else ""
        return hmac.compare_digest(presented.encode("utf-8", "replace"), self._api_key)

    def too_large(self) -> HttpReply:
        return responses.refusal(
            413, Code.BAD_REQUEST, f"the body is larger than {self.max_body_bytes} bytes"
        )

    def issue_token(self, email: str) -> str:
        """An authToken as `Login` gives it, but for free. KeyError for an unknown learner."""
        token = self._tokens.issue(self.catalogue.learner_by_email[email.lower()])
        self._save()
        return token

    def expire_tokens(self, email: str | None = None) -> int:
        """No authToken, or none of this learner's, is good any longer; how many were until now.

        KeyError for an unknown learner.
        """
        if email is None:
            expired = self._tokens.expire_all()
        else:
            expired = self._tokens.expire_of(self.catalogue.learner_by_email[email.lower()])
        self._save()
        return expired

    @property
    def history(self) -> list[Executed]:
        """The newest mutations that ran, oldest first."""
        return list(self._journal.history)

    def state(self, *, history: bool = False) -> dict[str, Any]:
        """What `GET /emulator/state` shows (docs/emulator.md)."""
        reading = self._quota.reading(self._clock.monotonic())
        shown: dict[str, Any] = {
            "learners": self._state.as_json(),
            "totals": self._journal.totals(),
            "faults": self.faults.as_json(),
            "window": {
                "points_left": reading.points_left,
                "requests_left": reading.requests_left,
                "resets_in": reading.resets_in,
            },
        }
        if history:
            shown["history"] = [executed.as_json() for executed in self._journal.history]
            shown["strikes"] = list(self.faults.log)
        return shown

    def _save(self) -> None:
        if self._persistence is None:
            self._tokens.forget_changes()  # they are not stored, so they must not pile up
        else:
            self._persistence.save(self._state, self._tokens, self._journal)

    async def _answer(
        self, headers: Mapping[str, str], body: bytes, injected: InjectedFault
    ) -> GraphQLAnswer:
        """What strikes is noted in `injected`; what it leaves over is the answer."""
        self._journal.requests += 1
        number = self._journal.requests
        if not self._quota.admit(self._clock.monotonic()):
            raise self._throttled("requests", cost=0)
        kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json":
            message = f"Content-Type must be application/json, not {kind!r}"
            raise RequestError(415, [RejectionError(Code.BAD_REQUEST, message)])
        request, cost = self._read(body)
        auth_token = headers.get("authtoken")
        if self.faults.in_force:
            self.faults.inject(self._request_facts(number, request, auth_token, body), injected)
            if injected.latency:
                await self._clock.sleep(injected.latency)
            self._apply_before_running(injected, auth_token)
        if cost > self._limits.points_per_request:
            limit = self._limits.points_per_request
            message = f"the request costs {cost} points; one request may cost {limit}"
            rejection = RejectionError(Code.COMPLEXITY_LIMIT_EXCEEDED, message)
            raise RequestError(400, [rejection], cost=cost)
        if not self._quota.spend(self._clock.monotonic(), cost):
            raise self._throttled("points", cost=cost)
        self._journal.points += cost
        context = ResolverContext(
            catalogue=self.catalogue,
            state=self._state,
            tokens=self._tokens,
            journal=self._journal,
            auth_token=auth_token,
            now=self._clock.now(),
            request=number,
            refused=injected.refused,
            expire_at=injected.expire_at,
        )
        result = execute(
            self._schema,
            request.document,
            context,
            variables=request.variables,
            operation_name=request.operation_name,
        )
        return GraphQLAnswer(200, responses.executed(result), cost)

    def _request_facts(
        self, number: int, request: Prepared, auth_token: str | None, body: bytes
    ) -> RequestFacts:
        learner = self._tokens.learner(auth_token) if auth_token else None
        return facts_of(
            request,
            number=number,
            at=self._clock.monotonic(),
            learner=learner.email if learner is not None else None,
            body=body,
        )

    def _apply_before_running(self, injected: InjectedFault, auth_token: str | None) -> None:
        """What happens before the request runs, or in place of it."""
        if injected.expire_all:
            self._tokens.expire_all()
        elif injected.expire_presented and auth_token:
            self._tokens.expire(auth_token)
        if injected.stolen_requests or injected.stolen_points:
            at = self._clock.monotonic()
            self._quota.steal(at, injected.stolen_requests, injected.stolen_points)
        message = "a fault on purpose"
        if injected.retry_after is not None:
            rejection = RejectionError(Code.RATE_LIMITED, message)
            wait = {"Retry-After": str(responses.whole_seconds(injected.retry_after))}
            raise RequestError(429, [rejection], headers=wait)
        if injected.status is not None or injected.drop_before:
            rejection = RejectionError(Code.INTERNAL_SERVER_ERROR, message)
            raise RequestError(injected.status or 503, [rejection])

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
        wait = max(1, responses.whole_seconds(resets_in))
        message = f"the {what} of this minute are used up; try again in {wait} s"
        return RequestError(
            429,
            [RejectionError(Code.RATE_LIMITED, message)],
            cost=cost,
            headers={"Retry-After": str(wait)},
        )
