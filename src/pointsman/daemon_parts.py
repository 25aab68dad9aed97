"""The parts of a daemon that are made of its settings alone, and what they tell one another."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence

from pointsman import wiring
from pointsman.config import Settings
from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.delivery.dispatcher import Dispatcher
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import Retry
from pointsman.domain.park_codes import CURED_BY_TOKEN, CURED_BY_USER_ID
from pointsman.domain.records import LeftOut, Receipt, Submission
from pointsman.domain.targets import Recipient
from pointsman.operator_page import OperatorPage, Tally
from pointsman.sources.base import Source
from pointsman.sources.batch import StatementIntake
from pointsman.sources.confirmations import ConfirmationHooks, ConfirmationIntake
from pointsman.sources.http.app import HttpDeps
from pointsman.sources.http.health import ReadyState
from pointsman.sources.http.kept_state import KeptState
from pointsman.sources.http.readiness import Readiness
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.players.cmi5.lms import Lms
from pointsman.store.base import Backlog, IngestStore
from pointsman.store.confirmation_records import TakenEvent
from pointsman.supervisor import Supervisor
from pointsman.telemetry.metrics import Metrics
from pointsman.telemetry.operator_log import OperatorLog


class DaemonParts:
    """Nothing is open and nothing runs yet: that is the daemon's."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.traces = wiring.traces(settings)
        self.clients = wiring.platform_clients(settings, clock, self.traces)
        self.limits = wiring.quota(settings, self.clients.platform)
        self.operator_log = OperatorLog(clock)
        self.metrics = Metrics(wiring.known_labels(settings), self.limits)
        self.store, self.budget = wiring.store_and_budget(
            settings, clock, self.limits, self.metrics.commit
        )
        self.readiness = Readiness(self.store, clock)
        self.tokens = wiring.token_sources(
            settings,
            self.store,
            clock,
            self.new_tokens,
            wiring.paid_login(self.clients.login, self.budget, clock),
            vault=wiring.vault(settings, self.store, clock),
        )
        self.launches = wiring.launch_cache(settings, self.store, clock)
        self.dispatcher: Dispatcher = wiring.dispatcher(
            settings,
            self.store,
            self.clients.platform,
            self.tokens.provider,
            self.budget,
            clock,
            self.delivered,
            self.traces,
        )
        self.producer = wiring.statement_producer(settings, clock)
        self.refused = wiring.refused_learners(
            settings, self.store, clock, self.metrics.forgotten_refused
        )
        self.attempts = wiring.failed_attempts(settings, clock, self.metrics)
        self.kept = KeptState()
        self.tally = Tally(clock)
        self.background = Supervisor(clock, self.metrics.task_restarted)
        #: known once the store is open
        self.installation = ""

    def watched(self, store: IngestStore) -> IngestStore:
        """The same, and what becomes of its commits is known here, and traced."""
        return self.traces.store(self.readiness.watch(store))

    async def metrics_page(self, accept: str = "") -> tuple[bytes, str]:
        """The metrics in the format that `accept` asks for, and its content type."""
        backlog: Backlog | None = None
        with contextlib.suppress(Retry):
            backlog = await self.store.backlog()
        return self.metrics.show(
            backlog,
            self.budget.left(),
            micros(self._clock.now()),
            out=bool(self.dispatcher.platform_trouble),
            paused=[pause.name for pause in self.dispatcher.pauses.pauses],
            accept=accept,
        )

    def listeners(self, deps: HttpDeps) -> list[wiring.HttpListener]:
        """They do not listen yet."""
        return wiring.http_listeners(
            self._settings, deps, self.metrics, self.operator_log, self._clock, self.traces
        )

    def readers(self, pipeline: Pipeline) -> Iterator[Source]:
        """The sources that read by themselves; nothing runs yet."""
        return wiring.readers(
            self._settings, pipeline, self.store.claim, self._clock, self.metrics, self.traces
        )

    def intake(self, pipeline: Pipeline, lms: Lms | None) -> StatementIntake:
        """What takes the statements that come over HTTP."""
        return wiring.guarded_intake(
            self._settings,
            wiring.http_intake(self._settings, pipeline, self.producer, self._clock, self.traces),
            lms,
            self._clock,
            self.metrics.cmi5_oddity,
        )

    def http_deps(
        self,
        lms: Lms | None,
        intake: StatementIntake,
        ready: Callable[[], Awaitable[ReadyState]],
        operator_page: OperatorPage | None,
        confirmations: ConfirmationIntake,
        settings: Settings,
    ) -> HttpDeps:
        """What the endpoint needs of the daemon, by these settings."""
        return wiring.http_deps(
            settings,
            intake=intake,
            store=self.store,
            ready=ready,
            health_problem=self.background.problem,
            metrics_page=self.metrics_page,
            metrics=self.metrics,
            operator_log=self.operator_log,
            clock=self._clock,
            attempts=self.attempts,
            launches=wiring.launch_deps(
                settings,
                self.launches,
                self.tokens.launched,
                lms,
                self.store,
                self._clock,
                self.metrics.over_limit,
                self.kept,
                self.refused.must_take_launch,
            ),
            must_take=self.refused.must_take_documents,
            operator_page=operator_page,
            confirmation_intake=confirmations,
            installation=self.installation,
            kept=self.kept,
        )

    def confirmations(self, pipeline: Pipeline) -> ConfirmationIntake:
        """What takes events of the platform."""
        hooks = ConfirmationHooks(
            taken=self.confirmed,
            ignored=self.metrics.event_ignored,
            dead=self.metrics.event_dead,
            refused=self.metrics.event_refused,
            feed_read=self.metrics.feed_read,
        )
        return wiring.confirmation_intake(
            self._settings, self.store, self._clock, pipeline.keep_dead_letter, hooks
        )

    def confirmed(self, name: str, taken: Sequence[TakenEvent]) -> None:
        """What became of events of the platform, and of what the audit read."""
        self.metrics.confirmed(name, taken)
        self.operator_log.confirmed(taken)

    def received(self, submissions: Sequence[Submission], receipts: Sequence[Receipt]) -> None:
        """Count what was stored, and wake the delivery."""
        self.metrics.inputs(submissions, receipts)
        self.tally.received(submissions, receipts)
        self.operator_log.received(submissions, receipts)
        self.dispatcher.wake()

    def left_out(self, source: str, statement_id: str, left_out: LeftOut) -> None:
        self.metrics.left_out(source, statement_id, left_out)
        self.operator_log.left_out(source, statement_id, left_out)

    def clock_off(self, source: str, statement_id: str, seconds: float) -> None:
        self.metrics.clock_off(source, seconds)
        self.operator_log.clock_off(source, statement_id, seconds)

    def delivered(self, record: DeliveryRecord) -> None:
        self.metrics.delivery(record)
        self.tally.delivered(record)
        self.operator_log.delivery(record)

    def new_tokens(self, learners: Sequence[str]) -> None:
        """Free what was parked for want of these learners' tokens."""

        async def free() -> None:
            with contextlib.suppress(Retry):
                recipients = [Recipient.learner(name) for name in learners]
                freed = await self.store.unpark(recipients, codes=CURED_BY_TOKEN)
                # attendance is kept by meeting, not by learner
                freed += await self.store.unpark(codes=CURED_BY_USER_ID)
                if freed:
                    self.dispatcher.wake()

        self.background.start("new tokens", free)
