"""Settings [logging]: how much is logged, and in what shape."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from pointsman.setting_types import Section


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
