"""Tells how far statements can be seen: the header X-Experience-API-Consistent-Through.

1.0.3 Part 3 section 2.1.3: every answer of the statements resource has it, those to refused
requests too. All that was stored until then can be found; so an older moment is as true as a newer
one, only less useful.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from pointsman.domain.clock import MICROSECONDS, Clock
from pointsman.domain.errors import StoreUnavailable

HEADER = "X-Experience-API-Consistent-Through"
#: seconds that an answer which is no query's may lag behind
_FRESH = 1.0


class ConsistentThrough:
    """`through` asks the store, in microseconds since the epoch."""

    def __init__(self, through: Callable[[], Awaitable[int]], clock: Clock) -> None:
        self._through = through
        self._clock = clock
        self._value = ""
        self._asked_at = 0.0

    async def now(self) -> str:
        """For queries. Raises `StoreUnavailable`."""
        # at once, so that of many who find it old only one asks
        self._asked_at = self._clock.monotonic()
        moment = datetime.fromtimestamp(await self._through() / MICROSECONDS, UTC)
        self._value = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return self._value

    def remembered(self) -> str:
        """The answer of less than a second ago; empty where there is none."""
        return self._value if self._clock.monotonic() < self._asked_at + _FRESH else ""

    async def lately(self) -> str:
        """For all others: the store is asked at most once a second, whatever the requests.

        Empty where the store is away and was never asked.
        """
        if remembered := self.remembered():
            return remembered
        try:
            return await self.now()
        except StoreUnavailable:
            return self._value
