"""Holds back what an operator has paused. What is paused by kind is parked until it is resumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from pointsman.domain.clock import Clock
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.pauses import Pause, pause_of, words_of
from pointsman.store.base import Lease, Settlement
from pointsman.store.delivery_stores import DeliveryStore
from pointsman.store.pause_store import PauseStore

#: seconds for which what was read holds; so long does a pause take to reach every replica
LOOK_AGAIN = 1.0


class _Store(DeliveryStore, PauseStore, Protocol):
    """The store, as far as pauses go."""


class PauseWatch:
    """What is paused now, read from the store about once a second."""

    def __init__(self, store: _Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._read_at = float("-inf")
        #: newest as read
        self.pauses: tuple[Pause, ...] = ()

    @property
    def everything(self) -> Pause | None:
        """The pause of all delivery, if there is one."""
        return next((pause for pause in self.pauses if pause.kind is None), None)

    async def refresh(self) -> None:
        """Read what is paused, unless that was done just now. Raises `StoreUnavailable`."""
        if self._clock.monotonic() - self._read_at < LOOK_AGAIN:
            return
        before = {pause.kind for pause in self.pauses}
        await self._read()
        for kind in before - {pause.kind for pause in self.pauses} - {None}:
            await self._store.unpark(codes={ParkCode.PAUSED}, reason_prefix=words_of(kind))

    def hold_back(self, lease: Lease) -> tuple[Lease, list[Settlement]]:
        """The lease with what is paused parked, so that nothing overtakes it, and that to settle.

        A pause of everything that came after the lease lets it go: it was on its way.
        """
        if not self.pauses:
            return lease, []
        of_kinds = [pause for pause in self.pauses if pause.kind is not None]
        held = {
            row.target: pause
            for row in lease.desired
            if not row.parked and (pause := pause_of(of_kinds, row.target.kind)) is not None
        }
        if not held:
            return lease, []
        code = ParkCode.PAUSED
        rows = tuple(
            replace(row, parked=held[row.target].words, park_code=code)
            if row.target in held
            else row
            for row in lease.desired
        )
        settlements = [
            Settlement(row.target, row.version, "parked", row.parked, code)
            for row in rows
            if row.target in held
        ]
        return replace(lease, desired=rows), settlements

    async def settled(self, lease: Lease, held: Sequence[Settlement]) -> None:
        """Free what was resumed while this was settled: whoever resumed did not see it parked."""
        if not held:
            return
        await self._read()
        if any(pause_of(self.pauses, one.target.kind) is None for one in held):
            await self._store.unpark([lease.recipient], codes={ParkCode.PAUSED})

    async def _read(self) -> None:
        self.pauses = tuple(await self._store.pauses())
        self._read_at = self._clock.monotonic()
