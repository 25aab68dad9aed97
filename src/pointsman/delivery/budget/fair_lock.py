"""A lock in the order of asking, whose waiters give up in time."""

from __future__ import annotations

import asyncio

from pointsman.domain.clock import Clock


class FairLock:
    """A lock whose waiters give up in time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = asyncio.Lock()
        #: how many wait for it
        self.waiting = 0

    async def acquire(self, give_up_at: float) -> bool:
        """Take the lock; False where others have it until then (on the clock's monotonic scale)."""
        if not self._lock.locked():
            return await self._lock.acquire()
        self.waiting += 1
        acquired = asyncio.ensure_future(self._lock.acquire())
        timeout = asyncio.ensure_future(self._clock.sleep(give_up_at - self._clock.monotonic()))
        try:
            await asyncio.wait({acquired, timeout}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if acquired.done() and not acquired.cancelled():
                self._lock.release()
            raise
        finally:
            self.waiting -= 1
            timeout.cancel()
            acquired.cancel()  # which does nothing once the lock is ours
        return acquired.done() and not acquired.cancelled()

    def release(self) -> None:
        self._lock.release()
