"""The JSON Schema of the configuration file, with the settings' own comments as descriptions.

An editor completes and checks `pointsman.toml` with it, and the reference on the documentation's
site is made of it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from pointsman.config.settings import Settings

_FIELD = re.compile(r"    (\w+):")
_COMMENT = "    #: "


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of the whole file. Rules between settings are not in it."""
    schema = Settings.model_json_schema()
    # launches alone are a source too
    schema["required"].remove("sources")
    definitions = schema["$defs"]
    for section in _sections(Settings, set()):
        described = schema if section is Settings else definitions[section.__name__]
        comments = field_comments(section)
        for name, setting in described["properties"].items():
            setting.pop("title", None)
            if name in comments:
                setting["description"] = comments[name]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "pointsman.toml",
        "description": "The configuration of pointsman.",
    }


def field_comments(section: type[BaseModel]) -> dict[str, str]:
    """The `#:` comments of a section's settings, also of those that it inherits."""
    comments: dict[str, str] = {}
    for owner in reversed(section.__mro__):
        if issubclass(owner, BaseModel) and owner is not BaseModel:
            comments.update(_own_comments(owner))
    return {name: text for name, text in comments.items() if name in section.model_fields}


def _own_comments(owner: type[BaseModel]) -> Iterator[tuple[str, str]]:
    comment: list[str] = []
    for line in inspect.getsource(owner).splitlines():
        if line.startswith(_COMMENT):
            comment.append(line.removeprefix(_COMMENT).strip())
            continue
        if comment and (field := _FIELD.match(line)):
            yield field[1], " ".join(comment)
        comment = []


def _sections(section: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """This one and all that it holds, each once."""
    if section in seen:
        return
    seen.add(section)
    yield section
    for field in section.model_fields.values():
        for inner in _models(field.annotation):
            yield from _sections(inner, seen)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Sections in a type such as `tuple[RuleSettings, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
