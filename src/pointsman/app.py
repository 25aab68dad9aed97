"""The daemon: it knows all stages, and puts them together.

Start-up goes from the store outwards; a stop comes back the same way: Kafka, the deliveries under
way, then HTTP, then the store. HTTP goes on taking statements while the rest drains and until load
balancers had time to learn from /readyz that it stops, for most players don't repeat what was
refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Self

import structlog

from pointsman import wiring
from pointsman.config import Settings
from pointsman.config_reload import ConfigReload
from pointsman.delivery.audit import Auditor
from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.delivery.dispatcher import Dispatcher
from pointsman.domain.clock import Clock, SystemClock, micros
from pointsman.domain.errors import Retry
from pointsman.domain.log_steps import NOTHING
from pointsman.domain.park_codes import CURED_BY_TOKEN, CURED_BY_USER_ID, ParkCode
from pointsman.domain.records import LeftOut, Receipt, Submission
from pointsman.domain.targets import Recipient
from pointsman.housekeeping import Housekeeper
from pointsman.operator_page import OperatorPage, Tally, make_operator_page, shown_sources
from pointsman.sources.base import Source
from pointsman.sources.batch import StatementIntake
from pointsman.sources.http.app import HttpDeps
from pointsman.sources.http.health import ReadyState
from pointsman.sources.http.readiness import Readiness
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.players.cmi5.lms import Lms
from pointsman.store.base import Backlog
from pointsman.supervisor import Supervisor
from pointsman.telemetry import logs
from pointsman.telemetry.metrics import Metrics
from pointsman.telemetry.operator_log import OperatorLog

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
        self._clients = wiring.platform_clients(settings, self._clock)
        self._limits = wiring.quota(settings, self._clients.platform)
        self._operator_log = OperatorLog(self._clock)
        self._metrics = Metrics(wiring.known_labels(settings), self._limits)
        self._store, self._budget = wiring.store_and_budget(
            settings, self._clock, self._limits, self._metrics.commit
        )
        self._readiness = Readiness(self._store, self._clock)
        self._tokens = wiring.token_sources(
            settings,
            self._store,
            self._clock,
            self._new_tokens,
            wiring.paid_login(self._clients.login, self._budget, self._clock),
            vault=wiring.vault(settings, self._store, self._clock),
        )
        self._launches = wiring.launch_cache(settings, self._store, self._clock)
        self._dispatcher: Dispatcher = wiring.dispatcher(
            settings,
            self._store,
            self._clients.platform,
            self._tokens.provider,
            self._budget,
            self._clock,
            self._delivered,
        )
        self._producer = wiring.statement_producer(settings, self._clock)
        self._refused = wiring.refused_learners(
            settings, self._store, self._clock, self._metrics.forgotten_refused
        )
        self._attempts = wiring.failed_attempts(settings, self._clock, self._metrics)
        self._readers: list[Source] = []
        self._auditor: Auditor | None = None
        self._live: wiring.LiveParts | None = None
        self._page: OperatorPage | None = None
        self._reload = ConfigReload(
            config,
            settings,
            self._store,
            self._clock,
            self._reconfigure,
            self._metrics.config,
            f"{socket.gethostname()}/{os.getpid()}",
        )
        self._tally = Tally(self._clock)
        self._background = Supervisor(self._clock, self._metrics.task_restarted)

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
            await self._store.open()
            stack.push_async_callback(self._store.close)
            secret = await self._store.installation_secret()
            logs.LEARNER_HASHES.use(secret)
            stack.push_async_callback(self._clients.close)
            await self._tokens.provider.open()
            stack.push_async_callback(self._tokens.provider.close)
            stack.push_async_callback(self._background.stop)
            self._background.start("tokens", self._tokens.provider.run)
            # What was parked for want of a token is tried with what the provider has now.
            # What was paused is parked again, unless it was resumed meanwhile.
            cured = CURED_BY_TOKEN | CURED_BY_USER_ID | {ParkCode.PAUSED}
            await self._store.unpark(codes=cured)
            await self._refused.refresh()
            self._background.start("refused learners", self._refused.run)
            await self._budget.open()
            stack.push_async_callback(self._budget.close)
            tracker = wiring.satisfied_tracker(self._store, self._launches, self._clock)
            pipeline = wiring.pipeline(
                self._settings,
                self._store,
                self._clock,
                self._received,
                self._launches,
                tracker,
                self._left_out,
                self._clock_off,
                self._readiness.watch,
                self._refused,
                logs.LEARNER_HASHES.know,
            )
            stack.push_async_callback(self._readiness.close)
            # after what runs in the background is stopped, which would put it back
            stack.push_async_callback(self._reload.close)
            lms = wiring.lms(
                self._store, tracker, pipeline, self._clock, self._settings.platform.origin
            )
            self._page = await self._operator_page()
            http_deps = partial(self._http_deps, lms, self._intake(pipeline, lms))
            await self._start_http(http_deps(self._settings))
            self._start_delivery()
            self._start_readers(pipeline)
            self._live = wiring.LiveParts(
                self._store,
                self._metrics,
                self._clients,
                self._tokens,
                self._budget,
                self._dispatcher,
                self._auditor,
                pipeline,
                self._refused,
                self._http,
                http_deps,
                self._new_tokens,
            )
            await self._reload.open(secret)
            self._background.start("configuration", self._reload.run)
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
        if self._producer is not None and self._producer.problem:
            return ReadyState(f"http.kafka: {self._producer.problem}")
        problems = {
            f"source {source.name}": source.problem for source in self._readers if source.problem
        }
        if self._reload.problem:
            problems["configuration"] = self._reload.problem
        for pause in self._dispatcher.pauses.pauses:
            problems["delivery" if pause.kind is None else f"delivery {pause.name}"] = pause.words
        for source in self._readers:
            if source.is_required and source.problem:
                return ReadyState(f"source {source.name}: {source.problem}", problems)
        return ReadyState(await self._readiness.store_problem(), problems)

    def health_problem(self) -> str:
        """Why a restart of the process may help; "" while nothing says so."""
        return self._background.problem()

    async def metrics_page(self, accept: str = "") -> tuple[bytes, str]:
        """The metrics in the format that `accept` asks for, and its content type."""
        backlog: Backlog | None = None
        with contextlib.suppress(Retry):
            backlog = await self._store.backlog()
        return self._metrics.show(
            backlog,
            self._budget.left(),
            micros(self._clock.now()),
            out=bool(self._dispatcher.platform_trouble),
            paused=[pause.name for pause in self._dispatcher.pauses.pauses],
            accept=accept,
        )

    def _start_delivery(self) -> None:
        self._background.start("delivery", self._dispatcher.run)
        if (events := wiring.delivery_events(self._settings, self._store, self._clock)) is not None:
            self._background.start("delivery events", events.run)
        housekeeper = Housekeeper(
            self._store,
            self._clock,
            wiring.retention(self._settings),
            self._metrics.pruned,
        )
        self._background.start("housekeeping", housekeeper.run)
        if self._settings.audit.enabled:
            self._auditor = wiring.auditor(
                self._settings,
                self._store,
                self._clients.reader,
                self._tokens.provider,
                self._budget,
                self._limits,
                self._clock,
                self._dispatcher,
                self._metrics.audit,
            )
            self._background.start("audit", self._auditor.run)

        async def drain() -> None:
            until = self._drain_until or 0.0
            seconds = max(0.0, until - self._clock.monotonic())
            if left := await self._dispatcher.drain(seconds):
                log.warning(
                    "deliveries abandoned at the deadline; they will be repeated",
                    n=left,
                    next=NOTHING,
                )

        self._stack.push_async_callback(drain)
        # nothing new is leased while that drains
        self._stack.push_async_callback(self._background.stop)

    async def _operator_page(self) -> OperatorPage | None:
        """Where a key opens it."""
        page = await make_operator_page(
            self._settings,
            self._store,
            self._clock,
            self._limits,
            self._budget,
            self._dispatcher,
            self._tally,
            self._readers,
            self._metrics,
            lambda: self._drain_until is not None,
        )
        if page is not None:
            self._stack.push_async_callback(page.close)
        return page

    def _intake(self, pipeline: Pipeline, lms: Lms | None) -> StatementIntake:
        return wiring.guarded_intake(
            self._settings,
            wiring.http_intake(pipeline, self._producer, self._clock),
            lms,
            self._clock,
            self._metrics.cmi5_oddity,
        )

    def _http_deps(
        self,
        lms: Lms | None,
        intake: StatementIntake,
        settings: Settings,
    ) -> HttpDeps:
        return wiring.http_deps(
            settings,
            intake=intake,
            store=self._store,
            ready=self.ready,
            health_problem=self.health_problem,
            metrics_page=self.metrics_page,
            metrics=self._metrics,
            operator_log=self._operator_log,
            clock=self._clock,
            attempts=self._attempts,
            launches=wiring.launch_deps(
                settings,
                self._launches,
                self._tokens.launched,
                lms,
                self._store,
                self._clock,
                self._metrics.over_limit,
                self._refused.must_take_launch,
            ),
            must_take=self._refused.must_take_documents,
            operator_page=self._page,
        )

    async def _start_http(self, deps: HttpDeps) -> None:
        if self._producer is not None:
            await self._producer.open()
            self._stack.push_async_callback(self._producer.close)
        self._http = wiring.http_listeners(
            self._settings, deps, self._metrics, self._operator_log, self._clock
        )
        # the operator's listener closes last, so that probes and metrics see the whole stop
        for listener in reversed(self._http):
            self._stack.push_async_callback(listener.server.close)
        for listener in self._http:
            await listener.server.open()

    def _start_readers(self, pipeline: Pipeline) -> None:
        for source in wiring.readers(
            self._settings, pipeline, self._store.claim, self._clock, self._metrics
        ):
            self._readers.append(source)
            task = asyncio.create_task(source.run())
            self._stack.push_async_callback(_finish, source.stop, task)

    def _received(self, submissions: Sequence[Submission], receipts: Sequence[Receipt]) -> None:
        self._metrics.inputs(submissions, receipts)
        self._tally.received(submissions, receipts)
        self._operator_log.received(submissions, receipts)
        self._dispatcher.wake()

    def _left_out(self, source: str, statement_id: str, left_out: LeftOut) -> None:
        self._metrics.left_out(source, statement_id, left_out)
        self._operator_log.left_out(source, statement_id, left_out)

    def _clock_off(self, source: str, statement_id: str, seconds: float) -> None:
        self._metrics.clock_off(source, seconds)
        self._operator_log.clock_off(source, statement_id, seconds)

    def _delivered(self, record: DeliveryRecord) -> None:
        self._metrics.delivery(record)
        self._tally.delivered(record)
        self._operator_log.delivery(record)

    async def _reconfigure(self, settings: Settings) -> None:
        if self._live is None:
            return
        await self._live.reconfigure(settings)
        if self._page is not None:
            sources = list(shown_sources(settings, self._readers, self._metrics))
            self._page.reconfigure(
                settings, sources, wiring.quota(settings, self._clients.platform)
            )

    def _new_tokens(self, learners: Sequence[str]) -> None:
        async def free() -> None:
            with contextlib.suppress(Retry):
                recipients = [Recipient.learner(name) for name in learners]
                freed = await self._store.unpark(recipients, codes=CURED_BY_TOKEN)
                # attendance is kept by meeting, not by learner
                freed += await self._store.unpark(codes=CURED_BY_USER_ID)
                if freed:
                    self._dispatcher.wake()

        self._background.start("new tokens", free)


async def _finish(stop: Callable[[], Awaitable[None]], task: asyncio.Task[None]) -> None:
    await stop()
    await asyncio.gather(task, return_exceptions=True)
