"""Settings [logging]: how much is logged, and in what shape."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from pointsman.setting_types import Section


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class LoggingSettings(Section):
    """[logging]: to standard output."""

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    format: Literal["json", "console"] = "json"
    #: learners by a keyed hash, which `pointsman who` finds, or by name
    learners: Literal["hashed", "plain"] = "hashed"
