"""The kinds of events: their names in webhooks and in the REST feed.

The platform's public pages name some of them; docs/emulator.md says which are the emulator's own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EventKind:
    """`webhook` is `event` of a webhook, `source` the field of this name in the feed."""

    webhook: str
    source: str
    #: the feed's field `type`
    type: str = "status_change"


ENROLLED = EventKind("enrollment.created", "course_enrolled", "enrollment")
ACCESS_REVOKED = EventKind("enrollment.revoked", "course_access_revoked", "enrollment")
COURSE_STARTED = EventKind("course.started", "course_started")
COURSE_COMPLETED = EventKind("course.completed", "course_completed")
STATUS_CHANGED = EventKind("course.status_changed", "course_status_changed")
PROGRESS_RESET = EventKind("course.progress_reset", "course_progress_reset")
CERTIFICATE_GRANTED = EventKind("certificate.granted", "certificate_granted", "certificate")
CERTIFICATE_REVOKED = EventKind("certificate.revoked", "certificate_revoked", "certificate")
PATH_COMPLETED = EventKind("learning_path.completed", "learning_path_completed")

KINDS = (
    ENROLLED,
    ACCESS_REVOKED,
    COURSE_STARTED,
    COURSE_COMPLETED,
    STATUS_CHANGED,
    PROGRESS_RESET,
    CERTIFICATE_GRANTED,
    CERTIFICATE_REVOKED,
    PATH_COMPLETED,
)
BY_WEBHOOK = {kind.webhook: kind for kind in KINDS}
