"""authTokens from an HTTP service of the customer's.

    GET <url with {learner}>            Authorization: Bearer <bearer>
    200 {"authToken": "...", "expiresIn": 3600, "userId": "..."}
                                        expiresIn, in seconds, and userId are optional
    404                                 there is none for this learner

Any other answer, or none, is a trouble of the service and not the learner's: it is asked again.
"""

from __future__ import annotations

from urllib.parse import quote

from pointsman.domain.clock import Clock
from pointsman.outgoing.client import HttpClient, NoReply
from pointsman.platforms.tokens.answers import read_answer
from pointsman.platforms.tokens.breaker import TokenSourceDown
from pointsman.platforms.tokens.fetched import FetchedToken
from pointsman.platforms.tokens.settings import TokenServiceSettings

MAX_ANSWER_BYTES = 64 * 1024


class TokenService:
    """A `TokenFetcher`."""

    def __init__(
        self, settings: TokenServiceSettings, clock: Clock, client: HttpClient | None = None
    ) -> None:
        self._url = settings.url
        self._bearer = settings.bearer
        self._clock = clock
        self._client = client or HttpClient(
            settings,
            "learners.tokens.service.",
            timeout_seconds=settings.timeout_seconds,
            max_bytes=MAX_ANSWER_BYTES,
        )

    async def close(self) -> None:
        await self._client.close()

    async def fetch(self, learner: str) -> FetchedToken:
        headers = {"Accept": "application/json"}
        if self._bearer is not None:
            headers["Authorization"] = f"Bearer {self._bearer.get_secret_value()}"
        url = self._url.replace("{learner}", quote(learner, safe=""))
        try:
            reply = await self._client.send("GET", url, headers=headers)
        except NoReply as error:
            raise TokenSourceDown(
                f"the token service gave no answer for {learner!r}: {error}"
            ) from None
        return read_answer(reply, learner, self._clock.now())
