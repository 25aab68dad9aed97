"""The Prometheus metrics, and the hooks that count. Names are part of what operators rely on."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from pointsman.delivery.audit import AuditRecord
from pointsman.delivery.budget.base import QuotaLeft
from pointsman.delivery.dispatcher import DeliveryRecord
from pointsman.domain.records import Receipt, Submission
from pointsman.store.base import Backlog

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
#: courses and paths with a series of their own; the rest are counted together
_PLACES = 500
_LATENCY = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400)


class Metrics:
    """One registry, filled by hooks as things happen and by `show` when it is scraped."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._inputs = Counter(
            "pointsman_inputs",
            "Inputs by what became of them.",
            ["source", "result"],
            registry=self.registry,
        )
        self._desired = Gauge(
            "pointsman_desired",
            "Desired states that are not delivered.",
            ["kind", "state"],
            registry=self.registry,
        )
        self._dead_letters = self._gauge("dead_letters", "Inputs that could not be understood.")
        self._unmatched = self._gauge("unmatched", "Statements that no rule takes.")
        self._oldest = self._gauge("oldest_dirty_seconds", "Age of the oldest undelivered change.")
        self._deliveries = Counter(
            "pointsman_deliveries",
            "Learners' turns by the platform's answer.",
            ["answer"],
            registry=self.registry,
        )
        self._mutations = Counter(
            "pointsman_mutations",
            "Mutations by verdict.",
            ["kind", "verdict"],
            registry=self.registry,
        )
        self._points_spent = Counter(
            "pointsman_points_spent", "Points spent.", registry=self.registry
        )
        self._requests_spent = Counter(
            "pointsman_requests_spent", "Requests spent.", registry=self.registry
        )
        self._points_left = self._gauge("points_left", "Points this window still allows us.")
        self._requests_left = self._gauge("requests_left", "Requests this window still allows us.")
        self._platform_out = self._gauge("platform_out", "1 while the platform is taken as out.")
        self._platform_seconds = self._histogram(
            "platform_seconds", "Time of a request to the platform.", [], _SECONDS
        )
        self._latency = self._histogram(
            "arrival_to_platform_seconds",
            "From a change's arrival to the platform's yes.",
            ["kind"],
            _LATENCY,
        )
        self._audited = Counter(
            "pointsman_audit_findings",
            "Delivered states that were read back, by where and what became of it.",
            ["place", "result"],
            registry=self.registry,
        )
        self._places: set[str] = set()
        self._pruned = Counter(
            "pointsman_statements_pruned",
            "Statements that were kept for as long as store.retention_days says.",
            registry=self.registry,
        )
        self._cmi5_oddities = Counter(
            "pointsman_cmi5_oddities",
            "Rules of cmi5 that players broke; what they said was taken.",
            ["kind"],
            registry=self.registry,
        )
        self._commit_seconds = self._histogram(
            "store_commit_seconds", "Time of a commit.", [], _SECONDS
        )
        self._kafka_lag = Gauge(
            "pointsman_kafka_lag",
            "Messages behind the end of the partition.",
            ["source", "topic", "partition"],
            registry=self.registry,
        )
        self._kafka_paused = Gauge(
            "pointsman_kafka_paused",
            "1 while a source holds its partitions back.",
            ["source"],
            registry=self.registry,
        )
        self._http_requests = Counter(
            "pointsman_http_requests",
            "HTTP requests answered.",
            ["source", "method", "route", "status"],
            registry=self.registry,
        )
        self._http_seconds = self._histogram(
            "http_seconds", "Time to answer an HTTP request.", ["route"], _SECONDS
        )

    def inputs(self, submissions: Sequence[Submission], receipts: Sequence[Receipt]) -> None:
        for submission, receipt in zip(submissions, receipts, strict=True):
            for outcome, count in receipt.outcomes.items():
                self._inputs.labels(submission.source, outcome.value).inc(count)
            if receipt.duplicates:
                self._inputs.labels(submission.source, "duplicate").inc(receipt.duplicates)
            if receipt.conflicts:
                self._inputs.labels(submission.source, "conflict").inc(len(receipt.conflicts))

    def delivery(self, record: DeliveryRecord) -> None:
        outcome = record.outcome
        self._deliveries.labels(outcome.answer.value if outcome.answer else "not_sent").inc()
        self._points_spent.inc(outcome.points)
        self._requests_spent.inc(outcome.requests)
        for (kind, verdict), count in outcome.verdicts.items():
            self._mutations.labels(kind.value, verdict.value).inc(count)
        for seconds in outcome.seconds:
            self._platform_seconds.observe(seconds)
        for kind, seconds in record.latencies:
            self._latency.labels(kind.value).observe(max(0.0, seconds))

    def audit(self, record: AuditRecord) -> None:
        place = str(record.place)
        if place not in self._places:
            if len(self._places) >= _PLACES:
                place = "other"
            self._places.add(place)
        self._audited.labels(place, record.result.value).inc()

    def pruned(self, statements: int) -> None:
        self._pruned.inc(statements)

    def cmi5_oddity(self, kind: str) -> None:
        self._cmi5_oddities.labels(kind).inc()

    def commit(self, seconds: float, _submissions: int) -> None:
        self._commit_seconds.observe(seconds)

    def http(self, source: str, method: str, route: str, status: int, seconds: float) -> None:
        self._http_requests.labels(source, method, route, str(status)).inc()
        self._http_seconds.labels(route).observe(seconds)

    def kafka_lag(self, source: str, topic: str, partition: int, lag: int) -> None:
        self._kafka_lag.labels(source, topic, str(partition)).set(lag)

    def kafka_paused(self, source: str, paused: bool) -> None:
        self._kafka_paused.labels(source).set(int(paused))

    def refused(self, source: str, statements: int) -> None:
        """Statements that were turned away at the door: they are in nobody's books."""
        self._inputs.labels(source, "refused").inc(statements)

    def show(
        self, backlog: Backlog | None, quota: QuotaLeft, now: int, *, out: bool
    ) -> tuple[bytes, str]:
        """The page, and its content type. Without a backlog its gauges stay as they were."""
        if backlog is not None:
            for kind, count in backlog.dirty.items():
                self._desired.labels(kind.value, "dirty").set(count)
            for kind, count in backlog.parked.items():
                self._desired.labels(kind.value, "parked").set(count)
            self._dead_letters.set(backlog.dead_letters)
            self._unmatched.set(backlog.unmatched)
            oldest = backlog.oldest_dirty
            self._oldest.set(0 if oldest is None else max(0.0, (now - oldest) / 1e6))
        self._points_left.set(quota.points)
        self._requests_left.set(quota.requests)
        self._platform_out.set(int(out))
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def _gauge(self, name: str, help_text: str) -> Gauge:
        return Gauge(f"pointsman_{name}", help_text, registry=self.registry)

    def _histogram(
        self, name: str, help_text: str, labels: Sequence[str], buckets: Sequence[float]
    ) -> Histogram:
        return Histogram(
            f"pointsman_{name}", help_text, labels, buckets=buckets, registry=self.registry
        )
