"""The seam for questions about an instance: its clock, its quota, whether it has a course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pointsman.domain.targets import ReadBackPlace
from pointsman.platforms.base import PlatformAnswer


@dataclass(frozen=True, slots=True)
class Probe:
    """The answer to a request for nobody; `server_time` is the platform's, Unix seconds."""

    answer: PlatformAnswer
    server_time: float | None = None


@dataclass(frozen=True, slots=True)
class LookUp:
    """What the platform has not, with its words; and topics that a course's criteria require."""

    answer: PlatformAnswer
    missing: Mapping[ReadBackPlace, str] = field(default_factory=dict)
    #: ids by course id
    topics: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Examiner(Protocol):
    """Asks an instance little, and changes nothing of it."""

    def price(self, places: Sequence[ReadBackPlace]) -> int:
        """Points that `look_up` of these costs."""
        ...

    async def probe(self) -> Probe:
        """One request for nobody, priced 1. Never raises for what came back."""
        ...

    async def look_up(self, auth_token: str, places: Sequence[ReadBackPlace]) -> LookUp:
        """One request for one learner, also without places: is the token good?

        Never raises for what came back.
        """
        ...

    async def close(self) -> None: ...
