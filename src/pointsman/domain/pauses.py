"""Delivery that an operator has paused: all of it, or that of one kind of target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pointsman.domain.target_kinds import TargetKind


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing of this kind is sent until it is resumed."""

    #: None for everything
    kind: TargetKind | None
    #: microseconds since the epoch
    since: int
    #: why, in the operator's words; may be empty
    reason: str = ""

    @property
    def name(self) -> str:
        """What is paused, as commands and metrics name it."""
        return "all" if self.kind is None else self.kind.value

    @property
    def words(self) -> str:
        """What is paused and why, for a person; it begins with `words_of`."""
        return words_of(self.kind) + (f": {self.reason}" if self.reason else "")


def words_of(kind: TargetKind | None) -> str:
    """How the reason of what is parked for a pause begins."""
    return "delivery is paused" if kind is None else f"delivery of {kind.value} is paused"


def pause_of(pauses: Iterable[Pause], kind: TargetKind) -> Pause | None:
    """Why this kind is not sent: the pause of everything before its own; None where it is."""
    of_kind = {pause.kind: pause for pause in pauses}
    return of_kind.get(None) or of_kind.get(kind)
