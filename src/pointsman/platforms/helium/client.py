"""The Helium platform: one request for one learner, its outcome read alias by alias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson

from pointsman.domain.clock import Clock
from pointsman.domain.errors import PlatformUnreachable
from pointsman.domain.header_value import header_problem
from pointsman.platforms.base import (
    Mutation,
    MutationResult,
    PlatformAnswer,
    RequestOutcome,
    Verdict,
)
from pointsman.platforms.helium.documents import OPERATION, document, price
from pointsman.platforms.helium.outcomes import read_answer, unusable_token
from pointsman.platforms.helium.remediation import remedy
from pointsman.platforms.helium.transport import JSON_HEADERS, HttpAnswer, Transport

#: seconds; it opens with the first request and does not roll (platform facts, "Limits")
QUOTA_WINDOW = 60.0
#: what asks nothing but whether the key is good
PROBE = orjson.dumps({"query": "query Probe { __typename }", "operationName": "Probe"})


class HeliumPlatform:
    """A `Platform` over a transport."""

    quota_window = QUOTA_WINDOW

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    def price(self, mutations: Sequence[Mutation]) -> int:
        return price(mutations)

    async def deliver(
        self, auth_token: str | None, mutations: Sequence[Mutation]
    ) -> PlatformAnswer:
        """Send `mutations`; what came back is in the result, whatever it was."""
        if auth_token is not None and (fault := header_problem(auth_token)):
            return unusable_token(fault, len(mutations))
        request = document(mutations, self._clock.now())
        learner = {} if auth_token is None else {"authToken": auth_token}
        body = orjson.dumps(
            {"query": request.query, "variables": request.variables, "operationName": OPERATION}
        )
        try:
            response = await self._transport.post({**JSON_HEADERS, **learner}, body)
        except PlatformUnreachable as error:
            unknown = MutationResult(Verdict.UNKNOWN, str(error))
            return PlatformAnswer(
                RequestOutcome.UNREACHABLE, (unknown,) * len(mutations), message=str(error)
            )
        return read_answer(
            response, request.aliases, request.nulls, self._clock.now(), request.compares
        )

    async def probe(self) -> PlatformAnswer:
        """One request without a learner: KEY_REFUSED when the apiKey itself is the trouble."""
        try:
            response = await self._transport.post(JSON_HEADERS, PROBE)
        except PlatformUnreachable as error:
            return PlatformAnswer(RequestOutcome.UNREACHABLE, message=str(error))
        return read_probe(response, self._clock.now())

    def remedy(self, message: str, setting: str) -> str:
        return remedy(message, setting)

    async def close(self) -> None:
        await self._transport.close()


def read_probe(response: HttpAnswer, now: float) -> PlatformAnswer:
    """The answer to `PROBE`; KEY_REFUSED when the apiKey itself is the trouble."""
    answer = read_answer(response, (), (), now)
    if answer.key_in_doubt:
        return replace(answer, outcome=RequestOutcome.KEY_REFUSED, key_in_doubt=False)
    return answer
