"""Records of what the platform says by itself about a learner's course or learning path. Frozen.

Times are whole microseconds since the Unix epoch, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pointsman.domain.targets import ReadBackPlace


class PlatformFact(StrEnum):
    """What one event means, whatever the platform calls it."""

    COMPLETED = "completed"
    CERTIFICATE = "certificate"
    #: it will be granted; only the audit of a learning path says so
    CERTIFICATE_PENDING = "certificate_pending"
    CERTIFICATE_REVOKED = "certificate_revoked"
    PROGRESS_RESET = "progress_reset"
    #: the same of one topic of the course alone
    TOPIC_RESET = "topic_reset"
    STATUS_CHANGED = "status_changed"
    ACCESS_REVOKED = "access_revoked"


#: what somebody does on the platform on purpose to a whole course, against what was completed there
DELIBERATE_CHANGES = frozenset(
    {PlatformFact.PROGRESS_RESET, PlatformFact.STATUS_CHANGED, PlatformFact.ACCESS_REVOKED}
)


class FactSource(StrEnum):
    """How we came to know."""

    WEBHOOK = "webhook"
    FEED = "feed"
    AUDIT = "audit"


#: a fact, and the topic where it is one topic's alone
FactKey = tuple[PlatformFact, str]


@dataclass(frozen=True, slots=True)
class PlatformEvent:
    """One thing that happened on the platform.

    `names` are what the event calls the learner, each of which may be the name that desired state
    has. `value` is the new status of a changed course, in the words of `CourseStatus`.
    """

    names: tuple[str, ...]
    place: ReadBackPlace
    fact: PlatformFact
    at: int
    source: FactSource
    value: str = ""
    #: of a reset topic
    topic: str = ""


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact as the store keeps it: the newest time of it, and who told it first, and when.

    Of what happened again after something else undid it, "first" is the first since then.
    """

    fact: PlatformFact
    at: int
    source: FactSource
    seen_at: int
    value: str = ""
    #: of a reset topic
    topic: str = ""

    @property
    def key(self) -> FactKey:
        return self.fact, self.topic


class OnPlatformChange(StrEnum):
    """What becomes of desired state that somebody changed on the platform on purpose."""

    #: it takes the platform's value, and later work counts from there
    PLATFORM_WINS = "platform_wins"
    #: it stays as it is, is shown, and is not sent again
    SHOW = "show"
