"""Reads another learning record store's statements, page by page (xAPI Part 3 section 2.1.3).

Asked in the order in which they were stored; `more` leads from page to page, relative to the
server's root (section 2.5.2.2). A new run begins where the last one ended.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import orjson

from pointsman.domain.clock import Clock
from pointsman.domain.errors import ConfigError, InputRefused, SourceUnavailable
from pointsman.outgoing.client import HttpClient, NoReply
from pointsman.outgoing.json_answers import read_json_answer
from pointsman.outgoing.retry_after import retry_after
from pointsman.outgoing.settings import OutgoingSettings

#: statements of one page; a store may send fewer
_PAGE = 200
_MAX_BYTES = 256 * 1024 * 1024
#: tries of one page, and the seconds before the second; twice as long before each further one
_TRIES, _FIRST = 6, 1.0
_LONGEST = 60.0
_PASSING = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT})
#: times are stored by others with less precision than ours, so a new run overlaps
_OVERLAP = 1_000_000


@dataclass(frozen=True, slots=True)
class LrsSettings:
    """`url` is what players are given, such as https://lrs.example.com/xapi."""

    url: str
    key: str | None = None
    secret: str | None = field(default=None, repr=False)
    bearer: str | None = field(default=None, repr=False)
    #: of the query: since, until, agent, verb, activity, registration
    filters: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 60.0
    outgoing: OutgoingSettings = field(default_factory=OutgoingSettings)


@dataclass(frozen=True, slots=True)
class PageOfStatements:
    """`body` is an array of `count` statements; the last was stored at `reached` (microseconds)."""

    body: bytes
    count: int
    reached: int


class LrsClient:
    """Use as an async context manager."""

    def __init__(self, settings: LrsSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        query = "&".join(f"{key}={value}" for key, value in sorted(settings.filters.items()))
        self.name = f"lrs {settings.url.rstrip('/')}?{query}"
        self._headers = {"X-Experience-API-Version": "1.0.3"}
        if settings.bearer is not None:
            self._headers["Authorization"] = f"Bearer {settings.bearer}"
        if settings.key is not None:
            pair = f"{settings.key}:{settings.secret or ''}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        self._client = HttpClient(
            settings.outgoing,
            "--",
            timeout_seconds=settings.timeout_seconds,
            max_bytes=_MAX_BYTES,
            clock=clock,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def pages(self, after: int) -> AsyncIterator[PageOfStatements]:
        """From those stored after `after` (microseconds) on.

        Raises `SourceUnavailable` where the server gives no answer, `ConfigError` where it refuses
        the query or the credentials, and `InputRefused` for an answer that is none.
        """
        query = {"ascending": "true", "limit": str(_PAGE), **self._settings.filters}
        if after > 0:
            at = datetime.fromtimestamp((after - _OVERLAP) / 1e6, UTC)
            query["since"] = max(at.isoformat(), self._settings.filters.get("since", ""))
        url = f"{self._settings.url.rstrip('/')}/statements"
        body = await self._ask(url, query)
        while True:
            page, more = _read(body, url)
            if page is not None:
                yield page
            if not more:
                return
            url = self._same_server(more)
            body = await self._ask(url, None)

    def _same_server(self, more: str) -> str:
        """Credentials go to nobody else."""
        base = urlsplit(self._settings.url)
        url = urljoin(f"{base.scheme}://{base.netloc}/", more)
        if urlsplit(url)[:2] != base[:2]:
            raise ConfigError(f"{self._settings.url}: its `more` leads to another server: {more}")
        return url

    async def _ask(self, url: str, query: Mapping[str, str] | None) -> bytes:
        pause = _FIRST
        for left in range(_TRIES - 1, -1, -1):
            wait, words = pause, ""
            try:
                return await self._get(url, query)
            except _TryAgainError as error:
                wait, words = max(pause, error.after), str(error)
            except NoReply as error:
                words = str(error)
            if not left:
                raise SourceUnavailable(f"{url} gives no answer: {words}")
            await self._clock.sleep(min(wait, _LONGEST))
            pause *= 2
        raise AssertionError

    async def _get(self, url: str, query: Mapping[str, str] | None) -> bytes:
        reply = await self._client.send("GET", url, headers=self._headers, query=query)
        if reply.status == HTTPStatus.OK:
            if not reply.is_whole:
                raise ConfigError(f"{url} answers more than {_MAX_BYTES:,} bytes; that is no page")
            return reply.body
        words = f"HTTP {reply.status}: {reply.body[:300].decode('utf-8', 'replace')}"
        if reply.status in _PASSING or reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _TryAgainError(words, retry_after(reply.headers, self._clock.now()) or 0.0)
        raise ConfigError(f"{url} refuses: {words}")


class _TryAgainError(SourceUnavailable):
    """An answer that may be another one later; `after` so many seconds."""

    def __init__(self, words: str, after: float) -> None:
        super().__init__(words)
        self.after = after


def _read(body: bytes, url: str) -> tuple[PageOfStatements | None, str]:
    try:
        result: dict[str, Any] = read_json_answer(body)
        statements: list[dict[str, Any]] = result["statements"]
        more = result.get("more") or ""
        reached = max((_micros(statement["stored"]) for statement in statements), default=0)
        array = orjson.dumps(statements)
    except (KeyError, TypeError, ValueError) as error:
        raise InputRefused(f"{url}: is no StatementResult: {error}") from error
    return (PageOfStatements(array, len(statements), reached) if statements else None), more


def _micros(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * 1e6)
