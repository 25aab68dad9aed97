"""Settings [[sources.kafka]] and [http.kafka]: the cluster, how it knows us, and the topics."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from pointsman.setting_types import (
    ExistingFile,
    Names,
    OptionalSecret,
    SecretFile,
    Section,
    SourceName,
    listed,
    repeated,
    require_some,
    valid_so_far,
)

_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


class KafkaSecurity(Section):
    """`security` of a cluster, in the words of Kafka's own clients."""

    #: SSL encrypts; SASL logs in
    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    #: how the password is checked; with SASL only
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    #: the user; with SASL only
    username: str | None = None
    #: a file with the user's password
    password_file: SecretFile = None
    #: the user's password; with SASL only
    password: OptionalSecret = None
    #: PEM: the authority that signed the brokers' certificates; none = the system's
    ca_file: ExistingFile | None = None
    #: PEM: our own certificate, and its key
    cert_file: ExistingFile | None = None
    #: PEM: the key of cert_file
    key_file: ExistingFile | None = None

    @field_validator("sasl_mechanism", "username", "password")
    @classmethod
    def _with_sasl(cls, value: object, info: ValidationInfo) -> object:
        needed = ("protocol", "password_file") if info.field_name == "password" else ("protocol",)
        if not valid_so_far(info, *needed):
            return value
        protocol = info.data["protocol"]
        if protocol.startswith("SASL") and value in (None, ""):
            raise ValueError(f"is missing; protocol {protocol} needs it")
        if not protocol.startswith("SASL") and value is not None:
            raise ValueError(f"is of no use with protocol {protocol}; SASL_SSL would use it")
        return value

    @field_validator("ca_file", "cert_file", "key_file")
    @classmethod
    def _with_tls(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        protocol = info.data.get("protocol", "SSL")
        if path is not None and not protocol.endswith("SSL"):
            raise ValueError(f"is of no use with protocol {protocol}, which does not encrypt")
        return path

    @field_validator("key_file")
    @classmethod
    def _with_certificate(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if valid_so_far(info, "cert_file") and (path is None) != (info.data["cert_file"] is None):
            raise ValueError("and cert_file go together: give both or none")
        return path


class KafkaCluster(Section):
    """The brokers, one of which is enough to begin with."""

    #: host:port of one or more brokers
    bootstrap_servers: Names
    #: encryption, and how the brokers know us
    security: KafkaSecurity = Field(default_factory=KafkaSecurity)

    @field_validator("bootstrap_servers")
    @classmethod
    def _servers(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in require_some(servers):
            match = _SERVER.fullmatch(server)
            if not match or int((match[2] or ":9092")[1:]) not in range(1, 65_536):
                raise ValueError("must hold host:port, or host for port 9092")
        return servers


def topic_name(name: str) -> str:
    """A validator: a topic's name."""
    if not _TOPIC.fullmatch(name):
        raise ValueError(
            f"must hold names of 1-249 letters, digits, '.', '_', '-'; {name!r} is not one"
        )
    return name


class KafkaSourceSettings(KafkaCluster):
    """[[sources.kafka]]: topics that carry xAPI statements."""

    #: labels metrics and the books
    name: SourceName
    #: the topics to read
    topics: Names
    #: the consumer group; offsets are kept in the store under it
    group_id: str = Field(default="pointsman", min_length=1)
    #: where to start in a partition that was never read, and in one that is another log by now
    auto_offset_reset: Literal["earliest", "latest"] = "earliest"
    #: as of an HTTP source; the topic of [http.kafka] never does, for players' words are in it
    defines_activities: bool = True
    #: taken at once from the broker
    max_records: int = Field(default=1_000, ge=1, le=100_000)
    #: taken of one message that is an array; the rest of it becomes dead letters that can be
    #: replayed. Kafka itself limits the bytes (max.message.bytes)
    max_statements: int = Field(default=10_000, ge=1)
    #: /readyz is 503 while this source can't read; without, it says so and stays 200
    required_for_readiness: bool = False
    #: a member that is silent for so long loses its partitions to the others
    session_timeout_seconds: float = Field(default=10, ge=1, le=300)

    @field_validator("topics")
    @classmethod
    def _topics(cls, topics: tuple[str, ...]) -> tuple[str, ...]:
        for name in require_some(topics):
            topic_name(name)
        twice = repeated(topics)
        if twice is not None:
            raise ValueError(f"names {twice!r} twice")
        return topics

    @property
    def summary(self) -> str:
        """What it means, in words for a person."""
        security = self.security
        how = "unencrypted" if security.protocol.endswith("PLAINTEXT") else "over TLS"
        who = f" as {security.username} ({security.sasl_mechanism})" if security.username else ""
        return (
            f"{self.name} is read from Kafka at {listed(self.bootstrap_servers)}: topics "
            f"{listed(self.topics)}, group {self.group_id}, {how}{who}."
        )


class KafkaTopicSettings(KafkaCluster):
    """[http.kafka]: where statements go that come over HTTP, when `intake` is "kafka"."""

    #: the topic that is written
    topic: Annotated[str, AfterValidator(topic_name)]
    #: until every replica of the partition has a message
    timeout_seconds: float = Field(default=10, ge=1, le=300)


class DeliveryEventsSettings(KafkaTopicSettings):
    """[delivery_events]: a topic in which each settled delivery is told, as a CloudEvent."""

    #: `source` of the events: a URI reference that names this installation
    source: str = Field(default="pointsman", min_length=1, pattern=r"^\S+$")
