"""Settings [sources]: all of them, and the rules between them."""

from __future__ import annotations

from pydantic import ValidationInfo, field_validator

from pointsman.config.scorm_cloud import ScormCloudSettings
from pointsman.config.webhooks import WebhookSettings
from pointsman.setting_types import (
    Section,
    repeated,
    valid_so_far,
)
from pointsman.sources.http.settings import HttpSourceSettings
from pointsman.sources.kafka.settings import KafkaSourceSettings


class SourceSettings(Section):
    """[sources]: at least one, or launches."""

    http: tuple[HttpSourceSettings, ...] = ()
    scorm_cloud: tuple[ScormCloudSettings, ...] = ()
    webhooks: tuple[WebhookSettings, ...] = ()
    kafka: tuple[KafkaSourceSettings, ...] = ()

    @field_validator("http")
    @classmethod
    def _tell_senders_apart(
        cls, sources: tuple[HttpSourceSettings, ...]
    ) -> tuple[HttpSourceSettings, ...]:
        credentials = [credential for source in sources for credential in source.credentials]
        key = repeated(c.key for c in credentials if c.key is not None)
        if key is not None:
            raise ValueError(f"has the key {key!r} twice; it has to tell who sends")
        if repeated(c.bearer.get_secret_value() for c in credentials if c.bearer) is not None:
            raise ValueError("has one bearer twice; it has to tell who sends")
        return sources

    @field_validator("scorm_cloud")
    @classmethod
    def _tell_applications_apart(
        cls, sources: tuple[ScormCloudSettings, ...]
    ) -> tuple[ScormCloudSettings, ...]:
        username = repeated(source.username for source in sources)
        if username is not None:
            raise ValueError(f"has the username {username!r} twice; it has to tell who sends")
        return sources

    @field_validator("kafka")
    @classmethod
    def _names_differ(
        cls, sources: tuple[KafkaSourceSettings, ...], info: ValidationInfo
    ) -> tuple[KafkaSourceSettings, ...]:
        kinds = [kind for kind in cls.model_fields if kind != "kafka"]
        if not valid_so_far(info, *kinds):
            return sources
        others = [(kind, source.name) for kind in kinds for source in info.data[kind]]
        twice = repeated([*(name for _, name in others), *(source.name for source in sources)])
        if twice is not None:
            kind = " and ".join(f"sources.{kind}" for kind, name in others if name == twice)
            raise ValueError(
                f"and {kind or 'it'} have the name {twice!r} twice; each source needs its own"
            )
        return sources
