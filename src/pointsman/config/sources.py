"""Settings [sources]: all of them, and the rules between them."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationInfo, field_validator

from pointsman.config.scorm_cloud import ScormCloudSettings
from pointsman.config.webhooks import WebhookSettings
from pointsman.setting_types import (
    Section,
    repeated,
)
from pointsman.sources.http.settings import HttpSourceSettings
from pointsman.sources.kafka.settings import KafkaSourceSettings


class SourceSettings(Section):
    """[sources]: at least one, or launches. Each key is a kind of source."""

    #: senders of xAPI statements
    http: tuple[HttpSourceSettings, ...] = ()
    #: applications of SCORM Cloud that post registrations
    scorm_cloud: tuple[ScormCloudSettings, ...] = ()
    #: systems that post signed JSON
    webhooks: tuple[WebhookSettings, ...] = ()
    #: Kafka topics that carry xAPI statements
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

    @field_validator("*")
    @classmethod
    def _names_differ(cls, sources: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        earlier = [(kind, source.name) for kind in info.data for source in info.data[kind]]
        twice = repeated([*(name for _, name in earlier), *(source.name for source in sources)])
        if twice is None:
            return sources
        kinds = " and ".join(f"sources.{kind}" for kind, name in earlier if name == twice)
        names = f"and {kinds} have" if kinds else "has"
        raise ValueError(f"{names} the name {twice!r} twice; each source needs its own")

    @property
    def names(self) -> frozenset[str]:
        """Of all sources, whatever their kind."""
        return frozenset(
            source.name for kind in type(self).model_fields for source in getattr(self, kind)
        )

    @property
    def readers(self) -> tuple[KafkaSourceSettings, ...]:
        """Those that read by themselves; to the others somebody sends."""
        return self.kafka
