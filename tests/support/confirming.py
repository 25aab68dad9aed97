"""The platform's own word in virtual time: the emulator's webhooks and feed, without sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import orjson
from multidict import CIMultiDict

from pointsman.config.confirmations import ConfirmationSettings
from pointsman.config.settings import Settings
from pointsman.delivery.audit import Auditor, AuditRecord, Confirming
from pointsman.delivery.settings import AuditSettings
from pointsman.emulator import Catalogue, Emulator
from pointsman.emulator.events import EndpointOptions
from pointsman.emulator.faults import read_fault
from pointsman.emulator.rest import RestOptions
from pointsman.outgoing.client import HttpReply
from pointsman.platforms.helium.readback import HeliumReader
from pointsman.sources.confirmations import (
    ConfirmationHooks,
    ConfirmationIntake,
    FeedClient,
    FeedReader,
)
from pointsman.sources.http.webhook_signatures import SignatureRefused
from pointsman.store.confirmation_records import EventOutcome, TakenEvent
from pointsman.wiring.confirmations import (
    confirmation_sources,
    feed_event_reader,
    feed_pace,
    feed_query,
)
from tests.support.virtual_delivery import KEY, VirtualDelivery
from tests.support.virtual_time import VirtualClock

SECRET = "an-endpoints-secret-1"
NAME = "academy"


def courses(learners: int, number: int) -> Catalogue:
    """Learners `l0@example.com` and on; courses `c0` and on, each with a topic of its own."""
    return Catalogue.model_validate(
        {
            "learners": [
                {
                    "id": f"u{n}",
                    "email": f"l{n}@example.com",
                    "password": "demo",
                    "role": "STUDENT",
                }
                for n in range(learners)
            ],
            "courses": [
                {
                    "id": f"c{n}",
                    "slug": f"slug-{n}",
                    "title": f"C{n}",
                    "lessons": [
                        {
                            "id": f"lesson{n}",
                            "title": "Lesson",
                            "topics": [{"id": f"t{n}", "title": "T", "type": "text"}],
                        }
                    ],
                }
                for n in range(number)
            ],
        }
    )


class EmulatorRest:
    """The emulator's REST API as an `HttpSender`. `replies` come first where there are any."""

    def __init__(self, emulator: Emulator, latency: float = 0.05) -> None:
        self._emulator = emulator
        self._latency = latency
        self.asked: list[Mapping[str, str]] = []
        #: of the emulator's answers
        self.statuses: Counter[int] = Counter()
        self.replies: list[HttpReply] = []

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> HttpReply:
        await asyncio.sleep(self._latency)
        self.asked.append(dict(query or {}))
        if self.replies:
            return self.replies.pop(0)
        reply = await self._emulator.rest.handle(
            method,
            urlsplit(url).path,
            query=query or {},
            headers=CIMultiDict(headers or {}),
        )
        self.statuses[reply.status] += 1
        return HttpReply(reply.status, CIMultiDict(reply.headers), reply.body)

    async def close(self) -> None: ...


class ConfirmingDelivery(VirtualDelivery):
    """A delivery that hears of the platform's events by webhook, by the feed, or both."""

    def __init__(
        self,
        folder: Path,
        platform_catalogue: Catalogue,
        *,
        webhooks: bool = True,
        feed: Mapping[str, Any] | None = None,
        audits: bool = False,
        shown_only: frozenset[str] = frozenset(),
        rest: RestOptions | None = None,
        faults: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        emulator = Emulator(
            platform_catalogue, api_key=KEY, clock=VirtualClock(), token_ttl=1e9, rest=rest
        )
        for fault in faults:
            emulator.faults.add(read_fault(fault, "a fault"))
        super().__init__(folder, platform_catalogue, share=0.8, emulator=emulator)
        entry: dict[str, Any] = {"name": NAME, "secret": SECRET}
        self.settings = ConfirmationSettings.model_validate(
            entry if feed is None else {**entry, "feed": feed}
        )
        if webhooks:
            endpoint = EndpointOptions(url="http://us/confirmations/academy", secret=SECRET)
            self.emulator.webhooks.register(endpoint)
        self.taken: list[tuple[float, TakenEvent]] = []
        self.letters: list[str] = []
        self.audited: list[AuditRecord] = []
        hooks = ConfirmationHooks(taken=self._told)
        self.intake = ConfirmationIntake(self.store, self.clock, self._keep, shown_only, hooks)
        self.rest = EmulatorRest(self.emulator)
        self._audits = audits
        self._tasks: list[asyncio.Task[Any]] = []
        self._made = Settings.model_construct(  # type: ignore[call-arg]
            confirmations=(self.settings,)
        )
        (self._source,) = confirmation_sources(self._made)
        self.down = False
        #: our answers to webhooks
        self.statuses: Counter[int] = Counter()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._start(self.emulator.run(self._post))
        if self.settings.feed is not None:
            self._start(self.feed_reader().run())
        if self._audits:
            self._start(self.auditor().run())
        return self

    async def __aexit__(self, *args: object) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await super().__aexit__(*args)

    def _start(self, work: Any) -> None:
        self._tasks.append(asyncio.create_task(work))

    def feed_reader(self) -> FeedReader:
        feed = self.settings.feed
        assert feed is not None
        platform = Settings.model_fields["platform"].annotation
        assert platform is not None
        made = Settings.model_construct(  # type: ignore[call-arg]
            platform=platform(url="http://emulator", api_key=KEY)
        )
        client = FeedClient(feed_query(made, feed), self.rest, self.clock)
        return FeedReader(
            NAME,
            client,
            feed_event_reader(self.settings, feed),
            self.intake,
            self.store,
            self.clock,
            feed_pace(feed),
        )

    def auditor(self) -> Auditor:
        feeds = [] if self.settings.feed is None else [NAME]
        return Auditor(
            self.store,
            HeliumReader(self.transport, self.clock),
            self.tokens,
            self.budget,
            self.dispatcher.breaker,
            self.clock,
            AuditSettings(settle_seconds=30, again_after_hours=1, suspect_seconds=60),
            self.audited.append,
            self.dispatcher.wake,
            points_per_request=1_000,
            requests_per_window=99,
            confirming=Confirming(feeds, self._told),
        )

    def outcomes(self, outcome: EventOutcome) -> Sequence[TakenEvent]:
        return [one for _, one in self.taken if one.outcome is outcome]

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        status = await self._take(url, headers, body)
        self.statuses[status] += 1
        return status

    async def _take(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """What POST /confirmations/academy does, behind its socket."""
        assert url.endswith(f"/confirmations/{NAME}")
        await asyncio.sleep(0.02)
        if self.down:
            return 503
        source = self._source
        try:
            signed = source.verifier.read_headers(CIMultiDict(headers))
            source.verifier.check(signed, body, self.clock.now())
        except SignatureRefused:
            return 401
        event = source.reader.read(orjson.loads(body))
        if event is not None:
            await self.intake.take(NAME, [event])
        return 204

    async def _keep(self, _source: str, _body: bytes, reason: str, _origin: str) -> None:
        self.letters.append(reason)

    def _told(self, _name: str, taken: Sequence[TakenEvent]) -> None:
        self.taken += [(self.clock.now(), one) for one in taken]
