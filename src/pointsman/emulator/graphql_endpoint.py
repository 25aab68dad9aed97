"""Answers GraphQL requests that had a good key: request quota, reading, faults, price, execution.

Every step but a fault's latency is synchronous, so requests never see each other half done.
"""

from __future__ import annotations

from collections.abc import Mapping

from graphql import GraphQLSchema

from pointsman.domain.clock import Clock
from pointsman.emulator import responses
from pointsman.emulator.errors import Code, RejectionError
from pointsman.emulator.events import PlatformEvents
from pointsman.emulator.faults import Faults, InjectedFault, RequestFacts, facts_of
from pointsman.emulator.journal import Journal
from pointsman.emulator.limits import Quota
from pointsman.emulator.pricing import price
from pointsman.emulator.requests import Prepared, RequestReader
from pointsman.emulator.resolver_context import ResolverContext
from pointsman.emulator.responses import GraphQLAnswer, RequestError
from pointsman.emulator.schema import execute
from pointsman.emulator.state import State
from pointsman.emulator.tokens import IssuedTokens


class GraphqlEndpoint:
    """`/helium` behind the key."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        state: State,
        tokens: IssuedTokens,
        journal: Journal,
        quota: Quota,
        events: PlatformEvents,
        faults: Faults,
        clock: Clock,
    ) -> None:
        self._schema = schema
        self._reader = RequestReader(schema)
        self._state = state
        self._tokens = tokens
        self._journal = journal
        self._quota = quota
        self._events = events
        self._faults = faults
        self._clock = clock

    async def answer(
        self, headers: Mapping[str, str], body: bytes, injected: InjectedFault
    ) -> GraphQLAnswer:
        """What strikes is noted in `injected`; what it leaves over is the answer.

        Raises `RequestError`.
        """
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
        if self._faults.in_force:
            self._faults.inject(self._request_facts(number, request, auth_token, body), injected)
            if injected.latency:
                await self._clock.sleep(injected.latency)
            self._apply_before_running(injected, auth_token)
        if cost > self._quota.limits.points_per_request:
            limit = self._quota.limits.points_per_request
            message = f"the request costs {cost} points; one request may cost {limit}"
            rejection = RejectionError(Code.COMPLEXITY_LIMIT_EXCEEDED, message)
            raise RequestError(400, [rejection], cost=cost)
        if not self._quota.spend(self._clock.monotonic(), cost):
            raise self._throttled("points", cost=cost)
        self._journal.points += cost
        self._events.advance()
        context = ResolverContext(
            catalogue=self._state.catalogue,
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
