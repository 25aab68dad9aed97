"""Faults from JSON, from a TOML file and from the command line, with every mistake named."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pointsman.emulator.faults.rules import FAULT, Fault
from pointsman.errors import ConfigError


def read_fault(entries: Any, name: str) -> Fault:
    """Raises `ConfigError` with a line for each mistake, `name` in front."""
    try:
        return FAULT.validate_python(entries)
    except ValidationError as error:
        lines = [_explain(detail) for detail in error.errors(include_url=False)]
        raise ConfigError("\n".join(f"{name}: {line}" for line in lines)) from None


def fault_from_text(text: str) -> Fault:
    """`kind=throttle,chance=0.01,retry_after=3`, as an option of a command."""
    entries: dict[str, str] = {}
    for part in text.split(","):
        key, is_pair, value = part.partition("=")
        if not is_pair or not key.strip():
            raise ConfigError(f"--fault {text!r}: {part!r} is not key=value")
        entries[key.strip()] = value.strip()
    return read_fault(entries, f"--fault {text!r}")


def faults_from_file(path: Path) -> list[Fault]:
    """A TOML file of `[[faults]]`."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"faults {path}: can't be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"faults {path}: is not valid TOML: {error}") from error
    if tables.keys() - {"faults"} or not isinstance(tables.get("faults", []), list):
        raise ConfigError(f"faults {path}: must hold [[faults]] and nothing else")
    found: list[Fault] = []
    problems: list[str] = []
    for number, entries in enumerate(tables.get("faults", [])):
        try:
            found.append(read_fault(entries, f"faults {path}: faults[{number}]"))
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    return found


def _explain(detail: Any) -> str:
    # the kind stands in front of the place of what is wrong; a person wrote only the key
    key = ".".join(map(str, detail["loc"][1:]))
    message = str(detail["msg"]).removeprefix("Value error, ")
    return f"{key}: {message}" if key else message
