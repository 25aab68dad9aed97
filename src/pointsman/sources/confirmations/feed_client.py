"""Asks the platform's REST interface for one page of course actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Literal, Protocol

import orjson
from pydantic import SecretStr

from pointsman.domain.clock import MICROSECONDS, Clock
from pointsman.domain.errors import Retry
from pointsman.outgoing.client import HttpReply, NoReply
from pointsman.outgoing.retry_after import retry_after
from pointsman.statements.adapters import Path
from pointsman.store.confirmation_records import Span

#: a page of ten thousand events is some MB
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_REFUSES_US = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class FeedUnavailable(Retry):
    """The feed gives no page now; `wait` is what it says of when to ask again, in seconds."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class HttpSender(Protocol):
    """`HttpClient`, as far as it is needed here."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> HttpReply: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """Where the feed is, and how it is asked and read."""

    url: str
    api_key: SecretStr = field(repr=False)
    page_size: int
    dates: Literal["milliseconds", "iso8601"]
    events: Sequence[Path]
    page_info: Sequence[Path]


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page; `cursor` is that of the next one, empty on the last."""

    events: tuple[Any, ...]
    cursor: str = ""


class FeedClient:
    """Pages of one feed."""

    def __init__(self, query: FeedQuery, client: HttpSender, clock: Clock) -> None:
        self._query = query
        self._api_key = query.api_key
        self._client = client
        self._clock = clock

    def reconfigure(self, api_key: SecretStr) -> None:
        """Show another key from now on."""
        self._api_key = api_key

    async def page(self, span: Span) -> EventPage:
        """One request. Raises `FeedUnavailable`."""
        asked = {
            "startDate": self._date(span.since),
            "endDate": self._date(span.until),
            "perPage": str(self._query.page_size),
        }
        if span.cursor:
            asked["cursor"] = span.cursor
        key = self._api_key.get_secret_value()
        headers = {"Accept": "application/json", "Authorization": f"Bearer {key}"}
        try:
            reply = await self._client.send("GET", self._query.url, headers=headers, query=asked)
        except NoReply as error:
            reason = str(error).replace(key, "***")
            raise FeedUnavailable(f"no answer from the feed: {reason}") from None
        return self._read(reply)

    async def close(self) -> None:
        await self._client.close()

    def _date(self, at: int) -> str:
        if self._query.dates == "milliseconds":
            return str(at // 1_000)
        moment = datetime.fromtimestamp(at / MICROSECONDS, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _read(self, reply: HttpReply) -> EventPage:
        wait = retry_after(reply.headers, self._clock.now())
        if reply.status != HTTPStatus.OK:
            words = f"the feed answered HTTP {reply.status}"
            if reply.status in _REFUSES_US:
                words += "; see platform.api_key, and whether it may read events"
            raise FeedUnavailable(words, wait)
        if not reply.is_whole:
            raise FeedUnavailable(
                f"the feed's answer is longer than {len(reply.body):,} bytes", wait
            )
        try:
            answer = orjson.loads(reply.body)
        except orjson.JSONDecodeError:
            raise FeedUnavailable("the feed's answer is not JSON", wait) from None
        events = _first(self._query.events, answer)
        if not isinstance(events, list):
            places = " or ".join(map(str, self._query.events))
            raise FeedUnavailable(f"the feed's answer has no list at {places}", wait)
        info = _first(self._query.page_info, answer)
        info = info if isinstance(info, dict) else {}
        cursor = info.get("cursor")
        goes_on = bool(info.get("hasMore")) and isinstance(cursor, str | int)
        return EventPage(tuple(events), str(cursor) if goes_on else "")


def _first(paths: Sequence[Path], answer: Any) -> Any:
    values = (path.find(answer, answer) for path in paths)
    return next((value for value in values if value is not None), None)
