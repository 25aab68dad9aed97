"""One event of the platform, and how a webhook and the feed say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pointsman.domain.clock import micros
from pointsman.emulator.catalogue import Catalogue, Course, Learner, LearningPath
from pointsman.emulator.dates import iso, moment
from pointsman.emulator.events.kinds import BY_WEBHOOK, EventKind


@dataclass(frozen=True, slots=True)
class PlatformEvent:
    """What happened to a learner in a course or learning path. Times are in Unix seconds."""

    id: str
    kind: EventKind
    at: float
    learner: Learner
    content: Course | LearningPath
    #: counts the events from 1
    number: int
    #: from when on the feed shows it: later than `at` for an event that comes late
    shown_from: float
    #: of a reset of one topic
    topic: str | None = None
    #: of a status change: what it is now
    status: str | None = None

    @property
    def key(self) -> tuple[int, int]:
        """Its place in the feed: microseconds, then the number."""
        return micros(self.at), self.number

    def envelope(self, timestamp: float) -> dict[str, Any]:
        """The body of its webhook."""
        return {"event": self.kind.webhook, "timestamp": iso(moment(timestamp)), "data": self._data}

    @property
    def _data(self) -> dict[str, Any]:
        content = self.content
        if isinstance(content, Course):
            course = {"slug": content.slug, "sku": content.sku, "title": content.title}
            where = {"course": {"id": content.id, **course}}
        else:
            path = {"slug": content.slug, "name": content.name}
            where = {"learningPath": {"id": content.id, **path}}
        return {
            "id": self.id,
            "user": {"id": self.learner.id, "email": self.learner.email},
            **where,
            **self._details,
        }

    def feed_entry(self) -> dict[str, Any]:
        """Its object in the feed."""
        content = self.content
        title = content.title if isinstance(content, Course) else content.name
        return {
            "id": self.id,
            "companyId": "company_emulator",
            "type": self.kind.type,
            "source": self.kind.source,
            "timestamp": iso(moment(self.at)),
            "notifiableId": content.id,
            "courseSku": content.sku or "",
            "courseSlug": content.slug,
            "courseTitle": title,
            "user": self.learner.email,
            "userDetail": {"id": self.learner.id},
            **self._details,
        }

    @property
    def _details(self) -> dict[str, str]:
        details = {"topicId": self.topic, "status": self.status}
        return {name: value for name, value in details.items() if value is not None}

    def dump(self) -> dict[str, Any]:
        """As JSON's types."""
        return {
            "id": self.id,
            "kind": self.kind.webhook,
            "at": self.at,
            "learner": self.learner.email,
            "content": self.content.id,
            "number": self.number,
            "shown_from": self.shown_from,
            "topic": self.topic,
            "status": self.status,
        }


def load_event(
    dumped: dict[str, Any], catalogue: Catalogue, contents: dict[str, Course | LearningPath]
) -> PlatformEvent | None:
    """What `dump` gave; None where the learner or the content has left the catalogue."""
    learner = catalogue.learner_by_email.get(dumped["learner"])
    content = contents.get(dumped["content"])
    kind = BY_WEBHOOK.get(dumped["kind"])
    if learner is None or content is None or kind is None:
        return None
    return PlatformEvent(
        id=dumped["id"],
        kind=kind,
        at=dumped["at"],
        learner=learner,
        content=content,
        number=dumped["number"],
        shown_from=dumped["shown_from"],
        topic=dumped["topic"],
        status=dumped["status"],
    )
