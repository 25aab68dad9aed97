"""Settings from environment variables: POINTSMAN_PLATFORM__URL is `platform.url`.

A list or a table can be given whole, as JSON. What is not a setting but starts with the prefix is
left alone where it has no `__`: Kubernetes puts POINTSMAN_PORT and its like into every pod beside
a service of this name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from pointsman.config.settings import Settings

PREFIX = "POINTSMAN_"
DELIMITER = "__"
#: keys of which one is chosen: the environment's choice takes the place of the file's
_ALTERNATIVES: dict[tuple[str, ...], frozenset[str]] = {
    ("learners", "tokens"): frozenset({"inline", "file", "service", "login"})
}


class _Schema(Settings, BaseSettings):
    """The settings as pydantic-settings wants them; never made, only looked at."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter=DELIMITER)


class _Variables(EnvSettingsSource):
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """JSON where it is JSON; else the text, which is a list with commas or refused later."""
        try:
            decoded = super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value
        return decoded if isinstance(decoded, list | dict) else value


def from_environment() -> dict[str, Any]:
    """The tree of settings that the environment gives, unchecked."""
    return _Variables(_Schema)()


def variables() -> dict[tuple[str, ...], str]:
    """Each setting that the environment gives, and the name of its variable."""
    return {
        tuple(name[len(PREFIX) :].lower().split(DELIMITER)): name
        for name in os.environ
        if name.upper().startswith(PREFIX)
    }


def unknown_variables() -> Iterator[str]:
    """A complaint about each variable that looks like a setting of no section."""
    sections = tuple(Settings.model_fields)
    for path, name in variables().items():
        if len(path) > 1 and path[0] not in sections:
            close = get_close_matches(path[0], sections, n=1)
            meant = DELIMITER.join([close[0], *path[1:]]) if close else ""
            hint = f"; did you mean {PREFIX}{meant.upper()}?" if close else ""
            yield f"environment variable {name}: there is no section {path[0]!r}{hint}"


def merged_trees(
    file: Mapping[str, Any], environment: Mapping[str, Any], path: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The file's tree with the environment's put over it.

    What the environment gives also displaces its alternatives in the file: `api_key` displaces
    `api_key_file`, and the other way round.
    """
    merged = dict(file)
    chosen_from = _ALTERNATIVES.get(path, frozenset())
    for key, value in environment.items():
        if key in chosen_from and key not in file:
            for other in chosen_from - environment.keys():
                merged.pop(other, None)
        other = key.removesuffix("_file") if key.endswith("_file") else f"{key}_file"
        if other not in environment:
            merged.pop(other, None)
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = merged_trees(below, value, (*path, key))
        else:
            merged[key] = value
    return merged


def json_error(text: str) -> str | None:
    """What keeps a variable's text from being JSON, without repeating the text."""
    try:
        json.loads(text)
    except ValueError as error:
        where = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        what = error.msg if isinstance(error, json.JSONDecodeError) else "not JSON"
        return f"{what}{where}"
    return None
