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


async def test_a_text_that_was_cut_in_an_emoji_does_not_end_an_import(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As Node writes it; the pages behind it would never be reached."""
    first = (
        rb'{"statements": [{"stored": "2026-01-01T00:00:00Z", "said": "cut \ud83d"}], "more": ""}'
    )

    async def answer(*_: object) -> bytes:
        return first

    monkeypatch.setattr(LrsClient, "_ask", answer)
    async with LrsClient(LrsSettings("http://127.0.0.1:9/xapi"), Clock()) as client:
        pages = [page async for page in client.pages(0)]
    assert [page.count for page in pages] == [1]
    assert "cut \ufffd" in pages[0].body.decode()
