"""Sets up the log: JSON or plain lines on standard output."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

import structlog

from pointsman.domain.clock import Clock, SystemClock
from pointsman.domain.visible_text import visible
from pointsman.telemetry.learner_hashes import LearnerHashes
from pointsman.telemetry.repeated_lines import RepeatedLines
from pointsman.telemetry.settings import LoggingSettings

#: of this process, as its log is; the daemon gives it the installation's secret
LEARNER_HASHES = LearnerHashes()
#: fields of more than one line, and what these have
_MANY_LINES, _OF_TRACEBACKS = frozenset({"exception", "stack"}), "\n\t"
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(
    settings: LoggingSettings,
    clock: Clock | None = None,
    processors: Sequence[structlog.typing.Processor] = (),
) -> None:
    """Log as `[logging]` says. Libraries' own lines come out the same way.

    `processors` see each line too, where it is written.

    A line that comes again and again is shown ever more seldom (`repeated_lines`).
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        *processors,
    ]
    renderer: list[structlog.typing.Processor] = [structlog.processors.format_exc_info]
    if settings.learners == "hashed":
        renderer.append(LEARNER_HASHES)
    if settings.format == "json":
        renderer.append(structlog.processors.JSONRenderer())
    else:
        renderer.append(_show_as_escapes)
        renderer.append(
            structlog.dev.ConsoleRenderer(
                colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
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
    handler.addFilter(RepeatedLines(clock or SystemClock()))
    logging.getLogger().handlers[:] = [handler]
    set_level(settings)


def set_level(settings: LoggingSettings) -> None:
    """Log as much as `[logging]` says from now on."""
    logging.getLogger().setLevel(_LEVELS[settings.level])
    # aiokafka tells of every heartbeat, and of what the sources say better themselves
    logging.getLogger("aiokafka").setLevel(max(_LEVELS[settings.level], logging.ERROR))


def _show_as_escapes(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """What can't be seen, for it may be a command to the terminal; JSON escapes it by itself."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = visible(value, keep=_OF_TRACEBACKS if name in _MANY_LINES else "")
    return event
