"""The daemon: it knows all stages, and puts them together.

Start-up goes from the store outwards; a stop comes back the same way: Kafka, the deliveries under
way, then HTTP, then the store. HTTP goes on taking statements while the rest drains and until load
balancers had time to learn from /readyz that it stops, for most players don't repeat what was
refused.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Self

import structlog

from pointsman import wiring
from pointsman.config import Settings
from pointsman.config_reload import ConfigReload
from pointsman.daemon_parts import DaemonParts
from pointsman.delivery.audit import Auditor
from pointsman.domain.clock import Clock, SystemClock
from pointsman.domain.installation import installation_name
from pointsman.domain.log_steps import NOTHING
from pointsman.domain.park_codes import CURED_BY_TOKEN, CURED_BY_USER_ID, ParkCode
from pointsman.housekeeping import Housekeeper
from pointsman.operator_page import OperatorPage, make_operator_page, shown_sources
from pointsman.sources.base import Source
from pointsman.sources.confirmations import ConfirmationIntake, FeedReader
from pointsman.sources.http.app import HttpDeps
from pointsman.sources.http.health import ReadyState
from pointsman.sources.pipeline import Pipeline
from pointsman.telemetry import logs

log = structlog.get_logger(__name__)


class Daemon:
    """One running pointsman. `async with` starts it, and drains it at the end.

    `open`, then `begin_drain` and `close` for callers that have something to do in between.
    """

    def __init__(
        self, settings: Settings, clock: Clock | None = None, config: Path | None = None
    ) -> None:
        """`config` is the file of the settings; without it they stay as they are."""
        self._settings = settings
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._http: list[wiring.HttpListener] = []
        #: on the monotonic clock, when deliveries are abandoned; None when it does not stop
        self._drain_until: float | None = None
        self.parts = DaemonParts(settings, self._clock)
        self._readers: list[Source] = []
        self._feeds: list[FeedReader] = []
        self._auditor: Auditor | None = None
        self._live: wiring.LiveParts | None = None
        self._page: OperatorPage | None = None
        self._reload = ConfigReload(
            config,
            settings,
            self.parts.store,
            self._clock,
            self._reconfigure,
            self.parts.metrics.config,
            f"{socket.gethostname()}/{os.getpid()}",
        )

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.begin_drain(self._settings.http.drain_delay_seconds)
        await self.close()

    async def open(self) -> None:
        """Start all parts. Raises `ConfigError` and `StoreUnavailable`."""
        stack = self._stack
        try:
            await self.parts.store.open()
            stack.push_async_callback(self.parts.store.close)
            secret = await self.parts.store.installation_secret()
            logs.LEARNER_HASHES.use(secret)
            self.parts.installation = installation_name(secret)
            stack.push_async_callback(self.parts.traces.close)
            stack.push_async_callback(self.parts.clients.close)
            await self.parts.tokens.provider.open()
            stack.push_async_callback(self.parts.tokens.provider.close)
            stack.push_async_callback(self.parts.background.stop)
            self.parts.background.start("tokens", self.parts.tokens.provider.run)
            # What was parked for want of a token is tried with what the provider has now.
            # What was paused is parked again, unless it was resumed meanwhile.
            cured = CURED_BY_TOKEN | CURED_BY_USER_ID | {ParkCode.PAUSED}
            await self.parts.store.unpark(codes=cured)
            await self.parts.refused.refresh()
            self.parts.background.start("refused learners", self.parts.refused.run)
            await self.parts.budget.open()
            stack.push_async_callback(self.parts.budget.close)
            tracker = wiring.satisfied_tracker(self.parts.store, self.parts.launches, self._clock)
            pipeline = wiring.pipeline(
                self._settings,
                self.parts.store,
                self._clock,
                self.parts.received,
                self.parts.launches,
                tracker,
                self.parts.left_out,
                self.parts.clock_off,
                self.parts.watched,
                self.parts.refused,
                logs.LEARNER_HASHES.know,
            )
            stack.push_async_callback(self.parts.readiness.close)
            # after what runs in the background is stopped, which would put it back
            stack.push_async_callback(self._reload.close)
            lms = wiring.lms(
                self.parts.store, tracker, pipeline, self._clock, self._settings.platform.origin
            )
            self._page = await self._operator_page()
            confirmations = self.parts.confirmations(pipeline)
            http_deps = partial(
                self.parts.http_deps,
                lms,
                self.parts.intake(pipeline, lms),
                self.ready,
                self._page,
                confirmations,
            )
            await self._start_http(http_deps(self._settings))
            # before what stops all that runs in the background, so that its clients close after it
            self._start_feeds(confirmations)
            self._start_delivery()
            self._start_readers(pipeline)
            self._live = wiring.LiveParts(
                self.parts.store,
                self.parts.metrics,
                self.parts.clients,
                self.parts.tokens,
                self.parts.budget,
                self.parts.dispatcher,
                self._auditor,
                pipeline,
                confirmations,
                self._feeds,
                self.parts.refused,
                self._http,
                http_deps,
                self.parts.new_tokens,
            )
            await self._reload.open(secret)
            self.parts.background.start("configuration", self._reload.run)
        except BaseException:
            await stack.aclose()
            raise

    def begin_drain(self, delay: float) -> None:
        """From now on it is not ready; HTTP goes on for `delay` seconds at least."""
        seconds = self._settings.http.drain_seconds
        log.info("draining", delay_seconds=delay, seconds=seconds)
        self._drain_until = self._clock.monotonic() + seconds
        for listener in self._http:
            listener.server.begin_drain(delay)

    async def close(self) -> None:
        """Finish what is under way, and end all parts."""
        await self._stack.aclose()
        log.info("stopped")

    def read_config_again(self) -> None:
        """Read the configuration's file soon, and take on what it says."""
        self._reload.want()

    async def ready(self) -> ReadyState:
        """Whether statements can be taken now, and if not why."""
        if self._drain_until is not None:
            return ReadyState("draining: this daemon is about to stop")
        if self.parts.producer is not None and self.parts.producer.problem:
            return ReadyState(f"http.kafka: {self.parts.producer.problem}")
        problems = {
            f"source {source.name}": source.problem for source in self._readers if source.problem
        }
        if self._reload.problem:
            problems["configuration"] = self._reload.problem
        for pause in self.parts.dispatcher.pauses.pauses:
            problems["delivery" if pause.kind is None else f"delivery {pause.name}"] = pause.words
        for source in self._readers:
            if source.is_required and source.problem:
                return ReadyState(f"source {source.name}: {source.problem}", problems)
        return ReadyState(await self.parts.readiness.store_problem(), problems)

    def _start_delivery(self) -> None:
        self.parts.background.start("delivery", self.parts.dispatcher.run)
        if (
            events := wiring.delivery_events(self._settings, self.parts.store, self._clock)
        ) is not None:
            self.parts.background.start("delivery events", events.run)
        housekeeper = Housekeeper(
            self.parts.store,
            self._clock,
            wiring.retention(self._settings),
            self.parts.metrics.pruned,
        )
        self.parts.background.start("housekeeping", housekeeper.run)
        if self._settings.audit.enabled:
            self._auditor = wiring.auditor(
                self._settings,
                self.parts.store,
                self.parts.clients.reader,
                self.parts.tokens.provider,
                self.parts.budget,
                self.parts.limits,
                self._clock,
                self.parts.dispatcher,
                self.parts.metrics.audit,
                self.parts.confirmed,
                self.parts.metrics.audit_read,
            )
            self.parts.background.start("audit", self._auditor.run)

        async def drain() -> None:
            until = self._drain_until or 0.0
            seconds = max(0.0, until - self._clock.monotonic())
            if left := await self.parts.dispatcher.drain(seconds):
                log.warning(
                    "deliveries abandoned at the deadline; they will be repeated",
                    n=left,
                    next=NOTHING,
                )

        self._stack.push_async_callback(drain)
        # nothing new is leased while that drains
        self._stack.push_async_callback(self.parts.background.stop)

    async def _operator_page(self) -> OperatorPage | None:
        """Where a key opens it."""
        page = await make_operator_page(
            self._settings,
            self.parts.store,
            self._clock,
            self.parts.limits,
            self.parts.budget,
            self.parts.dispatcher,
            self.parts.tally,
            self._readers,
            self.parts.metrics,
            lambda: self._drain_until is not None,
        )
        if page is not None:
            self._stack.push_async_callback(page.close)
        return page

    async def _start_http(self, deps: HttpDeps) -> None:
        if self.parts.producer is not None:
            await self.parts.producer.open()
            self._stack.push_async_callback(self.parts.producer.close)
        self._http = self.parts.listeners(deps)
        # the operator's listener closes last, so that probes and metrics see the whole stop
        for listener in reversed(self._http):
            self._stack.push_async_callback(listener.server.close)
        for listener in self._http:
            await listener.server.open()

    def _start_readers(self, pipeline: Pipeline) -> None:
        for source in self.parts.readers(pipeline):
            self._readers.append(source)
            task = asyncio.create_task(source.run())
            self._stack.push_async_callback(_finish, source.stop, task)

    def _start_feeds(self, confirmations: ConfirmationIntake) -> None:
        for feed in wiring.feed_readers(
            self._settings, confirmations, self.parts.store, self._clock
        ):
            self._feeds.append(feed)
            self._stack.push_async_callback(feed.close)
            self.parts.background.start(f"feed {feed.name}", feed.run)

    async def _reconfigure(self, settings: Settings) -> None:
        if self._live is None:
            return
        await self._live.reconfigure(settings)
        if self._page is not None:
            sources = list(shown_sources(settings, self._readers, self.parts.metrics))
            self._page.reconfigure(
                settings, sources, wiring.quota(settings, self.parts.clients.platform)
            )


async def _finish(stop: Callable[[], Awaitable[None]], task: asyncio.Task[None]) -> None:
    await stop()
    await asyncio.gather(task, return_exceptions=True)
