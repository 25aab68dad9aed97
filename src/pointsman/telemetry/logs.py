"""Log lines: JSON on standard output, one canonical line a delivery."""

from __future__ import annotations

import logging
import sys
from collections import Counter

import structlog

from pointsman.delivery.dispatcher import NOT_SENT, DeliveryRecord
from pointsman.domain.records import LeftOut, Reading
from pointsman.telemetry.settings import LoggingSettings

log = structlog.get_logger("pointsman.delivery")
input_log = structlog.get_logger("pointsman.inputs")

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(settings: LoggingSettings) -> None:
    """Log as `[logging]` says. Libraries' own lines come out the same way."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if settings.format == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[settings.level])
    # aiokafka tells of every heartbeat, and of what the sources say better themselves
    logging.getLogger("aiokafka").setLevel(max(_LEVELS[settings.level], logging.ERROR))


class LeftOutLog:
    """Tells of the first reading of each kind that a source sends and that makes no sense.

    A player that has one sends one with each statement. How many there are is a metric's to say.
    """

    def __init__(self) -> None:
        self._told: set[tuple[str, Reading]] = set()

    def left_out(self, source: str, statement_id: str, left_out: LeftOut) -> None:
        if (source, left_out.reading) in self._told:
            return
        self._told.add((source, left_out.reading))
        input_log.warning(
            "a reading makes no sense and is left out; further ones are only counted",
            source=source,
            reading=left_out.reading.value,
            statement_id=statement_id,
            why=left_out.reason,
            metric="pointsman_readings_left_out_total",
        )


def delivery(record: DeliveryRecord) -> None:
    """The canonical line: one learner's turn, with all that a person would ask."""
    outcome = record.outcome
    results = Counter(one.result for one in outcome.settlements)
    parked = {
        f"{one.target.kind}/{one.target.key}": one.reason
        for one in outcome.settlements
        if one.result == "parked"
    }
    slowest = max((latency.seconds for latency in record.latencies), default=None)
    line: dict[str, object] = {
        "learner": outcome.learner,
        "answer": outcome.answer or NOT_SENT,
        "requests": outcome.requests,
        "points": outcome.points,
        "platform_seconds": round(sum(outcome.seconds), 4),
        **dict(sorted(results.items())),
    }
    if slowest is not None:
        line["slowest_arrival_to_platform_seconds"] = round(slowest, 3)
    if outcome.message:
        line["words"] = outcome.message
    if parked:
        line["parked_because"] = parked
    emit = log.warning if parked or results["retry"] else log.info
    emit("delivery", **line)
