"""Faults from JSON, from a TOML file and from the command line, with every mistake named."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from pointsman.domain.errors import ConfigError
from pointsman.emulator.faults.rules import FAULT, KINDS, Fault
from pointsman.text_files import read_text

_A = TypeVar("_A")
_B = TypeVar("_B")


def read_fault(entries: Any, name: str) -> Fault:
    """Raises `ConfigError` with a line for each mistake, `name` in front."""
    try:
        return FAULT.validate_python(entries)
    except ValidationError as error:
        lines = [_explain(detail) for detail in error.errors(include_url=False)]
        raise ConfigError("\n".join(f"{name}: {line}" for line in lines)) from None


def read_faults(texts: Iterable[str] = (), path: Path | None = None) -> list[Fault]:
    """Those of a file, then those of a command line. Every mistake of both is named."""
    problems: list[str] = []
    files = [] if path is None else _read_each([path], faults_from_file, problems)
    faults = [fault for file in files for fault in file]
    faults += _read_each(texts, fault_from_text, problems)
    if problems:
        raise ConfigError("\n".join(problems))
    return faults


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
        tables = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"faults {path}: is not valid TOML: {error}") from error
    except ValueError as error:
        raise ConfigError(f"faults {error}") from None
    if tables.keys() - {"faults"} or not isinstance(tables.get("faults", []), list):
        raise ConfigError(f"faults {path}: must hold [[faults]] and nothing else")
    problems: list[str] = []
    faults = _read_each(
        enumerate(tables.get("faults", [])),
        lambda numbered: read_fault(numbered[1], f"faults {path}: faults[{numbered[0]}]"),
        problems,
    )
    if problems:
        raise ConfigError("\n".join(problems))
    return faults


def _read_each(items: Iterable[_A], read: Callable[[_A], _B], problems: list[str]) -> list[_B]:
    """What could be read; the complaints about the rest go to `problems`."""
    results = []
    for item in items:
        try:
            results.append(read(item))
        except ConfigError as error:
            problems.append(str(error))
    return results


def _explain(detail: Any) -> str:
    if detail["type"] in {"union_tag_not_found", "union_tag_invalid"}:
        kind = detail["ctx"].get("tag")
        return f"kind: must be one of {KINDS}" + ("" if kind is None else f", not {kind!r}")
    # the kind stands in front of the place of what is wrong; a person wrote only the key
    key = ".".join(map(str, detail["loc"][1:]))
    message = str(detail["msg"]).removeprefix("Value error, ")
    return f"{key}: {message}" if key else message
