"""Another record store that gives no answer: it is asked again, and then left for later."""

from __future__ import annotations

import pytest

from demo.processes import free_port
from pointsman.domain.errors import ConfigError, Retry
from pointsman.sources.backfill import LrsClient, LrsSettings


class Clock:
    """Sleeps at once."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return 0

    def monotonic(self) -> float:
        return 0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_a_store_that_is_not_there_is_a_reason_that_passes() -> None:
    clock = Clock()
    async with LrsClient(LrsSettings(f"http://127.0.0.1:{free_port()}/xapi"), clock) as client:
        with pytest.raises(Retry, match="gives no answer") as raised:
            await anext(client.pages(0))
    assert not isinstance(raised.value, ConfigError)
    assert clock.slept == [1, 2, 4, 8, 16]
