"""authTokens from an HTTP service of the customer's.

    GET <url with {learner}>            Authorization: Bearer <bearer>
    200 {"authToken": "...", "expiresIn": 3600, "userId": "..."}
                                        expiresIn, in seconds, and userId are optional
    404                                 there is none for this learner

Any other answer, or none, is a trouble of the service and not the learner's: it is asked again.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

import aiohttp
import orjson

from pointsman.domain.clock import Clock
from pointsman.domain.errors import NoToken, TokenDelayed
from pointsman.platforms.tokens.fetched import FetchedToken
from pointsman.platforms.tokens.settings import TokenServiceSettings

_MAX_ANSWER = 64 * 1024
#: seconds that a token without `expiresIn` is kept
_DEFAULT_LIFE = 3600.0


class TokenService:
    """A `TokenFetcher`."""

    def __init__(self, settings: TokenServiceSettings, clock: Clock) -> None:
        self._url = settings.url
        bearer = settings.bearer
        self._headers = {"Authorization": f"Bearer {bearer.get_secret_value()}"} if bearer else {}
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout_seconds)
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, learner: str) -> FetchedToken:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers=self._headers)
        url = self._url.replace("{learner}", quote(learner, safe=""))
        try:
            async with self._session.get(url, allow_redirects=False) as answer:
                body = await answer.content.read(_MAX_ANSWER)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TokenDelayed(
                f"the token service gave no answer for {learner!r}: {type(error).__name__}"
            ) from None
        if status == HTTPStatus.NOT_FOUND:
            raise NoToken(f"the token service has none for {learner!r} (HTTP 404)")
        if status != HTTPStatus.OK:
            raise TokenDelayed(f"the token service answered HTTP {status} for {learner!r}")
        return self._read(learner, body)

    def _read(self, learner: str, body: bytes) -> FetchedToken:
        try:
            answer = orjson.loads(body)
            token = answer["authToken"]
            life = float(answer.get("expiresIn", _DEFAULT_LIFE))
            user_id = answer.get("userId")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
            token, life, user_id = None, 0.0, None
        if not isinstance(token, str) or not token:
            raise TokenDelayed(
                f"the token service's answer for {learner!r} is not "
                '{"authToken": "...", "expiresIn": seconds, "userId": "..."}'
            )
        if not isinstance(user_id, str) or not user_id:
            user_id = None
        return FetchedToken(token, user_id, self._clock.now() + life)
