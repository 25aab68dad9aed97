"""What every store can do to pause delivery, for all replicas."""

from __future__ import annotations

from typing import Protocol

from pointsman.domain.pauses import Pause
from pointsman.domain.target_kinds import TargetKind


class PauseStore(Protocol):
    """Which deliveries are paused."""

    async def pauses(self) -> list[Pause]:
        """All that is paused, the pause of everything first."""
        ...

    async def pause(self, pause: Pause) -> None:
        """Remember it; a pause of the same kind keeps its beginning and gets this reason."""
        ...

    async def resume(self, kind: TargetKind | None) -> bool:
        """Forget the pause of this kind, or of everything; False where there is none.

        What is parked for it has to be freed after that, with `unpark`.
        """
        ...


def kind_as_text(kind: TargetKind | None) -> str:
    """The column of the table; everything sorts first."""
    return "" if kind is None else kind.value


def pause_of_row(kind: str, since: int, reason: str) -> Pause:
    return Pause(TargetKind(kind) if kind else None, since, reason)
