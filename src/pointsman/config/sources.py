"""[[sources.http]] and [[sources.kafka]]: who may send, and where from it is read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from pointsman.config.fields import (
    Names,
    OptionalSecret,
    SecretFile,
    Section,
    given,
    repeated,
    require_some,
)
from pointsman.config.kafka import Cluster, topic
from pointsman.config.names import SourceName
from pointsman.config.scorm_cloud import ScormCloudSource
from pointsman.config.webhooks import WebhookSource


class Credential(Section):
    """What a sender shows: HTTP Basic's key and secret (RFC 7617), or a bearer (RFC 6750)."""

    #: the user name of HTTP Basic
    key: str | None = None
    secret_file: SecretFile = None
    secret: OptionalSecret = None
    bearer_file: SecretFile = None
    bearer: OptionalSecret = None

    @field_validator("key")
    @classmethod
    def _no_colon(cls, key: str | None) -> str | None:
        if key is not None and (not key or ":" in key):
            raise ValueError("must not be empty or hold a colon, which ends it in HTTP Basic")
        return key

    @field_validator("secret")
    @classmethod
    def _key_and_secret(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if given(info, "key", "secret_file") and (info.data["key"] is None) != (secret is None):
            other = "secret or secret_file" if secret is None else "key"
            raise ValueError(f"needs {other} too: key and secret go together")
        return secret

    @field_validator("bearer")
    @classmethod
    def _one_kind(cls, bearer: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        basic = info.data.get("key") is not None or info.data.get("secret") is not None
        if basic and bearer is not None:
            raise ValueError(
                "must not stand beside key and secret; make it a credential of its own"
            )
        if not basic and bearer is None and given(info, "key", "secret", "bearer_file"):
            raise ValueError("is missing; a credential is key and secret, or bearer")
        return bearer


class HttpSource(Section):
    """[[sources.http]]: a sender of xAPI statements."""

    name: SourceName
    credentials: Annotated[tuple[Credential, ...], AfterValidator(require_some)]
    #: it may send query parameters that xAPI does not know, and PUT a new profile unconditionally
    lenient: bool = False


class KafkaSource(Cluster):
    """[[sources.kafka]]: topics that carry xAPI statements."""

    name: SourceName
    topics: Names
    #: the consumer group; offsets are kept in the store under it
    group_id: str = Field(default="pointsman", min_length=1)
    #: where to start on a partition that was never read
    auto_offset_reset: Literal["earliest", "latest"] = "earliest"
    #: taken at once from the broker
    max_records: int = Field(default=1_000, ge=1, le=100_000)
    #: a member that is silent for so long loses its partitions to the others
    session_timeout_seconds: float = Field(default=10, ge=1, le=300)

    @field_validator("topics")
    @classmethod
    def _topics(cls, topics: tuple[str, ...]) -> tuple[str, ...]:
        for name in require_some(topics):
            topic(name)
        twice = repeated(topics)
        if twice is not None:
            raise ValueError(f"names {twice!r} twice")
        return topics


class Sources(Section):
    """[sources]: at least one, or launches."""

    http: tuple[HttpSource, ...] = ()
    scorm_cloud: tuple[ScormCloudSource, ...] = ()
    webhooks: tuple[WebhookSource, ...] = ()
    kafka: tuple[KafkaSource, ...] = ()

    @field_validator("http")
    @classmethod
    def _tell_senders_apart(cls, sources: tuple[HttpSource, ...]) -> tuple[HttpSource, ...]:
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
        cls, sources: tuple[ScormCloudSource, ...]
    ) -> tuple[ScormCloudSource, ...]:
        username = repeated(source.username for source in sources)
        if username is not None:
            raise ValueError(f"has the username {username!r} twice; it has to tell who sends")
        return sources

    @field_validator("kafka")
    @classmethod
    def _names_differ(
        cls, sources: tuple[KafkaSource, ...], info: ValidationInfo
    ) -> tuple[KafkaSource, ...]:
        kinds = [kind for kind in cls.model_fields if kind != "kafka"]
        if not given(info, *kinds):
            return sources
        others = [(kind, source.name) for kind in kinds for source in info.data[kind]]
        twice = repeated([*(name for _, name in others), *(source.name for source in sources)])
        if twice is not None:
            kind = " and ".join(f"sources.{kind}" for kind, name in others if name == twice)
            raise ValueError(
                f"and {kind or 'it'} have the name {twice!r} twice; each source needs its own"
            )
        return sources
