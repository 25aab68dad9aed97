"""A learning path to be made, read from a TOML or JSON file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pointsman.domain.errors import ConfigError
from pointsman.text_files import read_text


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewMilestone(_Entry):
    """`MilestoneInput`, by the names of the reference page's example."""

    name: str = Field(min_length=1)
    kind: Literal["content", "competencyAssessment"] = "content"
    requirement: Literal["required", "elective"] = "required"
    course_ids: tuple[str, ...] = ()

    def as_input(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "requirement": self.requirement,
            "courseIds": list(self.course_ids),
        }


class NewPath(_Entry):
    name: str = Field(min_length=1)
    #: a BCP 47 language code
    language: str | None = None
    client_id: str | None = None
    milestones: tuple[NewMilestone, ...] = Field(min_length=1)


def read_new_path(path: Path) -> NewPath:
    """Raises `ConfigError` with a line for each mistake."""
    try:
        text = read_text(path)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    try:
        entries = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(f"{path}: can't be read: {error}") from error
    try:
        return NewPath.model_validate(entries)
    except ValidationError as error:
        lines = []
        for detail in error.errors(include_url=False):
            key = "".join(
                f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]
            )
            lines.append(f"{path}: {key.lstrip('.')}: {detail['msg']}")
        raise ConfigError("\n".join(lines)) from None
