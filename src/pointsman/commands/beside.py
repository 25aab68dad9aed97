"""Uses the configured store for one command, beside the daemons that have it open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pointsman import wiring
from pointsman.config import Settings
from pointsman.domain.clock import SystemClock
from pointsman.store.base import (
    Store,
)

T = TypeVar("T")

CLOCK = SystemClock()


async def with_store(settings: Settings, use: Callable[[Store], Awaitable[T]]) -> T:
    """Use the configured store, beside the daemons that may have it open."""
    store = wiring.store(settings, CLOCK, beside=True)
    await store.open()
    try:
        return await use(store)
    finally:
        await store.close()
