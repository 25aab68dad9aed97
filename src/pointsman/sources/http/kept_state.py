"""Keeps what an application counts, for the one that takes its place after a change of settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class KeptState:
    """Rate buckets, turns and quotas by name; each is made anew only when its own settings differ.

    So nobody has more requests at once, or a full bucket, for a change of something else.
    """

    def __init__(self) -> None:
        self._parts: dict[str, tuple[object, Any]] = {}

    def of(self, name: str, settings: object, make: Callable[[], T]) -> T:
        """The part of this name: that of before where it was made with these settings."""
        known = self._parts.get(name)
        if known is not None and known[0] == settings:
            return cast("T", known[1])
        part = make()
        self._parts[name] = settings, part
        return part
