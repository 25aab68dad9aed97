"""The daemon: it knows all stages, and puts them together.

Start-up goes from the store outwards; a stop comes back the same way: Kafka, the deliveries under
way, then HTTP, then the store. HTTP goes on taking statements while the rest drains, for most
players don't repeat what was refused; /readyz tells the load balancer to send them elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Self

import structlog

from pointsman import wiring
from pointsman.config import Settings
from pointsman.delivery.budget.paid import send_paid
from pointsman.delivery.dispatcher import DeliveryRecord, Dispatcher
from pointsman.domain.clock import Clock, SystemClock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.park_codes import CURED_BY_TOKEN, CURED_BY_USER_ID
from pointsman.domain.records import Receipt, Submission
from pointsman.domain.targets import Recipient
from pointsman.housekeeping import Housekeeper
from pointsman.platforms.base import TokenProvider
from pointsman.platforms.helium import CallResult
from pointsman.platforms.helium.login import LoggedIn
from pointsman.platforms.tokens.fetched import FetchedTokens
from pointsman.platforms.tokens.file import FileTokens
from pointsman.platforms.tokens.launch import LaunchTokens
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.players.cmi5.lms import Lms
from pointsman.store.base import Backlog
from pointsman.telemetry import logs
from pointsman.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

#: seconds; the store's writer must win the interpreter lock back from a busy loop at each small
#: step, and waits for this long each time (docs/design.md, "The interpreter lock")
_SWITCH_INTERVAL = 0.0005
#: how long a login may wait for the budget, seconds
_LOGIN_PATIENCE = 20.0
#: of the time that a stop may take, the part for deliveries; the rest is for the store
_DELIVERY_PART = 0.8


class Daemon:
    """One running pointsman. `async with` starts it, and drains it at the end."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._metrics = Metrics()
        self._stack = AsyncExitStack()
        self._draining = False
        self._store = wiring.store(settings, self._clock, on_commit=self._metrics.commit)
        self._calls = wiring.calls(settings, self._clock)
        self._tokens = wiring.provider(
            settings,
            self._store,
            self._clock,
            self._new_tokens,
            wiring.log_in(self._calls, self._pay),
            vault=wiring.vault(settings.learners.tokens, self._store, self._clock),
        )
        self._launches = wiring.known_launches(settings, self._store, self._clock)
        self._budget = wiring.budget(settings, self._store, self._clock)
        self._platform = wiring.platform(settings, self._clock)
        self._dispatcher: Dispatcher = wiring.dispatcher(
            settings,
            self._store,
            self._platform,
            self._tokens,
            self._budget,
            self._clock,
            self._delivered,
        )
        self._outbox = wiring.outbox(settings, self._clock)
        self._background: set[asyncio.Task[object]] = set()

    async def __aenter__(self) -> Self:
        stack = self._stack
        try:
            await self._store.open()
            stack.push_async_callback(self._store.close)
            stack.push_async_callback(self._platform.close)
            stack.push_async_callback(self._calls.close)
            await self._start_tokens(self._tokens)
            # What was parked for want of a token is tried with what the provider has now.
            await self._store.unpark(codes=CURED_BY_TOKEN | CURED_BY_USER_ID)
            await self._budget.open()
            following = wiring.following(self._store, self._launches, self._clock)
            intake = wiring.intake(
                self._settings, self._store, self._clock, self._received, self._launches, following
            )
            await self._start_http(intake, wiring.lms(self._store, following, intake, self._clock))
            self._start_delivery()
            self._start_kafka(intake)
        except BaseException:
            await stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._draining = True
        log.info("draining", seconds=self._settings.http.drain_seconds)
        await self._stack.aclose()
        log.info("stopped")

    async def ready(self) -> tuple[bool, str]:
        """Whether statements can be taken now, and if not why."""
        if self._draining:
            return False, "draining: this daemon is about to stop"
        if self._outbox is not None and self._outbox.trouble:
            return False, f"http.kafka: {self._outbox.trouble}"
        try:
            await self._store.next_ready_at()
        except StoreUnavailable as error:
            return False, str(error)
        return True, "ready"

    async def metrics_page(self) -> tuple[bytes, str]:
        backlog: Backlog | None = None
        with contextlib.suppress(StoreUnavailable):
            backlog = await self._store.backlog()
        return self._metrics.show(
            backlog,
            self._budget.spent(),
            micros(self._clock.now()),
            out=self._dispatcher.breaker.tripped,
        )

    def _start_delivery(self) -> None:
        self._in_background(self._dispatcher.run())
        housekeeper = Housekeeper(
            self._store,
            self._clock,
            self._settings.store.retention_days,
            self._metrics.pruned,
        )
        self._in_background(housekeeper.run())
        if self._settings.audit.enabled:
            reader = wiring.reader(self._settings, self._clock)
            self._stack.push_async_callback(reader.close)
            auditor = wiring.auditor(
                self._settings,
                self._store,
                reader,
                self._tokens,
                self._budget,
                self._clock,
                self._dispatcher,
                self._metrics.audit,
            )
            self._in_background(auditor.run())

        async def drain() -> None:
            seconds = self._settings.http.drain_seconds * _DELIVERY_PART
            if left := await self._dispatcher.drain(seconds):
                log.warning("deliveries abandoned at the deadline; they will be repeated", n=left)

        self._stack.push_async_callback(drain)
        self._stack.push_async_callback(self._stop_background)

    async def _start_http(self, intake: Pipeline, lms: Lms | None) -> None:
        if self._outbox is not None:
            await self._outbox.open()
            self._stack.push_async_callback(self._outbox.close)
        await wiring.serve_http(
            self._stack,
            self._settings,
            intake=wiring.gated(
                self._settings,
                wiring.http_intake(self._settings, intake, self._outbox, self._clock),
                lms,
                self._clock,
                self._metrics.cmi5_oddity,
            ),
            store=self._store,
            ready=self.ready,
            metrics_page=self.metrics_page,
            metrics=self._metrics,
            clock=self._clock,
            launches=wiring.launch_deps(
                self._settings, self._launches, self._tokens, lms, self._clock
            ),
        )

    def _start_kafka(self, intake: Pipeline) -> None:
        for source in wiring.kafka_sources(
            self._settings, intake, self._store.claim, self._clock, self._metrics
        ):
            task = asyncio.create_task(source.run())
            self._stack.push_async_callback(_finish, source.stop, task)

    async def _start_tokens(self, tokens: TokenProvider | None) -> None:
        if isinstance(tokens, LaunchTokens):
            await self._start_tokens(tokens.behind)
        elif isinstance(tokens, FileTokens):
            self._in_background(tokens.watch())
        elif isinstance(tokens, FetchedTokens):
            await tokens.open()
            self._stack.push_async_callback(tokens.save)
            self._stack.push_async_callback(tokens.close)
            self._in_background(tokens.watch())

    def _in_background(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)

        def ended(done: asyncio.Future[object]) -> None:
            self._background.discard(task)
            if not done.cancelled() and (error := done.exception()) is not None:
                log.error("a part of the daemon ended for a reason of ours", exc_info=error)

        task.add_done_callback(ended)

    async def _stop_background(self) -> None:
        tasks = list(self._background)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _received(self, submissions: Sequence[Submission], receipts: Sequence[Receipt]) -> None:
        self._metrics.inputs(submissions, receipts)
        self._dispatcher.wake()

    def _delivered(self, record: DeliveryRecord) -> None:
        self._metrics.delivery(record)
        logs.delivery(record)

    async def _pay(
        self, points: int, send: Callable[[], Awaitable[CallResult[LoggedIn]]]
    ) -> CallResult[LoggedIn] | None:
        give_up_at = self._clock.monotonic() + _LOGIN_PATIENCE
        return await send_paid(self._budget, points, send, give_up_at=give_up_at)

    def _new_tokens(self, learners: Sequence[str]) -> None:
        async def free() -> None:
            with contextlib.suppress(StoreUnavailable):
                recipients = [Recipient.learner(name) for name in learners]
                freed = await self._store.unpark(recipients, codes=CURED_BY_TOKEN)
                # attendance is kept by meeting, not by learner
                freed += await self._store.unpark(codes=CURED_BY_USER_ID)
                if freed:
                    self._dispatcher.wake()

        self._in_background(free())


async def _finish(stop: Callable[[], Awaitable[None]], task: asyncio.Task[None]) -> None:
    await stop()
    await asyncio.gather(task, return_exceptions=True)


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)
    async with Daemon(settings):
        log.info(
            "listening",
            host=settings.http.host,
            port=settings.http.port,
            store=settings.store.url,
            platform=settings.platform.url,
            rules=len(settings.rules),
        )
        await stop.wait()


def run(settings: Settings) -> int:
    """The daemon until it is told to stop; its exit code."""
    logs.configure(settings.logging.level, settings.logging.format)
    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        asyncio.run(serve(settings))
    else:
        uvloop.run(serve(settings))
    return 0
