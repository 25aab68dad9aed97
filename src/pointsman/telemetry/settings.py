"""Settings [logging] and [traces]: how much is logged, in what shape, and what is traced."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from pointsman.setting_types import Section, WebAddress


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class LoggingSettings(Section):
    """[logging]: to standard output."""

    #: what is logged: this level and those above it
    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    #: json for machines, console for people
    format: Literal["json", "console"] = "json"
    #: learners by a keyed hash, which `pointsman who` finds, or by name
    learners: Literal["hashed", "plain"] = "hashed"


class TracesSettings(Section):
    """[traces]: spans of OpenTelemetry, by OTLP; OTEL_… of the environment say the rest."""

    #: needs the extra `otel`
    enabled: bool = False
    #: where spans go, as in http://otel-collector:4318/v1/traces; none = OTEL_EXPORTER_OTLP_…
    endpoint: WebAddress | None = None
    #: of the traces that begin here; those of a sender follow the sender. 1 = OTEL_TRACES_SAMPLER
    sample: float = Field(default=1, ge=0, le=1)
