"""Keeps what hinders a source, for the log, the metrics and /readyz."""

from __future__ import annotations

from types import MappingProxyType

import structlog

from pointsman.sources.kafka.hooks import KafkaHooks

log = structlog.get_logger(__name__)


class SourceProblems:
    """What hinders one source now, by the part that it hinders: "brokers", "topic lessons".

    Each is logged whenever it is met; that a flood becomes one line is up to the logs.
    """

    def __init__(self, source: str, hooks: KafkaHooks) -> None:
        self._source = source
        self._hooks = hooks
        self._problems: dict[str, str] = {}

    @property
    def text(self) -> str:
        """All of them for a person, "" when there are none."""
        return "; ".join(f"{part}: {problem}" for part, problem in sorted(self._problems.items()))

    def has(self, part: str) -> bool:
        return part in self._problems

    def met(self, part: str, problem: str, next_step: str) -> None:
        """`part` can't be read now, for this reason."""
        log.warning(
            "kafka source can't read",
            source=self._source,
            part=part,
            problem=problem,
            next=next_step,
        )
        self.note(part, problem)

    def note(self, part: str, problem: str) -> None:
        """As `met`, where a line in the log says it already."""
        if self._problems.get(part) != problem:
            self._problems[part] = problem
            self._tell()

    def solved(self, part: str) -> None:
        if self._problems.pop(part, None) is not None:
            log.info("kafka source reads again", source=self._source, part=part)
            self._tell()

    def _tell(self) -> None:
        self._hooks.on_problems(MappingProxyType(dict(self._problems)))
