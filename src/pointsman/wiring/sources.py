"""Settings of the sources become the parts that bring input in: consumers and the producer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial

from pointsman.config import Settings
from pointsman.domain.clock import Clock
from pointsman.domain.log_positions import Position
from pointsman.sources.base import Source
from pointsman.sources.kafka.hooks import KafkaHooks
from pointsman.sources.kafka.producer import TopicProducer
from pointsman.sources.kafka.source import READ_AHEAD, KafkaSource
from pointsman.sources.pipeline import Pipeline
from pointsman.telemetry.metrics import Metrics
from pointsman.wiring.tracing import NO_TRACES, Traces

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
        yield KafkaSource(
            source,
            traces.reader(intake, source),
            claim,
            clock,
            hooks,
            # SQLite's thread and reading want the same interpreter; PostgreSQL works elsewhere
            read_ahead=READ_AHEAD if settings.store.is_shared else 0,
        )
