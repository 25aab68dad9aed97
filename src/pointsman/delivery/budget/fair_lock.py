"""First come, first served, for those who are patient enough."""

from __future__ import annotations

import asyncio

from pointsman.domain.clock import Clock


class FairLock:
    """A lock whose waiters give up in time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = asyncio.Lock()
        #: how many stand in line
        self.waiting = 0

    async def take(self, give_up_at: float) -> bool:
        """Take the turn; False where those in front last until then (on the monotonic scale)."""
        if not self._lock.locked():
            return await self._lock.acquire()
        self.waiting += 1
        turn = asyncio.ensure_future(self._lock.acquire())
        patience = asyncio.ensure_future(self._clock.sleep(give_up_at - self._clock.monotonic()))
        try:
            await asyncio.wait({turn, patience}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._lock.release()
            raise
        finally:
            self.waiting -= 1
            patience.cancel()
            turn.cancel()  # which does nothing to a turn that was got
        return turn.done() and not turn.cancelled()

    def give_back(self) -> None:
        self._lock.release()
