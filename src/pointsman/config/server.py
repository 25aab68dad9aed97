"""[http], [store] and [logging]: the daemon itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from pointsman.config.fields import (
    Names,
    OptionalSecret,
    SecretFile,
    Section,
    folder_of,
    given,
    web_address,
)
from pointsman.config.kafka import Cluster, topic

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


class HttpKafka(Cluster):
    """[http.kafka]: where statements go that come over HTTP, when `intake` is "kafka"."""

    topic: Annotated[str, AfterValidator(topic)]
    #: until every replica of the partition has a statement
    timeout_seconds: float = Field(default=10, ge=1, le=300)


class Http(Section):
    """[http]: where the daemon listens, for statements, metrics and probes."""

    host: str = Field(default="0.0.0.0", min_length=1)  # noqa: S104 - it runs in a container
    port: int = Field(default=8080, ge=1, le=65535)
    #: of a request's body, decompressed
    max_body_bytes: int = Field(default=10_485_760, ge=1_024)
    max_statements: int = Field(default=1_000, ge=1)
    #: of nested objects and arrays in a body; what is nested deeper than 254 can't be written again
    max_depth: int = Field(default=64, ge=8, le=200)
    #: web origins whose pages may send, or "*"
    cors_origins: Names = ()
    #: how long a stop may take
    drain_seconds: float = Field(default=20, ge=0, le=3_600)
    #: what has a statement when it is answered: the store, or a topic that somebody reads
    intake: Literal["store", "kafka"] = "store"
    kafka: HttpKafka | None = None

    @field_validator("kafka")
    @classmethod
    def _where_to(cls, kafka: HttpKafka | None, info: ValidationInfo) -> HttpKafka | None:
        if not given(info, "intake"):
            return kafka
        if info.data["intake"] == "kafka" and kafka is None:
            raise ValueError(
                'is missing; intake = "kafka" needs [http.kafka] with bootstrap_servers and topic'
            )
        if info.data["intake"] == "store" and kafka is not None:
            raise ValueError('is of no use with intake = "store"; intake = "kafka" would use it')
        return kafka

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin == "*":
                continue
            web_address(origin)
            parts = urlsplit(origin)
            if parts.path or parts.query or parts.fragment:
                raise ValueError(
                    f'must hold origins such as "https://learn.example.com" or "*"; {origin!r} has '
                    "more than scheme, host and port"
                )
        return origins


class Store(Section):
    """[store]: where everything that was accepted is kept.

    A SQLite file for one daemon, or a PostgreSQL database for any number of replicas.
    """

    url: str = "sqlite:///pointsman.db"
    #: of the PostgreSQL user
    password_file: SecretFile = None
    password: OptionalSecret = None
    #: that one replica opens to PostgreSQL at most
    connections: int = Field(default=8, ge=2, le=200)
    #: statements are forgotten after that; 0 = never
    retention_days: float = Field(default=365, ge=0, le=36_500)

    @field_validator("url")
    @classmethod
    def _known(cls, url: str, info: ValidationInfo) -> str:
        if url.startswith(_POSTGRES):
            return _postgres(url)
        path = url.removeprefix(_SQLITE)
        if path == url or not path or path == ":memory:" or path.endswith("/"):
            raise ValueError(
                "must be sqlite:///FILE (beside the configuration file), sqlite:////FOLDER/FILE "
                "or postgresql://USER@HOST/DATABASE"
            )
        return _SQLITE + str((folder_of(info) / path).resolve())

    @property
    def is_shared(self) -> bool:
        """Whether replicas share it."""
        return self.url.startswith(_POSTGRES)

    @property
    def path(self) -> Path:
        """The SQLite file, absolute when the settings were loaded from a file."""
        return Path(self.url.removeprefix(_SQLITE))


def _postgres(url: str) -> str:
    """Without a password: addresses end up in logs."""
    try:
        parts = urlsplit(url)
        password, host, _ = parts.password, parts.hostname, parts.port
    except ValueError:
        raise ValueError("is no address") from None
    if password is not None or "password=" in parts.query:
        raise ValueError("must not carry a password; give store.password_file or store.password")
    if not host or not parts.username or not parts.path.strip("/"):
        raise ValueError("must be postgresql://USER@HOST/DATABASE, with :PORT where it is not 5432")
    return url


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class Logging(Section):
    """[logging]: to standard output."""

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    format: Literal["json", "console"] = "json"
