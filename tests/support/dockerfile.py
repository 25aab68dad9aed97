"""Reads a Dockerfile: its stages, and the instructions of each, in order. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True)
class Instruction:
    """`words` is all behind the instruction's name, on one line."""

    name: str
    words: str


@dataclass(slots=True)
class Stage:
    name: str
    #: another stage, or an image
    base: str
    instructions: list[Instruction] = field(default_factory=list)


def read_stages(text: str) -> dict[str, Stage]:
    """Stages by name, in order. Instructions before the first stage (ARG) are left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"[ \t]*\\\n[ \t]*", " ", "\n".join(lines))
    stages: dict[str, Stage] = {}
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, words = line.partition(" ")
        if name == "FROM":
            base, _, called = words.partition(" AS ")
            stages[called] = Stage(called, base)
        elif stages:
            next(reversed(stages.values())).instructions.append(Instruction(name, words.strip()))
    return stages


def expand(text: str, variables: Mapping[str, str]) -> str:
    """As ENV, WORKDIR and their like are expanded; what is not known is empty."""
    return _VARIABLE.sub(lambda match: variables.get(match[1] or match[2], ""), text)


def assignments(words: str) -> dict[str, str]:
    """NAME=VALUE ... of ENV, ARG and LABEL, with or without quotes."""
    return {name: value for name, _, value in (word.partition("=") for word in shlex.split(words))}


def exec_form(words: str) -> list[str]:
    """The JSON list of CMD and ENTRYPOINT, or of the CMD in HEALTHCHECK."""
    parts: list[str] = json.loads(words[words.index("[") :])
    return parts
