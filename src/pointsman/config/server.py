"""[http], [store] and [logging]: the daemon itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from pointsman.config.values import Names, Section, folder_of, web_address

_SQLITE = "sqlite:///"


class Http(Section):
    """[http]: where the daemon listens, for statements, metrics and probes."""

    host: str = Field(default="0.0.0.0", min_length=1)  # noqa: S104 - it runs in a container
    port: int = Field(default=8080, ge=1, le=65535)
    #: of a request's body, decompressed
    max_body_bytes: int = Field(default=10_485_760, ge=1_024)
    max_statements: int = Field(default=1_000, ge=1)
    #: of nested objects and arrays in a body
    max_depth: int = Field(default=64, ge=8, le=1_000)
    #: web origins whose pages may send, or "*"
    cors_origins: Names = ()
    #: how long a stop may take
    drain_seconds: float = Field(default=20, ge=0, le=3_600)

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
    """[store]: where everything that was accepted is kept."""

    url: str = "sqlite:///pointsman.db"

    @field_validator("url")
    @classmethod
    def _sqlite(cls, url: str, info: ValidationInfo) -> str:
        if url.startswith(("postgresql:", "postgres:")):
            raise ValueError("is PostgreSQL, and this version has SQLite only: use sqlite:///FILE")
        path = url.removeprefix(_SQLITE)
        if path == url or not path or path == ":memory:" or path.endswith("/"):
            raise ValueError(
                "must be sqlite:///FILE (beside the configuration file) or sqlite:////FOLDER/FILE"
            )
        return _SQLITE + str((folder_of(info) / path).resolve())

    @property
    def path(self) -> Path:
        """The database's file, absolute when the settings were loaded from a file."""
        return Path(self.url.removeprefix(_SQLITE))


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class Logging(Section):
    """[logging]: to standard output."""

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    format: Literal["json", "console"] = "json"
