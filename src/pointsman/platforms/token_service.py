"""authTokens from an HTTP service of the customer's.

    GET <url with {learner}>            Authorization: Bearer <bearer>
    200 {"authToken": "...", "expiresIn": 3600, "userId": "..."}
                                                       expiresIn, seconds, and userId are optional
    404                                                there is none for this learner

An answer is kept until it expires or the platform refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

import aiohttp
import orjson

from pointsman.clock import Clock
from pointsman.errors import NoToken

_MAX_ANSWER = 64 * 1024
#: seconds that a token without `expiresIn` is kept
_DEFAULT_LIFE = 3600.0


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str
    until: float
    user_id: str | None = None


class ServiceTokens:
    """`url` holds `{learner}` once."""

    def __init__(self, url: str, bearer: str | None, timeout_seconds: float, clock: Clock) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._session: aiohttp.ClientSession | None = None

    async def token(self, learner: str) -> str:
        return (await self._current(learner)).token

    async def user_id(self, learner: str) -> str:
        user_id = (await self._current(learner)).user_id
        if user_id is None:
            raise NoToken(
                f"the token service's answer for {learner!r} has no userId, which attendance needs"
            )
        return user_id

    async def refused(self, learner: str, token: str) -> bool:
        """Ask again; True when the service now has another one."""
        kept = self._kept.pop(learner, None)
        if kept is not None and kept.token != token:
            self._kept[learner] = kept
            return True
        try:
            return await self.token(learner) != token
        except NoToken:
            return False

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _current(self, learner: str) -> _Kept:
        kept = self._kept.get(learner)
        if kept is not None and self._clock.monotonic() < kept.until:
            return kept
        fresh = await self._ask(learner)
        self._kept[learner] = fresh
        return fresh

    async def _ask(self, learner: str) -> _Kept:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers=self._headers)
        url = self._url.replace("{learner}", quote(learner, safe=""))
        try:
            async with self._session.get(url, allow_redirects=False) as answer:
                body = await answer.content.read(_MAX_ANSWER)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoToken(
                f"the token service gave no answer for {learner!r}: {type(error).__name__}"
            ) from None
        if status == HTTPStatus.NOT_FOUND:
            raise NoToken(f"the token service has none for {learner!r} (HTTP 404)")
        if status != HTTPStatus.OK:
            raise NoToken(f"the token service answered HTTP {status} for {learner!r}")
        return self._read(learner, body)

    def _read(self, learner: str, body: bytes) -> _Kept:
        try:
            answer = orjson.loads(body)
            token = answer["authToken"]
            life = float(answer.get("expiresIn", _DEFAULT_LIFE))
            user_id = answer.get("userId")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
            token, life, user_id = None, 0.0, None
        if not isinstance(token, str) or not token:
            raise NoToken(
                f"the token service's answer for {learner!r} is not "
                '{"authToken": "...", "expiresIn": seconds}'
            )
        known = user_id if isinstance(user_id, str) and user_id else None
        return _Kept(token, self._clock.monotonic() + life, known)
