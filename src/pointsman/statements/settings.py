"""Settings of [http] that limit what is taken for statements, wherever they come from."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pointsman.setting_types import Section


class Limits(Section):
    """How much one body may hold."""

    #: how much larger than one statement a body may be
    STATEMENTS_OF_MOST_VALUES: ClassVar[int] = 50
    #: the setting that says how many statements
    setting: ClassVar[str] = "http.max_statements"

    #: in one request
    max_statements: int = Field(default=1_000, ge=1)
    #: objects and arrays in one statement, and fifty times as many in one body
    max_values: int = Field(default=5_000, ge=100)
    #: of nested objects and arrays in a body; what is nested deeper than 254 can't be written again
    max_depth: int = Field(default=64, ge=8, le=200)


class LaunchedLimits(Limits):
    """How much one request of a launched player may hold."""

    setting: ClassVar[str] = "launches.limits.request_statements"
