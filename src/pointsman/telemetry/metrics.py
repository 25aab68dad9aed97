"""The hooks that count, and the page. Which metrics there are is in `families`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache

from prometheus_client import Counter, Histogram
from prometheus_client.exposition import choose_encoder

from pointsman import __version__
from pointsman.delivery.audit import AuditRecord
from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits
from pointsman.delivery.delivery_record import NOT_SENT, DeliveryRecord
from pointsman.domain.clock import MICROSECONDS
from pointsman.domain.platform_events import FactSource, PlatformFact
from pointsman.domain.records import LeftOut, Receipt, Submission
from pointsman.domain.targets import ReadBackPlace, TargetKind
from pointsman.store.base import Backlog
from pointsman.store.confirmation_records import EventOutcome, FeedPlace, Stage, TakenEvent
from pointsman.telemetry.exemplars import of_receipt, of_statement
from pointsman.telemetry.families import Families
from pointsman.telemetry.initial_series import (
    AHEAD,
    ALL,
    BEHIND,
    CONFLICT,
    DEAD,
    DUPLICATE,
    IGNORED,
    OTHER,
    REFUSED,
    KnownLabels,
    begin_at_zero,
    begin_place,
    begin_sources,
)

#: courses and paths with a series of their own; the rest are counted together
_PLACES = 500
#: the stage of a completion that a fact is
_STAGES = {PlatformFact.COMPLETED: Stage.CONFIRMED, PlatformFact.CERTIFICATE: Stage.CERTIFICATE}


class Metrics:
    """One registry, filled by hooks as things happen and by `show` when it is scraped."""

    def __init__(self, known: KnownLabels | None = None, limits: QuotaLimits | None = None) -> None:
        self._known = known or KnownLabels()
        self._of = Families()
        self.registry = self._of.registry
        self._of.build.info({"version": __version__})
        begin_at_zero(self._of, self._known)
        if limits is not None:
            self._show_limits(limits)
        # looked up each time, and there are few: their labels are ours and the settings'
        self._inputs_of = cache(self._of.inputs.labels)
        self._http_of = cache(self._series_of_requests)
        self._deliveries_of = cache(self._of.deliveries.labels)
        self._mutations_of = cache(self._of.mutations.labels)
        self._latency_of = cache(self._of.latency.labels)
        #: counters that have an exemplar since the page was shown: one is all that is read of them
        self._with_exemplar: set[tuple[str, str]] = set()
        self._places: set[str] = set()
        self._partitions: dict[str, set[tuple[str, int]]] = {}

    def _series_of_requests(
        self, source: str, method: str, route: str, status: int
    ) -> tuple[Counter, Histogram]:
        requests = self._of.http_requests.labels(source, method, route, str(status))
        return requests, self._of.http_seconds.labels(route)

    def reconfigure(self, known: KnownLabels, limits: QuotaLimits) -> None:
        """From now on these sources have series of their own, and these limits are shown."""
        self._known = known
        begin_sources(self._of, known)
        self._show_limits(limits)

    def config(self, hash_: str, since: float, is_newest: bool) -> None:
        """Which configuration runs, since when, and whether the file was taken when last read."""
        self._of.config.info({"hash": hash_})
        self._of.config_successful.set(int(is_newest))
        self._of.config_success_timestamp.set(since)

    def _show_limits(self, limits: QuotaLimits) -> None:
        self._of.points_limit.set(limits.points)
        self._of.requests_limit.set(limits.requests)

    def inputs(self, submissions: Sequence[Submission], receipts: Sequence[Receipt]) -> None:
        for submission, receipt in zip(submissions, receipts, strict=True):
            source = self._source(submission.source)
            for outcome, count in receipt.outcomes.items():
                exemplar = None
                if (source, outcome) not in self._with_exemplar:
                    exemplar = of_receipt(submission, receipt)
                    if exemplar is not None:
                        self._with_exemplar.add((source, outcome))
                self._inputs_of(source, outcome).inc(count, exemplar)
            if receipt.duplicates:
                self._of.inputs.labels(source, DUPLICATE).inc(receipt.duplicates)
            if receipt.conflicts:
                self._of.inputs.labels(source, CONFLICT).inc(
                    len(receipt.conflicts), of_statement(receipt.conflicts[0])
                )

    def refused(self, source: str, statements: int) -> None:
        """Statements that were refused when they came: they are not in the books."""
        self._of.inputs.labels(self._source(source), REFUSED).inc(statements)

    def left_out(self, source: str, statement_id: str, left_out: LeftOut) -> None:
        """A reading that made no sense, of a statement that is stored."""
        self._of.readings_left_out.labels(self._source(source), left_out.reading).inc(
            1, of_statement(statement_id)
        )

    def forgotten_refused(self, source: str) -> None:
        """An input of a learner who was forgotten was refused."""
        self._of.forgotten_refused.labels(self._source(source)).inc()

    def clock_off(self, source: str, seconds: float) -> None:
        """A statement came whose timestamp is so far ahead of its arrival, or behind (negative)."""
        self._of.clock_off.labels(self._source(source), AHEAD if seconds > 0 else BEHIND).inc()

    def delivery(self, record: DeliveryRecord) -> None:
        outcome = record.outcome
        self._deliveries_of(outcome.answer or NOT_SENT).inc()
        self._of.points_spent.inc(outcome.points)
        self._of.requests_spent.inc(outcome.requests)
        self._of.delivery_faults.inc(outcome.faults)
        for (kind, verdict), count in outcome.verdicts.items():
            self._mutations_of(kind, verdict).inc(count)
        for seconds in outcome.seconds:
            self._of.platform_seconds.observe(seconds)
        for latency in record.latencies:
            exemplar = of_statement(latency.statement_id)
            self._latency_of(latency.kind).observe(max(0.0, latency.seconds), exemplar)
            if latency.completion_seconds is not None:
                seconds = max(0.0, latency.completion_seconds)
                self._of.completion.observe(seconds, exemplar)
                if latency.kind is TargetKind.COURSE_STATUS:
                    self._of.stage_seconds.labels(Stage.DELIVERED).observe(seconds, exemplar)

    def audit(self, record: AuditRecord) -> None:
        self._of.audited.labels(self._place(record.place), record.result).inc()

    def audit_read(self, requests: int, points: int) -> None:
        """The audit asked the platform."""
        self._of.audit_requests.inc(requests)
        self._of.audit_points.inc(points)

    def confirmed(self, name: str, taken: Sequence[TakenEvent]) -> None:
        """What became of events of the platform; `name` is that of their [[confirmations]]."""
        source = self._source(name)
        for one in taken:
            event = one.event
            if event.source is not FactSource.AUDIT:
                self._of.confirmations.labels(source, event.source, one.outcome).inc()
            if one.outcome in {EventOutcome.REPEATED, EventOutcome.UNKNOWN}:
                continue
            self._of.place_facts.labels(self._place(event.place), event.fact, event.source).inc()
            stage = _STAGES.get(event.fact)
            if stage is not None and one.seconds is not None:
                self._of.stage_seconds.labels(stage).observe(one.seconds)

    def event_ignored(self, name: str, by: FactSource) -> None:
        self._of.confirmations.labels(self._source(name), by, IGNORED).inc()

    def event_dead(self, name: str, by: FactSource) -> None:
        self._of.confirmations.labels(self._source(name), by, DEAD).inc()

    def event_refused(self, _name: str, reason: str) -> None:
        self._of.confirmations_refused.labels(reason).inc()

    def feed_read(self, name: str, requests: int, place: FeedPlace) -> None:
        """A page of a feed, or of a span of it that was asked for, and the place behind it."""
        source = self._source(name)
        self._of.feed_requests.labels(source).inc(requests)
        if place.read_until:
            self._of.feed_read_until.labels(source).set(place.read_until / MICROSECONDS)

    def _place(self, of: ReadBackPlace) -> str:
        """The label of a course or path: many are counted together."""
        place = str(of)
        if place not in self._places:
            if len(self._places) >= _PLACES:
                return OTHER
            self._places.add(place)
            begin_place(self._of, place)
        return place

    def task_restarted(self, task: str) -> None:
        self._of.task_restarts.labels(task).inc()

    def pruned(self, statements: int) -> None:
        self._of.pruned.inc(statements)

    def over_limit(self, limit: str) -> None:
        """A launched player's request was turned away by this setting of [launches.limits]."""
        self._of.over_limit.labels(limit).inc()

    def cmi5_oddity(self, kind: str) -> None:
        self._of.cmi5_oddities.labels(kind).inc()

    def commit(self, seconds: float, _submissions: int) -> None:
        self._of.commit_seconds.observe(seconds)

    def http(self, source: str, method: str, route: str, status: int, seconds: float) -> None:
        requests, took = self._http_of(source, method, route, status)
        requests.inc()
        took.observe(seconds)

    def connections(self, listener: str, count: int) -> None:
        self._of.http_connections.labels(listener).set(count)

    def failed_attempt(self, result: str) -> None:
        self._of.failed_attempts.labels(result).inc()

    def connection_closed(self, reason: str) -> None:
        self._of.http_connections_closed.labels(reason).inc()

    def kafka_lag(self, source: str, topic: str, partition: int, lag: int) -> None:
        self._partitions.setdefault(source, set()).add((topic, partition))
        self._of.kafka_lag.labels(source, topic, str(partition)).set(lag)

    def kafka_lag_of(self, source: str) -> int:
        """Messages that this replica has not read yet, of all partitions of a source."""
        return sum(
            int(sample.value)
            for metric in self._of.kafka_lag.collect()
            for sample in metric.samples
            if sample.labels["source"] == source
        )

    def kafka_assigned(self, source: str, partitions: AbstractSet[tuple[str, int]]) -> None:
        """These are this replica's; of the others somebody else tells the lag."""
        known = self._partitions.setdefault(source, set())
        for topic, partition in known - partitions:
            self._of.kafka_lag.remove(source, topic, str(partition))
        known &= partitions

    def kafka_paused(self, source: str, paused: bool) -> None:
        self._of.kafka_paused.labels(source).set(int(paused))

    def kafka_problems(self, source: str, problems: Mapping[str, str]) -> None:
        self._of.kafka_source_up.labels(source).set(int(not problems))

    def kafka_reset(self, source: str, topic: str, reason: str) -> None:
        self._of.kafka_resets.labels(source, topic, reason).inc()

    def show(
        self,
        backlog: Backlog | None,
        left: QuotaLeft,
        now: int,
        *,
        out: bool,
        paused: Collection[str] = (),
        accept: str = "",
    ) -> tuple[bytes, str]:
        """The page in the format that `accept` asks for, and its content type.

        Without a backlog the store did not answer: its gauges stay as they were.
        """
        self._of.store_up.set(int(backlog is not None))
        if backlog is not None:
            self._show_backlog(backlog, now)
        self._of.points_left.set(left.points)
        self._of.requests_left.set(left.requests)
        self._of.platform_out.set(int(out))
        for what in (ALL, *TargetKind):
            self._of.paused.labels(what).set(int(what in paused))
        self._with_exemplar.clear()
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def _show_backlog(self, backlog: Backlog, now: int) -> None:
        for kind in TargetKind:
            self._of.desired.labels(kind, "dirty").set(backlog.dirty.get(kind, 0))
            self._of.desired.labels(kind, "parked").set(backlog.parked.get(kind, 0))
        self._of.dead_letters.set(backlog.dead_letters)
        self._of.unmatched.set(backlog.unmatched)
        self._of.store_free.set(backlog.free_part)
        oldest = backlog.oldest_dirty
        self._of.oldest_dirty.set(0 if oldest is None else max(0.0, (now - oldest) / 1e6))

    def _source(self, name: str) -> str:
        """A source's name where it is one of the settings'."""
        return name if name in self._known.sources else OTHER
