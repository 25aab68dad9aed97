"""Reads the platform's feed of course actions on, page by page, and asked-for spans beside it.

The place is stored with what each page brought, so a crash repeats a page and loses none; and an
event that comes twice changes nothing. A span has a fixed end, so the order of its events has no
say. It pays from a purse of its own, `requests_per_minute`, and never a point of GraphQL. With
replicas, the one that has the duty reads.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, replace
from typing import Any

import orjson
import structlog
from pydantic import SecretStr

from pointsman.domain.backoff import Backoff
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import InputRefused, StoreUnavailable
from pointsman.domain.log_steps import STORE_AWAY
from pointsman.domain.platform_events import FactSource, PlatformEvent
from pointsman.sources.confirmations.event_reader import EventReader
from pointsman.sources.confirmations.feed_client import EventPage, FeedClient, FeedUnavailable
from pointsman.sources.confirmations.intake import ConfirmationIntake
from pointsman.store.base import Store
from pointsman.store.confirmation_records import FeedPage, FeedPlace, Span

log = structlog.get_logger(__name__)

#: a replica has the duty for so long without a word, seconds; longer than any wait between two
#: requests but that of a feed that is away
_DUTY = 120.0
_PAUSE = Backoff(1.0, 300.0)
#: events that made no sense are remembered, so many of the newest
_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class FeedPace:
    """How often the feed is asked; all in seconds but the first."""

    requests_per_minute: int
    poll: float
    overlap: float
    first: float


class FeedReader:
    """Runs until cancelled; `name` is that of its [[confirmations]]."""

    def __init__(
        self,
        name: str,
        client: FeedClient,
        reader: EventReader,
        intake: ConfirmationIntake,
        store: Store,
        clock: Clock,
        pace: FeedPace,
    ) -> None:
        self.name = name
        self._client = client
        self._reader = reader
        self._intake = intake
        self._store = store
        self._clock = clock
        self._pace = pace
        self._jitter = random.Random()  # noqa: S311 - spreads requests, guards nothing
        self._failures = 0
        self._asked_at = float("-inf")
        #: hashes of the newest events that made no sense
        self._kept: dict[bytes, None] = {}

    def reconfigure(self, api_key: SecretStr) -> None:
        """Show another key from now on."""
        self._client.reconfigure(api_key)

    async def run(self) -> None:
        while True:
            try:
                busy = await self.step()
            except StoreUnavailable as error:
                log.warning("the feed waits for the store", reason=str(error), next=STORE_AWAY)
                busy = False
            except FeedUnavailable as error:
                self._failures += 1
                pause = error.wait or _PAUSE.seconds(self._failures, self._jitter)
                log.warning(
                    "the feed gives no page",
                    feed=self.name,
                    reason=str(error),
                    next="it is tried again by itself, and nothing is lost; see that "
                    "confirmations.feed.path and platform.api_key are right",
                )
                await self._clock.sleep(pause)
                continue
            await self._clock.sleep(0.0 if busy else self._pace.poll)

    async def step(self) -> bool:
        """Read one page; False when there is nothing more to read now, or another one reads."""
        now = micros(self._clock.now())
        duty = f"feed {self.name}"
        if not await self._store.acquire_duty(duty, now=now, ttl=micros(_DUTY)):
            return False
        places = await self._store.feeds()
        place = places.get(self.name)
        due = place is None or self._is_due(place, now)
        if due and await self._read_on(place or FeedPlace(), now):
            return True
        asked_for = next((name for name in places if name.startswith(f"{self.name} ")), None)
        if asked_for is None:
            return False
        await self._read_back(asked_for, places[asked_for])
        return True

    def _is_due(self, place: FeedPlace, now: int) -> bool:
        return place.current is not None or now - place.read_until >= micros(self._pace.poll)

    async def _read_on(self, place: FeedPlace, now: int) -> bool:
        """A page of what is new; True where the span has more."""
        span = place.current
        if span is None:
            first = now - micros(self._pace.first)
            since = place.read_until - micros(self._pace.overlap) if place.read_until else first
            span = Span(max(0, min(since, now)), now)
        try:
            page = await self._page(span)
        except FeedUnavailable as error:
            if not self._must_begin_again(span, error):
                raise
            # a shorter one, that it may be read before its cursor ends too
            span = Span(span.since, (span.since + span.until) // 2)
            page = await self._page(span)
        done = replace(place, requests=place.requests + 1, events=place.events + len(page.events))
        if page.cursor:
            done = replace(done, current=replace(span, cursor=page.cursor))
        else:
            done = replace(done, current=None, read_until=span.until)
        await self._take(page, FeedPage(self.name, done))
        return done.current is not None

    async def _read_back(self, name: str, place: FeedPlace) -> None:
        """A page of a span that somebody asked for; its place is dropped with the last one."""
        span = place.current
        if span is None:
            await self._store.drop_feed(name)
            return
        try:
            page = await self._page(span)
        except FeedUnavailable as error:
            if not self._must_begin_again(span, error):
                raise
            page = await self._page(replace(span, cursor=""))
        goes_on = bool(page.cursor)
        done = replace(
            place,
            current=replace(span, cursor=page.cursor) if goes_on else None,
            requests=place.requests + 1,
            events=place.events + len(page.events),
        )
        await self._take(page, FeedPage(name, done))
        if not goes_on:
            await self._store.drop_feed(name)
            log.info("a span of the feed was read", feed=self.name, events=done.events)

    def _must_begin_again(self, span: Span, error: FeedUnavailable) -> bool:
        """Whether the page was refused because the feed takes the span's cursor no longer."""
        if not span.cursor or not error.refuses_request:
            return False
        log.warning(
            "the feed takes its cursor no longer",
            feed=self.name,
            reason=str(error),
            next="nothing: the span is read again from its beginning, and nothing counts twice",
        )
        return True

    async def _page(self, span: Span) -> EventPage:
        """As slowly as is set. Raises `FeedUnavailable`."""
        ready = self._asked_at + 60 / self._pace.requests_per_minute
        if (wait := ready - self._clock.monotonic()) > 0:
            await self._clock.sleep(wait)
        self._asked_at = self._clock.monotonic()
        page = await self._client.page(span)
        self._failures = 0
        return page

    async def _take(self, page: EventPage, behind: FeedPage) -> None:
        events: list[PlatformEvent] = []
        for item in page.events:
            try:
                event = self._reader.read(item)
            except InputRefused as error:
                await self._keep(item, str(error))
                continue
            if event is None:
                self._intake.hooks.ignored(self.name, FactSource.FEED)
            else:
                events.append(event)
        await self._intake.take(self.name, events, behind)
        self._intake.hooks.feed_read(self.name, 1, behind.place)

    async def _keep(self, item: Any, reason: str) -> None:
        """As a dead letter, once: what is read twice comes again."""
        body = orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
        digest = hashlib.sha256(body).digest()
        if digest in self._kept:
            return
        await self._intake.keep(self.name, FactSource.FEED, body, reason, feed_origin(self.name))
        self._kept[digest] = None
        if len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]

    async def close(self) -> None:
        await self._client.close()


def feed_origin(name: str) -> str:
    """Of dead letters."""
    return f"feed {name}"
