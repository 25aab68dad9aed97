"""Every metric of the daemon: its name, labels and buckets. docs/metrics.md says what each means.

Names are part of what operators rely on. Nothing here counts; `metrics` does.
"""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LATENCY = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400)


class Families:
    """The metrics of one registry, those of the process and of Python among them."""

    def __init__(self) -> None:
        # a series more for each counter and bucket, and Prometheus makes little of them
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.build = Info("pointsman_build", "The version that runs.", registry=self.registry)

        self.config = Info(
            "pointsman_config", "The configuration that runs, by its hash.", registry=self.registry
        )
        self.config_successful = self._gauge(
            "config_last_reload_successful",
            "1 when the configuration's file was taken when it was last read.",
        )
        self.config_success_timestamp = self._gauge(
            "config_last_reload_success_timestamp_seconds",
            "When the configuration that runs was taken.",
        )
        self.inputs = self._counter("inputs", "Inputs by what became of them.", "source", "result")
        self.readings_left_out = self._counter(
            "readings_left_out",
            "Readings that made no sense; what else the input says was done.",
            "source",
            "reading",
        )
        self.forgotten_refused = self._counter(
            "forgotten_refused", "Inputs of learners who were forgotten, refused.", "source"
        )
        self.http_requests = self._counter(
            "http_requests", "HTTP requests answered.", "source", "method", "route", "status"
        )
        self.http_seconds = self._histogram(
            "http_seconds", "Time to answer an HTTP request.", _SECONDS, "route"
        )
        self.over_limit = self._counter(
            "launch_limits",
            "Requests of launched players that a setting of [launches.limits] turned away.",
            "limit",
        )
        self.http_connections = self._gauge(
            "http_connections", "Connections that are open.", "listener"
        )
        self.http_connections_closed = self._counter(
            "http_connections_closed", "Connections that were closed or refused here.", "reason"
        )
        self.failed_attempts = self._counter(
            "failed_attempts", "Credentials that were tried and are not known.", "result"
        )
        self.cmi5_oddities = self._counter(
            "cmi5_oddities", "Rules of cmi5 that players broke.", "kind"
        )
        self.clock_off = self._counter(
            "clock_off",
            "Statements whose timestamp is far ahead of their arrival, or behind it.",
            "source",
            "direction",
        )
        self.kafka_lag = self._gauge(
            "kafka_lag",
            "Messages behind the end of the partition.",
            "source",
            "topic",
            "partition",
        )
        self.kafka_paused = self._gauge(
            "kafka_paused", "1 while a source holds its partitions back.", "source"
        )
        self.kafka_source_up = self._gauge(
            "kafka_source_up", "1 while all topics of a source can be read.", "source"
        )
        self.kafka_resets = self._counter(
            "kafka_resets", "Places that were given up, by reason.", "source", "topic", "reason"
        )

        self.store_up = self._gauge(
            "store_up", "1 when the store answered this scrape; without it its gauges are old."
        )
        self.store_free = self._gauge(
            "store_free_ratio",
            "The part of the store's volume that is free; 1 for a database on another machine.",
        )
        self.commit_seconds = self._histogram("store_commit_seconds", "Time of a commit.", _SECONDS)
        self.desired = self._gauge(
            "desired", "Desired states that are not delivered.", "kind", "state"
        )
        self.dead_letters = self._gauge("dead_letters", "Inputs that could not be understood.")
        self.unmatched = self._gauge("unmatched", "Statements that no rule takes.")
        self.oldest_dirty = self._gauge(
            "oldest_dirty_seconds", "Age of the oldest undelivered change."
        )
        self.pruned = self._counter(
            "statements_pruned", "Statements that were kept for as long as retention_days says."
        )

        self.deliveries = self._counter(
            "deliveries", "Learners' turns by the platform's answer.", "answer"
        )
        self.mutations = self._counter("mutations", "Mutations by verdict.", "kind", "verdict")
        self.platform_seconds = self._histogram(
            "platform_seconds", "Time of a request to the platform.", _SECONDS
        )
        self.latency = self._histogram(
            "arrival_to_platform_seconds",
            "From the arrival of the first undelivered change to the platform's yes.",
            _LATENCY,
            "kind",
        )
        self.completion = self._histogram(
            "completion_delivery_seconds",
            "From a completion's arrival to the platform's yes.",
            _LATENCY,
        )
        self.paused = self._gauge(
            "delivery_paused", "1 while an operator has paused the delivery of it.", "what"
        )
        self.platform_out = self._gauge("platform_out", "1 while the platform is taken to be out.")
        self.audited = self._counter(
            "audit_findings",
            "Delivered states that were read back, by where and what became of it.",
            "place",
            "result",
        )

        self._make_confirmations()
        self.delivery_faults = self._counter(
            "delivery_faults", "Exceptions of ours that a delivery ended with."
        )
        self.task_restarts = self._counter(
            "task_restarts",
            "Background tasks that ended in an error and were started again.",
            "task",
        )

        self.points_spent = self._counter("points_spent", "Points spent.")
        self.requests_spent = self._counter("requests_spent", "Requests spent.")
        self.points_left = self._gauge("points_left", "Points this window still allows us.")
        self.requests_left = self._gauge("requests_left", "Requests this window still allows us.")
        self.points_limit = self._gauge("points_limit", "Points a whole window allows us.")
        self.requests_limit = self._gauge("requests_limit", "Requests a whole window allows us.")

    def _make_confirmations(self) -> None:
        """What the platform says by itself, and what asking it cost."""
        self.confirmations = self._counter(
            "confirmations",
            "Events of the platform by how they came and what became of them.",
            "source",
            "by",
            "result",
        )
        self.confirmations_refused = self._counter(
            "confirmations_refused", "Webhooks of the platform that were turned away.", "reason"
        )
        self.place_facts = self._counter(
            "platform_facts",
            "What became known of learners' courses and paths, by where and by whom.",
            "place",
            "fact",
            "by",
        )
        self.stage_seconds = self._histogram(
            "completion_stage_seconds",
            "From the arrival of a completion of a course to each stage of it.",
            _LATENCY,
            "stage",
        )
        self.feed_requests = self._counter(
            "feed_requests", "Requests to the platform's feed.", "source"
        )
        self.feed_read_until = self._gauge(
            "feed_read_until_timestamp_seconds", "Up to when the platform's feed is read.", "source"
        )
        self.audit_requests = self._counter("audit_requests", "Requests that read back.")
        self.audit_points = self._counter("audit_points", "Points that reading back cost.")

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"pointsman_{name}", help_text, labels, registry=self.registry)

    def _gauge(self, name: str, help_text: str, *labels: str) -> Gauge:
        return Gauge(f"pointsman_{name}", help_text, labels, registry=self.registry)

    def _histogram(
        self, name: str, help_text: str, buckets: Sequence[float], *labels: str
    ) -> Histogram:
        return Histogram(
            f"pointsman_{name}", help_text, labels, buckets=buckets, registry=self.registry
        )
