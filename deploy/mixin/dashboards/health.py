"""The daemon itself: its replicas, its store, its broker, its process."""

from __future__ import annotations

from grafana_foundation_sdk.models.common import BigValueTextMode
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.mixin.panels import CHOSEN, OF_SOURCE, WINDOW, Panel, Query, dashboard, graph, number
from deploy.mixin.queries import increase, least, own, quantile, rate, shared

_CHOSEN = f"{{{CHOSEN}}}"
#: the process's own metrics, which other programs have too
_OURS = f"* on (namespace, job, instance) group_left () pointsman_build_info{_CHOSEN}"


def health() -> Dashboard:
    return dashboard(
        "health",
        "The daemon itself: replicas, store, Kafka, process.",
        [
            ("Replicas", _replicas()),
            ("Store", _store()),
            ("Kafka", _kafka()),
            ("Process", _process()),
        ],
    )


def _replicas() -> list[Panel]:
    errors = f'pointsman_http_requests_total{{{CHOSEN},status=~"5..",route!="/readyz"}}'
    return [
        number(
            "Replicas",
            "Replicas that are scraped, by version.",
            "short",
            own(f"pointsman_build_info{_CHOSEN}", "version"),
            legend="{{version}}",
            text=BigValueTextMode.VALUE_AND_NAME,
            width=6,
        ),
        number(
            "Store away",
            "1 while the store does not answer a replica; its gauges are old then.",
            "short",
            f"1 - {least(f'pointsman_store_up{_CHOSEN}')}",
            steps=[(1, "red")],
            width=6,
        ),
        number(
            "5xx in the last hour",
            "Requests that failed for a reason of ours; nothing of them was accepted.",
            "short",
            increase(errors, "1h"),
            steps=[(1, "red")],
            width=6,
        ),
        number(
            "Up for",
            "Time since the youngest replica started.",
            "s",
            f"min by (namespace, job) (time() - process_start_time_seconds {_OURS})",
            width=6,
        ),
    ]


def _store() -> list[Panel]:
    commits = "pointsman_store_commit_seconds"
    return [
        graph(
            "Time of a commit",
            "Every sender waits for one. Look at the disk when it grows.",
            "s",
            *(
                Query(quantile(part, commits, WINDOW, selector=_CHOSEN), f"{part:.0%}")
                for part in (0.5, 0.95, 0.99)
            ),
            width=8,
        ),
        graph(
            "Commits by replica",
            "Submissions that come together share a commit.",
            "cps",
            Query(rate(f"{commits}_count{_CHOSEN}", WINDOW, "instance"), "{{instance}}"),
            width=8,
        ),
        graph(
            "Statements forgotten",
            "After store.retention_days; one replica at a time does it.",
            "cps",
            Query(rate(f"pointsman_statements_pruned_total{_CHOSEN}", WINDOW), "pruned"),
            width=8,
        ),
    ]


def _kafka() -> list[Panel]:
    return [
        graph(
            "Messages behind, by source and topic",
            "Each partition is told by the replica that has it.",
            "short",
            Query(
                own(f"pointsman_kafka_lag{{{OF_SOURCE}}}", "source", "topic"),
                "{{source}} {{topic}}",
            ),
        ),
        graph(
            "Sources that hold their partitions back",
            "1 while the store does not take what Kafka brings.",
            "short",
            Query(shared(f"pointsman_kafka_paused{{{OF_SOURCE}}}", "source"), "{{source}}"),
        ),
    ]


def _process() -> list[Panel]:
    by = ("instance",)
    return [
        graph(
            "CPU by replica",
            "Cores in use; one is all that a replica's loop can have.",
            "short",
            Query(own(f"rate(process_cpu_seconds_total[{WINDOW}]) {_OURS}", *by), "{{instance}}"),
            width=8,
        ),
        graph(
            "Memory by replica",
            "Resident.",
            "bytes",
            Query(own(f"process_resident_memory_bytes {_OURS}", *by), "{{instance}}"),
            width=8,
        ),
        graph(
            "Open files by replica",
            "Connections are files too; at the limit nobody can connect.",
            "short",
            Query(own(f"process_open_fds {_OURS}", *by), "{{instance}}"),
            Query(own(f"process_max_fds {_OURS}", *by), "limit of {{instance}}"),
            width=8,
        ),
    ]
