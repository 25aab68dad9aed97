"""Loads the settings from a file and the environment, or names every mistake in them."""

from __future__ import annotations

import tomllib
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pointsman.config.environment import from_environment, merged_trees, unknown_variables
from pointsman.config.errors import describe
from pointsman.config.settings import Settings
from pointsman.domain.errors import ConfigError
from pointsman.text_files import decode_text

#: mistakes that are described; a file of something else has one in each line
_MOST_MISTAKES = 50


def load(path: Path | str) -> Settings:
    """Read the TOML file at `path`, put the environment over it and check the whole.

    Raises:
        ConfigError: its message holds a line for each mistake, and never a secret.
    """
    path = Path(path)
    try:
        return _load(path)
    except RecursionError:
        raise ConfigError(
            f"{path} can't be read: its lists or tables are nested too deeply"
        ) from None


def _load(path: Path) -> Settings:
    tree = merged_trees(_read(path), from_environment())
    problems = list(unknown_variables())
    try:
        context = {
            "folder": path.parent.absolute(),
            "allow_weak_secrets": _is_true(tree.get("allow_weak_secrets", False)),
        }
        settings = Settings.model_validate(tree, context=context)
    except ValidationError as error:
        count = len(problems) + error.error_count()
        problems += islice(describe(error, tree), _MOST_MISTAKES)
    else:
        count = len(problems)
    if problems:
        words = "1 mistake" if count == 1 else f"{count:,} mistakes"
        if count > len(problems):
            words += f", of which these are {len(problems)}"
        # without the cause: it holds the values, secrets too
        raise ConfigError("\n  ".join([f"{path} has {words}:", *problems])) from None
    return settings


def _is_true(value: Any) -> bool:
    """What is no truth value is refused where its setting is."""
    try:
        return TypeAdapter(bool).validate_python(value)
    except ValidationError:
        return False


def _read(path: Path) -> dict[str, Any]:
    try:
        text = decode_text(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: there is no such file; name yours with -c FILE or POINTSMAN_CONFIG. "
            "config.example.toml shows what goes into one"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(str(error)) from None
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also of a number with thousands of digits
        raise ConfigError(f"{path} is not TOML: {error}") from None
