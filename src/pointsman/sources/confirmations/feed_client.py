"""Asks the platform's REST interface for one page of course actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Literal, Protocol

from pydantic import SecretStr

from pointsman.domain.clock import MICROSECONDS, Clock
from pointsman.domain.errors import Retry
from pointsman.outgoing.client import HttpReply, NoReply
from pointsman.outgoing.json_answers import read_json_answer
from pointsman.outgoing.retry_after import retry_after
from pointsman.statements.adapters import Path
from pointsman.store.confirmation_records import Span

#: a page of ten thousand events is some MB
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_REFUSES_US = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_REFUSES_REQUEST = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.GONE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
#: of what a refusal says, in a message
_LONGEST_WORDS = 200


class FeedUnavailable(Retry):
    """The feed gives no page now; `wait` is what it says of when to ask again, in seconds.

    `refuses_request`: it would refuse the same request again, so its cursor may be the reason.
    """

    def __init__(
        self, message: str, wait: float | None = None, *, refuses_request: bool = False
    ) -> None:
        super().__init__(message)
        self.wait = wait
        self.refuses_request = refuses_request


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
        return self._read(reply, span)

    async def close(self) -> None:
        await self._client.close()

    def _date(self, at: int) -> str:
        if self._query.dates == "milliseconds":
            return str(at // 1_000)
        moment = datetime.fromtimestamp(at / MICROSECONDS, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _read(self, reply: HttpReply, span: Span) -> EventPage:
        wait = retry_after(reply.headers, self._clock.now())
        if reply.status != HTTPStatus.OK:
            words = f"the feed answered HTTP {reply.status}"
            if reply.status in _REFUSES_US:
                words += "; see platform.api_key, and whether it may read events"
            elif said := _said(reply.body, self._api_key):
                words += f": {said}"
            refused = reply.status in _REFUSES_REQUEST
            raise FeedUnavailable(words, wait, refuses_request=refused)
        if not reply.is_whole:
            raise FeedUnavailable(
                f"the feed's answer is longer than {len(reply.body):,} bytes", wait
            )
        try:
            answer = read_json_answer(reply.body)
        except ValueError:
            raise FeedUnavailable("the feed's answer is not JSON", wait) from None
        events = _first(self._query.events, answer)
        if not isinstance(events, list):
            places = " or ".join(map(str, self._query.events))
            raise FeedUnavailable(f"the feed's answer has no list at {places}", wait)
        return EventPage(tuple(events), self._next_cursor(answer, events, span, wait))

    def _next_cursor(
        self, answer: Any, events: Sequence[Any], span: Span, wait: float | None
    ) -> str:
        """Empty on the last page. Raises `FeedUnavailable` where more is there and out of reach."""
        places = " or ".join(map(str, self._query.page_info))
        info = _first(self._query.page_info, answer)
        if not isinstance(info, dict):
            if len(events) < self._query.page_size:
                return ""
            words = f"the feed's answer is full, and how it goes on is not said at {places}"
            raise FeedUnavailable(words, wait)
        if not info.get("hasMore"):
            return ""
        cursor = info.get("cursor")
        if not isinstance(cursor, str | int) or str(cursor) in {"", span.cursor}:
            words = f"the feed has more, and {places} has no cursor that leads on"
            raise FeedUnavailable(words, wait)
        return str(cursor)


def _first(paths: Sequence[Path], answer: Any) -> Any:
    values = (path.find(answer, answer) for path in paths)
    return next((value for value in values if value is not None), None)


def _said(body: bytes, api_key: SecretStr) -> str:
    """The beginning of a refusal in one line, without the key."""
    text = body[: 4 * _LONGEST_WORDS].decode("utf-8", "replace")
    words = " ".join(text.replace(api_key.get_secret_value(), "***").split())
    return words[:_LONGEST_WORDS]
