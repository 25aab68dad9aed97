"""Splits the form that scorm-again calls `params`: names and values, never encoded. Pure.

A value may hold `&` and `=` as a course wrote them. So a new value begins only where a name of the
data model follows; `+` and `%` stand for themselves.
"""

from __future__ import annotations

import re
from collections import Counter

from pointsman.domain.errors import InputRefused

_NAME = r"cmi\.[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*="
_FIRST_NAME = re.compile(_NAME)
_SEPARATOR = re.compile(rf"&(?={_NAME})")
#: behind the last value: what `terminateCommitPayloadField` and `includeCommitSequence` add
_TRAILING_FIELD = re.compile(r"&(isFinal|final|commitSequence)=(true|[0-9]{1,9})\Z")
#: what courses and learners write freely, the end of the name
_FREE_TEXT = (
    "suspend_data",
    "launch_data",
    "comments",
    "comment",
    "location",
    "lesson_location",
    "student_name",
    "learner_name",
    "student_response",
    "learner_response",
    "description",
    "pattern",
    "id",
)


def is_form(text: str) -> bool:
    return _FIRST_NAME.match(text) is not None


def split_form(text: str) -> tuple[dict[str, str], dict[str, object]]:
    """The values by name, and what stands behind them. Raises `InputRefused`.

    A name that appears twice is part of the free text before it, where there is one.
    """
    beside: dict[str, object] = {}
    while trailing := _TRAILING_FIELD.search(text):
        name, value = trailing.groups()
        if name in beside or (name == "commitSequence") is (value == "true"):
            break
        beside[name] = value == "true" or int(value)
        text = text[: trailing.start()]
    parts = _SEPARATOR.split(text)
    names = [part.partition("=")[0] for part in parts]
    times = Counter(names)
    values: dict[str, list[str]] = {}
    last = ""
    for name, part in zip(names, parts, strict=True):
        if times[name] > 1 and last.rpartition(".")[2] in _FREE_TEXT:
            times[name] -= 1
            values[last] += ["&", part]
        elif name in values:
            raise InputRefused(
                f"{name[:200]} appears twice in the form; its values are not encoded, so that "
                "could be what a course wrote: set dataCommitFormat to json"
            )
        else:
            values[name] = [part.partition("=")[2]]
            last = name
    return {name: "".join(value) for name, value in values.items()}, beside
