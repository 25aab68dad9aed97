"""What the endpoint counts outlives a change of settings that are not its own."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.kept_state import KeptState
from pointsman.sources.http.lrs.post_statements import LargeBodyTurns
from pointsman.sources.settings import LaunchLimitSettings
from pointsman.store.base import Store
from pointsman.wiring.launches import launch_limits
from tests.support.manual_clock import ManualClock
from tests.unit.test_config_reload import Documents


def test_a_part_is_made_anew_only_where_its_own_settings_differ() -> None:
    kept = KeptState()
    first = kept.of("turns", 1, LargeBodyTurns)

    assert kept.of("turns", 1, LargeBodyTurns) is first
    assert kept.of("others", 1, LargeBodyTurns) is not first
    assert kept.of("turns", 2, LargeBodyTurns) is not first


def test_a_launch_that_used_up_its_requests_gets_none_for_a_change_of_other_limits() -> None:
    kept, clock = KeptState(), ManualClock()
    store = cast("Store", Documents())
    slow = LaunchLimitSettings(requests_per_second=1)

    def made(settings: LaunchLimitSettings) -> None:
        launch_limits(settings, store, clock, lambda _name: None, kept).count_request("r")

    for _ in range(10):
        made(slow)
    with pytest.raises(RequestRefused):
        made(slow)
    with pytest.raises(RequestRefused):
        made(slow.model_copy(update={"learner_bytes": 1}))
    made(slow.model_copy(update={"requests_per_second": 2}))


def test_bytes_that_were_counted_are_counted_still() -> None:
    kept, clock = KeptState(), ManualClock()
    store = cast("Store", Documents())
    settings = LaunchLimitSettings(statement_bytes=2_000)

    async def charge(size: int) -> None:
        limits = launch_limits(settings, store, clock, lambda _name: None, kept)
        await limits.count_statements("r", "ana@example.com", size)

    asyncio.run(charge(1_900))
    with pytest.raises(RequestRefused):
        asyncio.run(charge(200))
