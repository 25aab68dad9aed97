"""Reads an event of the platform: who, where, what and when, by configured paths. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from pointsman.domain.clock import micros
from pointsman.domain.errors import InputRefused
from pointsman.domain.platform_events import FactSource, PlatformEvent, PlatformFact
from pointsman.domain.targets import CourseStatus, ReadBackPlace, Recipient
from pointsman.statements.adapters import Path
from pointsman.statements.adapters.json_paths import as_text
from pointsman.statements.adapters.json_values import timestamp
from pointsman.statements.statement import parse_timestamp

#: names of one learner that are looked at
_MOST_NAMES = 6
_LONGEST_NAME = 500


@dataclass(frozen=True, slots=True)
class EventPaths:
    """Of each, the paths of which the first with a value counts; of the learner, all count."""

    event: Sequence[Path]
    time: Sequence[Path]
    learner: Sequence[Path]
    course: Sequence[Path]
    learning_path: Sequence[Path]
    status: Sequence[Path]
    topic: Sequence[Path]


@dataclass(frozen=True, slots=True)
class EventReader:
    """`meanings` says what an event means by its name; any other says nothing here."""

    paths: EventPaths
    meanings: Mapping[str, PlatformFact]
    source: FactSource

    def read(self, item: Any) -> PlatformEvent | None:
        """None for an event that says nothing here. Raises `InputRefused`, naming the path."""
        if not isinstance(item, dict):
            raise InputRefused("an event must be a JSON object")
        name = _first(self.paths.event, item)
        if name is None:
            raise InputRefused(f"the event has no name at {_places(self.paths.event)}")
        fact = self.meanings.get(name)
        if fact is None:
            return None
        status = _first(self.paths.status, item) or ""
        if fact is PlatformFact.STATUS_CHANGED and status == CourseStatus.COMPLETED:
            fact, status = PlatformFact.COMPLETED, ""
        topic = _first(self.paths.topic, item) or ""
        if fact is PlatformFact.PROGRESS_RESET and topic:
            fact = PlatformFact.TOPIC_RESET
        return PlatformEvent(
            names=self._names(name, item),
            place=self._place(name, item),
            fact=fact,
            at=self._time(name, item),
            source=self.source,
            value=status if fact is PlatformFact.STATUS_CHANGED else "",
            topic=topic if fact is PlatformFact.TOPIC_RESET else "",
        )

    def _names(self, event: str, item: dict[str, Any]) -> tuple[str, ...]:
        """As desired state may call the learner: a mailbox is in lower case there."""
        found: dict[str, None] = {}
        for path in self.paths.learner:
            text = as_text(path.find(item, item))
            if text is not None and len(text) <= _LONGEST_NAME:
                found[text] = None
                if "@" in text:
                    found[text.removeprefix("mailto:").lower()] = None
        if not found:
            raise InputRefused(f"{event!r} names no learner at {_places(self.paths.learner)}")
        return tuple(str(Recipient.learner(name)) for name in list(found)[:_MOST_NAMES])

    def _place(self, event: str, item: dict[str, Any]) -> ReadBackPlace:
        slug = _first(self.paths.learning_path, item)
        if slug is not None:
            return ReadBackPlace.path(slug)
        course = _first(self.paths.course, item)
        if course is None:
            raise InputRefused(
                f"{event!r} names no course at {_places(self.paths.course)}, and no learning path "
                f"at {_places(self.paths.learning_path)}"
            )
        return ReadBackPlace.course(course)

    def _time(self, event: str, item: dict[str, Any]) -> int:
        try:
            texts = (timestamp(path.find(item, item)) for path in self.paths.time)
            text = next((text for text in texts if text is not None), None)
        except ValueError as error:
            raise InputRefused(f"{_places(self.paths.time)} of {event!r} {error}") from None
        if text is None:
            raise InputRefused(f"{event!r} has no time at {_places(self.paths.time)}")
        at = parse_timestamp(text)
        return micros((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def _first(paths: Sequence[Path], item: dict[str, Any]) -> str | None:
    texts = (as_text(path.find(item, item)) for path in paths)
    return next((text for text in texts if text is not None), None)


def _places(paths: Sequence[Path]) -> str:
    return " or ".join(map(str, paths))
