"""The platform's own word in virtual time: its webhooks and its feed, joined to a real store."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
from pydantic import SecretStr

from pointsman.config.confirmations import ConfirmationSettings, FeedSettings
from pointsman.domain.errors import InputRefused
from pointsman.emulator import Catalogue, Emulator
from pointsman.emulator.events import EndpointOptions
from pointsman.outgoing.client import HttpReply
from pointsman.sources.confirmations import (
    ConfirmationHooks,
    ConfirmationIntake,
    FeedClient,
    FeedPace,
    FeedQuery,
    FeedReader,
)
from pointsman.sources.http.webhook_signatures import (
    SignatureRefused,
    SignatureScheme,
    WebhookVerifier,
)
from pointsman.statements.adapters import Path
from pointsman.store.confirmation_records import EventOutcome, TakenEvent
from pointsman.wiring.confirmations import feed_event_reader, webhook_reader
from tests.support.virtual_delivery import KEY, VirtualDelivery

NAME = "academy"
SECRET = "an-endpoints-secret-1"
URL = f"https://pointsman.example.com/confirmations/{NAME}"


def courses_catalogue(learners: int, courses: int) -> Catalogue:
    """Learners `l0@example.com` and on, courses `c0` (its id `course-c0`) and on, no topics."""
    return Catalogue.model_validate(
        {
            "learners": [
                {"id": f"u{n}", "email": f"l{n}@example.com", "password": "demo"}
                for n in range(learners)
            ],
            "courses": [
                {"id": f"course-c{n}", "slug": f"c{n}", "title": f"C{n}"} for n in range(courses)
            ],
        }
    )


class EmulatedRest:
    """What `FeedClient` sends goes to the emulator's REST API, without a socket."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.statuses: Counter[int] = Counter()

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> HttpReply:
        reply = await self._emulator.rest.handle(
            method, url.removeprefix("http://platform"), query=query or {}, headers=headers or {}
        )
        self.statuses[reply.status] += 1
        return HttpReply(reply.status, reply.headers, reply.body)

    async def close(self) -> None: ...


@dataclass
class Confirmed:
    """What was told of the platform's events."""

    rest: EmulatedRest
    feed: FeedReader
    taken: list[TakenEvent] = field(default_factory=list)
    #: (reason, body) of those that made no sense
    letters: list[tuple[str, bytes]] = field(default_factory=list)
    #: answers to webhooks
    statuses: Counter[int] = field(default_factory=Counter)

    def news(self) -> list[TakenEvent]:
        return [taken for taken in self.taken if taken.outcome is EventOutcome.NEWS]


@asynccontextmanager
async def confirming(
    sim: VirtualDelivery,
    *,
    webhooks: bool = True,
    feed: FeedSettings | None = None,
    shown_only: Sequence[str] = (),
) -> AsyncIterator[Confirmed]:
    """Webhooks of `sim`'s emulator are taken, and with `feed` it is read, until the block ends."""
    settings = ConfirmationSettings(
        name=NAME, secret=SecretStr(SECRET), feed=feed or FeedSettings()
    )
    pages = settings.feed
    assert pages is not None
    letters: list[tuple[str, bytes]] = []

    async def keep(_source: str, body: bytes, reason: str, _origin: str) -> None:
        letters.append((reason, body))

    taken: list[TakenEvent] = []
    hooks = ConfirmationHooks(taken=lambda _name, events: taken.extend(events))
    intake = ConfirmationIntake(sim.store, sim.clock, keep, frozenset(shown_only), hooks)
    rest = EmulatedRest(sim.emulator)
    query = FeedQuery(
        url=f"http://platform{pages.path}",
        api_key=SecretStr(KEY),
        page_size=pages.page_size,
        dates=pages.dates,
        events=tuple(map(Path.parse, pages.events)),
        page_info=tuple(map(Path.parse, pages.page_info)),
    )
    pace = FeedPace(
        pages.requests_per_minute,
        pages.poll_seconds,
        pages.overlap_seconds,
        pages.first_hours * 3_600,
    )
    reader = FeedReader(
        NAME,
        FeedClient(query, rest, sim.clock),
        feed_event_reader(settings, pages),
        intake,
        sim.store,
        sim.clock,
        pace,
    )
    confirmed = Confirmed(rest, reader, taken, letters)
    verifier = WebhookVerifier(
        (SignatureScheme(header=settings.header),),
        lambda: (SECRET.encode(),),
        settings.tolerance_seconds,
    )
    events = webhook_reader(settings)

    async def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
        assert url == URL
        status = 204
        try:
            verifier.check(verifier.read_headers(headers), body, sim.clock.now())
            event = events.read(orjson.loads(body))
        except SignatureRefused:
            status = 401
        except InputRefused as error:
            letters.append((str(error), body))
        else:
            await intake.take(NAME, [] if event is None else [event])
        confirmed.statuses[status] += 1
        return status

    if webhooks:
        sim.emulator.webhooks.register(EndpointOptions(url=URL, secret=SECRET))
    tasks = [asyncio.create_task(sim.emulator.run(post))]
    if feed is not None:
        tasks.append(asyncio.create_task(reader.run()))
    try:
        yield confirmed
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
