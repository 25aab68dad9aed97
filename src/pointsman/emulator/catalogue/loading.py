"""Reading a catalogue file, with every mistake in it named by file and key."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pointsman.domain.errors import ConfigError
from pointsman.emulator.catalogue.catalogue import Catalogue
from pointsman.text_files import read_text


def builtin_catalogue() -> Catalogue:
    """What is served without a catalogue file: ana@example.com, ben@example.com, five courses."""
    source = resources.files(__package__).joinpath("builtin.toml")
    return _read("the built-in catalogue", source.read_text("utf-8"))


def load_catalogue(path: Path) -> Catalogue:
    """Read a catalogue file. Raises `ConfigError` naming the file and every key that is wrong."""
    try:
        text = read_text(path)
    except ValueError as error:
        raise ConfigError(f"catalogue {error}") from None
    return _read(f"catalogue {path}", text)


def _read(name: str, text: str) -> Catalogue:
    try:
        return Catalogue.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: is not valid TOML: {error}") from error
    except ValidationError as error:
        problems = [line for detail in error.errors() for line in _explain(detail)]
        raise ConfigError("\n".join(f"{name}: {problem}" for problem in problems)) from error


def _explain(detail: Any) -> list[str]:
    """One pydantic error as lines that begin with the key, as it is written in the file."""
    if isinstance(own := detail.get("ctx", {}).get("error"), ValueError):
        return str(own).splitlines()
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"])
    value = detail["input"]
    shown = f" (it is {value!r})" if isinstance(value, str | int | float) else ""
    # Passwords are the one secret a catalogue holds.
    return [f"{key.lstrip('.')}: {detail['msg']}{'' if key.endswith('.password') else shown}"]
