"""Settings of the sources become the stages that take input in: pipeline, consumers, producer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial

from pointsman.config import Settings
from pointsman.domain.clock import Clock
from pointsman.domain.errors import Bug
from pointsman.domain.log_positions import Position
from pointsman.domain.records import LeftOut, Receipt, Submission
from pointsman.sources.base import Source
from pointsman.sources.kafka.hooks import KafkaHooks
from pointsman.sources.kafka.producer import TopicProducer
from pointsman.sources.kafka.source import KafkaSource
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.players import LaunchCache
from pointsman.sources.players.cmi5.satisfied import SatisfiedTracker
from pointsman.sources.refused_learners import RefusedLearners
from pointsman.store.base import IngestStore, Store
from pointsman.telemetry.metrics import Metrics
from pointsman.wiring.adapters import adapters
from pointsman.wiring.mapping import identity, mapping
from pointsman.wiring.traces import NO_TRACES, Traces

#: the route, in metrics and log, of what is no request
MALFORMED = "malformed"


def defining_sources(settings: Settings) -> list[str]:
    """Those that may say what an activity is: never what players say, by whichever way it came."""
    sources, forwarded = settings.sources, settings.http.kafka
    return [
        *(source.name for source in sources.http if source.defines_activities),
        *(source.name for source in sources.scorm_cloud),
        *(source.name for source in sources.webhooks),
        *(
            source.name
            for source in sources.kafka
            if source.defines_activities
            and (forwarded is None or forwarded.topic not in source.topics)
        ),
    ]


def pipeline(
    settings: Settings,
    store: Store,
    clock: Clock,
    on_receipts: Callable[[Sequence[Submission], Sequence[Receipt]], None] = lambda *_: None,
    launches: LaunchCache | None = None,
    tracker: SatisfiedTracker | None = None,
    on_left_out: Callable[[str, str, LeftOut], None] = lambda *_: None,
    on_clock_off: Callable[[str, str, float], None] = lambda *_: None,
    watch: Callable[[IngestStore], IngestStore] = lambda store: store,
    refused: RefusedLearners | None = None,
    on_name: Callable[[str], None] = lambda _name: None,
) -> Pipeline:
    """`launches` are looked up in the store where they are not given.

    `tracker` stands before the store, and passes on what it takes; `watch` before both.
    """
    if launches is None and settings.launches is not None:
        launches = LaunchCache(store, clock)
    return Pipeline(
        watch(tracker or store),
        mapping(settings),
        settings.http,
        clock,
        on_receipts,
        settings.platform.origin,
        launches=launches,
        adapters=adapters(settings.sources, store.statement_ids),
        ids=store.statement_ids,
        on_batch=tracker.note if tracker is not None else lambda _batch: None,
        on_left_out=on_left_out,
        on_clock_off=on_clock_off,
        refused=refused,
        on_name=on_name,
    )


def refused_learners(
    settings: Settings,
    store: Store,
    clock: Clock,
    on_refused: Callable[[str], None] = lambda _source: None,
) -> RefusedLearners:
    """Whose input is not taken; it has to be read before it knows anybody."""
    return RefusedLearners(store, identity(settings).resolve, clock, on_refused)


class _NoStore:
    """For statements that are looked at, and not stored; it knows no launches."""

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        raise Bug(f"{len(submissions)} submissions were to be stored where nothing is")


def pipeline_without_store(settings: Settings, clock: Clock) -> Pipeline:
    """For deciding about statements by the rules alone."""
    return Pipeline(
        _NoStore(),
        mapping(settings),
        settings.http,
        clock,
        lambda *_: None,
        settings.platform.origin,
    )


def statement_producer(settings: Settings, clock: Clock) -> TopicProducer | None:
    """The topic that statements over HTTP go to; None where they go to the store."""
    kafka = settings.http.kafka
    if kafka is None:
        return None
    return TopicProducer(kafka, clock, "http.kafka", "posts get a 503 meanwhile")


def readers(
    settings: Settings,
    intake: Pipeline,
    claim: Callable[[str, Sequence[tuple[str, int]]], Awaitable[list[Position]]],
    clock: Clock,
    metrics: Metrics,
    traces: Traces = NO_TRACES,
) -> Iterator[Source]:
    """The sources that read by themselves, of every kind; nothing runs yet."""
    for source in settings.sources.kafka:
        hooks = KafkaHooks(
            on_lag=partial(metrics.kafka_lag, source.name),
            on_assigned=partial(metrics.kafka_assigned, source.name),
            on_paused=partial(metrics.kafka_paused, source.name),
            on_problems=partial(metrics.kafka_problems, source.name),
            on_reset=partial(metrics.kafka_reset, source.name),
        )
        yield KafkaSource(source, traces.reader(intake, source), claim, clock, hooks)
