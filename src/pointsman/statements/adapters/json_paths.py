"""Finds values in a JSON body by paths: `data.user.email`, `items[0].id`; and templates of paths.

Names are joined by dots, `[n]` is the n-th of a list, from 0. A path starts at the item that is
read; `$.` in front starts it at the whole body. There are no wildcards and no filters: a path names
one value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pointsman.domain.errors import InputRefused

_STEP = re.compile(r"(?P<dot>\.?)(?P<name>[^.\[\]{}$\s]+)|\[(?P<place>[0-9]{1,6})\]")
_ROOT = "$"
_VARIABLE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Path:
    """One path. `str(path)` is the text that it was made from."""

    text: str
    #: names in objects, places in lists
    steps: tuple[str | int, ...]
    #: it starts at the whole body, not at the item
    from_whole: bool = False

    @classmethod
    def parse(cls, text: str) -> Path:
        """Raises `ValueError` with what is wrong and where, in words for a person."""
        from_whole = text == _ROOT or text.startswith(("$.", "$["))
        at = begin = 1 if from_whole else 0
        steps: list[str | int] = []
        while at < len(text):
            step = _STEP.match(text, at)
            # A dot joins: none before the first name, one before each other.
            joined = step is not None and (
                step["place"] is not None or bool(step["dot"]) == (at > begin or from_whole)
            )
            if step is None or not joined:
                raise ValueError(
                    f"is no path at character {at + 1}; names are joined by dots and [n] is the "
                    "n-th of a list, as in data.user.email or items[0].id"
                )
            steps.append(step["name"] if step["place"] is None else int(step["place"]))
            at = step.end()
        if not steps and not from_whole:
            raise ValueError("must not be empty")
        return cls(text, tuple(steps), from_whole)

    def find(self, item: Any, whole: Any) -> Any:
        """The value; None where there is none, or null."""
        value = whole if self.from_whole else item
        for step in self.steps:
            if isinstance(step, str):
                value = value.get(step) if isinstance(value, dict) else None
            elif isinstance(value, list) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A URI with paths in braces, `https://lms.example.com/{course.id}`, made of a body's values.

    `parts` are literals at even places and paths at odd ones.
    """

    text: str
    parts: tuple[str | Path, ...]

    @classmethod
    def parse(cls, text: str) -> PathTemplate:
        """Raises `ValueError` with what is wrong, in words for a person."""
        parts: list[str | Path] = list(_VARIABLE.split(text))
        for place, part in enumerate(parts):
            if place % 2:
                try:
                    parts[place] = Path.parse(str(part))
                except ValueError as error:
                    raise ValueError(f"has {{{part}}}, which {error}") from None
            elif "{" in str(part) or "}" in str(part):
                raise ValueError("has a brace without its partner")
        return cls(text, tuple(parts))

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(part for part in self.parts if isinstance(part, Path))

    def expand(self, item: Any, whole: Any) -> str:
        """With everything but unreserved characters encoded, so that a rule finds it again.

        Raises `InputRefused` where a value is missing or is no text.
        """
        return "".join(
            quote(required_text(part, item, whole), safe="") if isinstance(part, Path) else part
            for part in self.parts
        )

    def __str__(self) -> str:
        return self.text


def required_text(path: Path, item: Any, whole: Any) -> str:
    """The text or number at `path`, as text. Raises `InputRefused`."""
    value = path.find(item, whole)
    text = as_text(value)
    if text is None:
        what = "nothing" if value in (None, "") else "neither text nor a number"
        raise InputRefused(f"the body has {what} at {path}")
    return text


def as_text(value: Any) -> str | None:
    """A text that says something, or a number as text; None for all else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None
