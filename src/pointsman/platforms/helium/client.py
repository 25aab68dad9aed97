"""The Helium platform: one request for one learner, its outcome read alias by alias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

import orjson

from pointsman.domain.clock import Clock
from pointsman.domain.errors import PlatformUnreachable
from pointsman.platforms.base import (
    Mutation,
    MutationResult,
    PlatformAnswer,
    RateReading,
    RequestOutcome,
    Verdict,
)
from pointsman.platforms.helium.documents import OPERATION, document, price
from pointsman.platforms.helium.outcomes import read_answer
from pointsman.platforms.helium.rate_headers import read_rate
from pointsman.platforms.helium.transport import JSON_HEADERS, HttpAnswer, Transport

#: what asks nothing but whether the key is good
PROBE = orjson.dumps({"query": "query Probe { __typename }", "operationName": "Probe"})


class HeliumPlatform:
    """A `Platform` over a transport."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    def price(self, mutations: Sequence[Mutation]) -> int:
        return price(mutations)

    async def deliver(
        self, auth_token: str | None, mutations: Sequence[Mutation]
    ) -> PlatformAnswer:
        """Send `mutations`; what came back is in the result, whatever it was."""
        asked = document(mutations, self._clock.now())
        learner = {} if auth_token is None else {"authToken": auth_token}
        body = orjson.dumps(
            {"query": asked.query, "variables": asked.variables, "operationName": OPERATION}
        )
        try:
            answer = await self._transport.post({**JSON_HEADERS, **learner}, body)
        except PlatformUnreachable as error:
            unknown = MutationResult(Verdict.UNKNOWN, str(error))
            return PlatformAnswer(
                RequestOutcome.UNREACHABLE, (unknown,) * len(mutations), words=str(error)
            )
        kind, results, words = read_answer(answer.status, answer.body, asked.aliases, asked.nulls)
        return PlatformAnswer(kind, results, self._rate(answer), words, answer.status)

    async def probe(self) -> PlatformAnswer:
        """One request without a learner: KEY_REFUSED when the apiKey itself is the trouble."""
        try:
            answer = await self._transport.post(JSON_HEADERS, PROBE)
        except PlatformUnreachable as error:
            return PlatformAnswer(RequestOutcome.UNREACHABLE, (), words=str(error))
        kind, _, words = read_answer(answer.status, answer.body, (), ())
        delivery = PlatformAnswer(kind, (), self._rate(answer), words, answer.status)
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return replace(delivery, answer=RequestOutcome.KEY_REFUSED)
        return delivery

    async def close(self) -> None:
        await self._transport.close()

    def _rate(self, answer: HttpAnswer) -> RateReading:
        return read_rate(answer.headers, self._clock.now())
