"""Grants certificates for what is complete: at once, after a time, or by an administrator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from pointsman.emulator.catalogue import Course, Learner, LearningPath
from pointsman.emulator.completion import COMPLETED
from pointsman.emulator.events import PlatformEvents, kinds
from pointsman.emulator.events.certificates import DueCertificate
from pointsman.emulator.records import LearnerRecord

Content = Course | LearningPath


class Certificates:
    """Of all learners. `of` gives a record to read, `change` one to change."""

    def __init__(
        self,
        events: PlatformEvents,
        *,
        of: Callable[[Learner], LearnerRecord],
        change: Callable[[Learner], LearnerRecord],
    ) -> None:
        self._events = events
        self._of = of
        self._change = change

    def schedule(self, learner: Learner, content: Content, completed_at: datetime) -> None:
        """Grant it when the catalogue says so, unless that is never."""
        if content.certificate_after_seconds is not None:
            due = completed_at + timedelta(seconds=content.certificate_after_seconds)
            self._events.due_certificates.add(due, learner, content, completed_at)

    def schedule_all(
        self,
        learner: Learner,
        courses: Mapping[str, Course],
        paths: Mapping[str, LearningPath],
    ) -> None:
        """Those of a record that was loaded: complete, and not granted yet."""
        record = self._of(learner)
        contents: list[Content] = [courses[name] for name in record.courses]
        contents += [paths[name] for name in record.paths]
        for content in contents:
            completed_at = _completed_at(record, content)
            if completed_at is not None and content.id not in record.certificates:
                self.schedule(learner, content, completed_at)

    def grant_due(self, certificate: DueCertificate) -> None:
        """Grant it, if what it is for has been complete since it was scheduled."""
        learner, content = certificate.learner, certificate.content
        if _completed_at(self._of(learner), content) == certificate.completed_at:
            self.grant(learner, content, at=certificate.due)

    def grant(self, learner: Learner, content: Content, *, at: datetime) -> bool:
        """Whether the learner did not have it yet."""
        if content.id in self._of(learner).certificates:
            return False
        self._change(learner).certificates[content.id] = at
        self._events.happened(kinds.CERTIFICATE_GRANTED, learner, content, at=at)
        return True

    def revoke(self, learner: Learner, content: Content, *, at: datetime) -> bool:
        """Whether the learner had it."""
        if self._change(learner).certificates.pop(content.id, None) is None:
            return False
        self._events.happened(kinds.CERTIFICATE_REVOKED, learner, content, at=at)
        return True


def _completed_at(record: LearnerRecord, content: Content) -> datetime | None:
    if isinstance(content, LearningPath):
        path = record.paths.get(content.id)
        return path.completed_at if path is not None else None
    course = record.courses.get(content.id)
    return course.changed_at if course is not None and course.status == COMPLETED else None
