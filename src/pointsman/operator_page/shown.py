"""What a view hands to its template, and how templates write times and values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.story.words import time_words, value_words


@dataclass(frozen=True, slots=True)
class Shown:
    """A page to be rendered."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


#: `time` takes microseconds since the epoch, `value` what a target is set to
FILTERS: Mapping[str, Callable[..., str]] = {
    "time": time_words,
    "value": value_words,
    "number": "{:,}".format,
    "words": lambda text: text.replace("_", " "),
}
