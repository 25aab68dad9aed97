"""Settings [[confirmations]]: what the platform says by itself, by webhook and by its feed.

What the platform does not publish is a setting with a default (docs/platform.md, "Beside GraphQL").
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from pointsman.config.webhooks import HeaderName, JsonPathText
from pointsman.domain.platform_events import PlatformFact
from pointsman.secret_values import FileSecret
from pointsman.setting_types import (
    ExistingFile,
    OptionalStrongSecret,
    SecretFile,
    Section,
    SourceName,
    require_some,
    valid_so_far,
)

#: paths of which the first that has a value counts
Paths = Annotated[tuple[JsonPathText, ...], AfterValidator(require_some)]
Meaning = PlatformFact | Literal["ignored"]

#: what an event of a webhook, or an action of the feed, means; any other is ignored
DEFAULT_EVENTS: dict[str, PlatformFact] = {
    "course.completed": PlatformFact.COMPLETED,
    "certificate.granted": PlatformFact.CERTIFICATE,
    "certificate.revoked": PlatformFact.CERTIFICATE_REVOKED,
    "course.progress_reset": PlatformFact.PROGRESS_RESET,
    "course.status_changed": PlatformFact.STATUS_CHANGED,
    "enrollment.revoked": PlatformFact.ACCESS_REVOKED,
    "learning_path.completed": PlatformFact.COMPLETED,
    "course_completed": PlatformFact.COMPLETED,
    "certificate_granted": PlatformFact.CERTIFICATE,
    "certificate_revoked": PlatformFact.CERTIFICATE_REVOKED,
    "course_progress_reset": PlatformFact.PROGRESS_RESET,
    "course_status_changed": PlatformFact.STATUS_CHANGED,
    "course_access_revoked": PlatformFact.ACCESS_REVOKED,
    "learning_path_completed": PlatformFact.COMPLETED,
}


def _path(text: str) -> str:
    if not text.startswith("/") or "?" in text or "#" in text:
        raise ValueError(
            "must start with / and have no query: it is below the host of platform.url"
        )
    return text


class WebhookPathSettings(Section):
    """`paths` of [[confirmations]]: what stands where in the body of a webhook."""

    #: what happened
    event: Paths = ("event",)
    #: when it happened
    time: Paths = ("timestamp",)
    #: the learner's e-mail address or id on the platform
    learner: Paths = ("data.userEmail", "data.userId", "data.user.email", "data.user.id")
    #: the course's id
    course: Paths = ("data.courseId", "data.course.id")
    #: the learning path's slug
    learning_path: Paths = ("data.learningPathSlug", "data.learningPath.slug")
    #: the new one, of a status that was changed
    status: Paths = ("data.status",)
    #: where the progress of one topic alone was reset
    topic: Paths = ("data.topicId",)


class FeedPathSettings(Section):
    """`paths` of [confirmations.feed]: what stands where in one of its events."""

    #: what happened
    event: Paths = ("source", "kind")
    #: when it happened
    time: Paths = ("timestamp",)
    #: the learner's e-mail address or id on the platform
    learner: Paths = ("user", "userEmail", "userDetail.id", "userId")
    #: the course's id
    course: Paths = ("notifiableId", "courseId")
    #: the learning path's slug
    learning_path: Paths = ("learningPathSlug",)
    #: the new status, where it was changed
    status: Paths = ("status",)
    #: the topic, where its progress alone was reset
    topic: Paths = ("topicId",)


class FeedSettings(Section):
    """[confirmations.feed]: the REST list of course actions, read with platform.api_key."""

    #: below the host of platform.url
    path: Annotated[str, AfterValidator(_path)] = "/incoming/v2/events/courseAction"
    #: its limits are its own; the platform's pages name 60, 100, 120 and 600
    requests_per_minute: int = Field(default=40, ge=1, le=10_000)
    #: events in one answer
    page_size: int = Field(default=100, ge=1, le=10_000)
    #: how often it is read when nothing is left to read
    poll_seconds: float = Field(default=15, ge=1, le=3_600)
    #: how much of what was read is read again, for events that appear late
    overlap_seconds: float = Field(default=5, ge=0, le=3_600)
    #: how far back the first reading goes
    first_hours: float = Field(default=1, ge=0, le=8_760)
    #: how startDate and endDate are written
    dates: Literal["milliseconds", "iso8601"] = "milliseconds"
    #: where the list of events is in the answer
    events: Paths = ("data.APIEvents.events", "events")
    #: where the answer says how it goes on
    page_info: Paths = ("data.APIEvents.pageInfo", "pageInfo")
    #: what is where in one event
    paths: FeedPathSettings = Field(default_factory=FeedPathSettings)


class ConfirmationSettings(Section):
    """One of [[confirmations]]: webhooks at /confirmations/{name}, the feed, or both."""

    #: the last part of its address, /confirmations/{name}; labels metrics
    name: SourceName
    #: of the webhook's endpoint; without it there is no webhook
    secret_file: SecretFile = None
    #: the secret that the platform signs webhooks with
    secret: OptionalStrongSecret = None
    #: files of secrets that still open what they signed, while the platform changes to a new one
    old_secret_files: tuple[ExistingFile, ...] = ()
    #: the header with the signature
    header: HeaderName = "X-TI-Signature"
    #: how old an event may be: the platform repeats for 26.6 hours what was not taken
    tolerance_seconds: float = Field(default=100_800, gt=0, le=2_592_000)
    #: it has to be read before it is known who signed it
    max_body_bytes: int = Field(default=65_536, ge=1_024)
    #: more names of events, or other meanings, beside the defaults
    events: dict[str, Meaning] = Field(default_factory=dict)
    #: what is where in the body of a webhook
    paths: WebhookPathSettings = Field(default_factory=WebhookPathSettings)
    #: the REST list of course actions; none: it is not read
    feed: FeedSettings | None = None

    @field_validator("old_secret_files")
    @classmethod
    def _old_secrets(cls, files: tuple[Path, ...], info: ValidationInfo) -> tuple[Path, ...]:
        for path in files:
            FileSecret(path)
        if files and valid_so_far(info, "secret") and info.data["secret"] is None:
            raise ValueError("needs secret or secret_file too, the one that is used now")
        return files

    @field_validator("feed")
    @classmethod
    def _says_something(cls, feed: Any, info: ValidationInfo) -> Any:
        if feed is None and valid_so_far(info, "secret") and info.data["secret"] is None:
            raise ValueError(
                "is missing, and so are secret and secret_file; give at least one of them"
            )
        return feed

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """What bodies may be signed with."""
        if self.secret is None:
            return ()
        return (self.secret, *(FileSecret(path) for path in self.old_secret_files))

    @property
    def meanings(self) -> dict[str, PlatformFact]:
        """What each event means; any other is ignored."""
        meanings = {**DEFAULT_EVENTS, **self.events}
        return {
            name: PlatformFact(meaning)
            for name, meaning in meanings.items()
            if meaning != "ignored"
        }
