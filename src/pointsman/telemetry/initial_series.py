"""Makes the series of all label values that are known at the start, so that they begin at 0.

`increase()` and `rate()` see what changes between two samples. A counter that appears with its
first event has no sample before it, so an alert would miss just that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from pointsman.delivery.delivery_record import NOT_SENT
from pointsman.domain.records import InputOutcome, Reading
from pointsman.domain.targets import TargetKind
from pointsman.platforms.base import RequestOutcome, Verdict
from pointsman.store.base import Audited
from pointsman.store.confirmation_records import EventOutcome, Stage
from pointsman.telemetry.families import Families

#: what is counted of inputs beside what became of them in the books
DUPLICATE, CONFLICT, REFUSED = "duplicate", "conflict", "refused"
#: events that say nothing here, and that make no sense
IGNORED, DEAD = "ignored", "dead"
#: what is paused when everything is
ALL = "all"
#: how a timestamp can be off
AHEAD, BEHIND = "ahead", "behind"
#: in place of a label value that is not known, so that nobody outside can make series
OTHER = "other"
#: the daemon's parts that are started again when they end
TASKS = ("audit", "configuration", "delivery", "housekeeping", "new tokens", "tokens")
#: the answers to a request that sends statements, and those of the service itself
_STATUSES = (
    *("200", "201", "204"),
    *("400", "401", "403", "404", "408", "409", "413", "415"),
    *("500", "503"),
)


@dataclass(frozen=True, slots=True)
class IntakeRoute:
    """Where a source sends what it has; the source is "" for requests nobody can be named for."""

    method: str
    route: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownLabels:
    """What the settings say of label values.

    - sources: the name of each, with `launch` where players are launched
    - kafka: those of them that read from Kafka
    - kafka_topics: (source, topic) of those
    - kafka_resets: the reasons why a place in a topic is given up
    - launch_limits: the settings of [launches.limits], where players are launched
    - listeners: the sections of the settings that have a port
    - closings: the reasons why a connection is closed from here
    - attempts: what becomes of credentials that are not known
    - confirming: the names of [[confirmations]]
    - refused_events: why a webhook of the platform is turned away
    - oddities: the rules of cmi5 that are counted when a player breaks them
    """

    sources: frozenset[str] = frozenset()
    kafka: frozenset[str] = frozenset()
    routes: tuple[IntakeRoute, ...] = ()
    oddities: tuple[str, ...] = ()
    kafka_topics: frozenset[tuple[str, str]] = frozenset()
    kafka_resets: tuple[str, ...] = ()
    launch_limits: tuple[str, ...] = ()
    listeners: tuple[str, ...] = ()
    closings: tuple[str, ...] = ()
    attempts: tuple[str, ...] = ()
    confirming: tuple[str, ...] = ()
    refused_events: tuple[str, ...] = ()


def begin_at_zero(families: Families, known: KnownLabels) -> None:
    """Make every series whose labels are known."""
    begin_sources(families, known)
    families.store_free.set(1)
    families.config_successful.set(1)
    families.config.info({"hash": ""})
    for kind in known.oddities:
        families.cmi5_oddities.labels(kind)
    for limit in known.launch_limits:
        families.over_limit.labels(limit)
    for listener in known.listeners:
        families.http_connections.labels(listener)
    for result in known.attempts:
        families.failed_attempts.labels(result)
    for reason in known.refused_events:
        families.confirmations_refused.labels(reason)
    for stage in (Stage.DELIVERED, Stage.CONFIRMED, Stage.CERTIFICATE):
        families.stage_seconds.labels(stage)
    for reason in known.closings:
        families.http_connections_closed.labels(reason)
    _begin_kafka(families, known)
    _begin_delivery(families)
    begin_place(families, OTHER)
    for task in TASKS:
        families.task_restarts.labels(task)


def begin_sources(families: Families, known: KnownLabels) -> None:
    """Make the series of sources; those that are there stay as they are."""
    for source in known.sources:
        _begin_source(families, source)
    for name in known.confirming:
        families.feed_requests.labels(name)
        for by, result in product(("webhook", "feed"), (*EventOutcome, IGNORED, DEAD)):
            families.confirmations.labels(name, by, result)
    for route in known.routes:
        families.http_seconds.labels(route.route)
        for source, status in product(route.sources, _STATUSES):
            families.http_requests.labels(source, route.method, route.route, status)


def _begin_delivery(families: Families) -> None:
    for what in (ALL, *TargetKind):
        families.paused.labels(what)
    for target in TargetKind:
        families.latency.labels(target)
        for state in ("dirty", "parked"):
            families.desired.labels(target, state)
        for verdict in Verdict:
            families.mutations.labels(target, verdict)
    for answer in (*RequestOutcome, NOT_SENT):
        families.deliveries.labels(answer)


def _begin_source(families: Families, source: str) -> None:
    families.forgotten_refused.labels(source)
    for result in (*InputOutcome, DUPLICATE, CONFLICT, REFUSED):
        families.inputs.labels(source, result)
    for reading in Reading:
        families.readings_left_out.labels(source, reading)
    for direction in (AHEAD, BEHIND):
        families.clock_off.labels(source, direction)


def _begin_kafka(families: Families, known: KnownLabels) -> None:
    for source in known.kafka:
        families.kafka_paused.labels(source)
        families.kafka_source_up.labels(source).set(1)
    for (source, topic), reason in product(sorted(known.kafka_topics), known.kafka_resets):
        families.kafka_resets.labels(source, topic, reason)


def begin_place(families: Families, place: str) -> None:
    """The audit's series of a course or path."""
    for result in Audited:
        families.audited.labels(place, result)
