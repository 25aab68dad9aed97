"""Refuses what is beyond [launches.limits], in words that name the setting, and counts it."""

from __future__ import annotations

import math
from collections.abc import Callable
from http import HTTPStatus

from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.players.request_rate import RequestRate
from pointsman.sources.players.statement_quota import StatementQuota
from pointsman.store.base import DocumentAmounts, OverQuota

#: the only limit that is no quota
RATE = "requests_per_second"
_WORDS = {
    "document_bytes": "a document of a launched player may have {} bytes",
    "registration_documents": "a registration may keep {} documents",
    "registration_bytes": "the documents of a registration may have {} bytes together",
    "learner_documents": "a learner may keep {} documents",
    "learner_bytes": "the documents of a learner may have {} bytes together",
    "statement_bytes": "the statements of a registration may have {} bytes together",
    "learner_statement_bytes": "the statements of a learner may have {} bytes in a day",
}


class LaunchLimits:
    """`on_over` is told of each refusal by the name of its setting."""

    def __init__(
        self,
        rate: RequestRate,
        statements: StatementQuota,
        document_bytes: int,
        documents: DocumentAmounts,
        on_over: Callable[[str], None],
    ) -> None:
        self.document_bytes = document_bytes
        self.documents = documents
        self._rate = rate
        self._statements = statements
        self._on_over = on_over

    def count_request(self, registration: str) -> None:
        """Raises `RequestRefused` (429) where too many came."""
        wait = self._rate.seconds_to_wait(registration)
        if wait:
            self._on_over(RATE)
            seconds = math.ceil(wait)
            raise RequestRefused(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"the player sends more than {self._rate.per_second:g} requests in a second "
                f"(launches.limits.{RATE}); send it again in {seconds} s",
                headers={"Retry-After": str(seconds)},
            )

    async def count_statements(self, registration: str, learner: str, size: int) -> None:
        """Count bytes that are about to be stored.

        Raises `RequestRefused` (413) where it is too much, and `StoreUnavailable`.
        """
        over = await self._statements.charge(registration, learner, size)
        if over is not None:
            raise self.refused(over)

    def refused(self, over: OverQuota) -> RequestRefused:
        """What to raise where a quota is full."""
        self._on_over(over.amount)
        words = _WORDS[over.amount].format(over.allowed)
        return RequestRefused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"{words} (launches.limits.{over.amount}); nothing was stored",
        )
