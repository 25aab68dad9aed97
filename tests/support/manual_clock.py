"""A clock that only a test moves on."""

from __future__ import annotations

#: 2024-06-01T12:00:00Z
NOON = 1_717_243_200.0


class ManualClock:
    """A `Clock` that is moved by hand. The two times differ, as they do in life."""

    def __init__(self, begins_at: float = NOON) -> None:
        self.seconds = 0.0
        self._begins_at = begins_at

    def now(self) -> float:
        return self._begins_at + self.seconds

    def monotonic(self) -> float:
        return 5_000.0 + self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
