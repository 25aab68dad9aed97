"""Finds out about an installation what `pointsman.doctor` judges, all of it side by side."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from pointsman.commands.doctor.brokers import examine_brokers
from pointsman.commands.doctor.certificates import examine_certificates
from pointsman.commands.doctor.listeners import examine_listeners
from pointsman.commands.doctor.platform import PlatformExamination
from pointsman.commands.doctor.store import StoreExamination, examine_store
from pointsman.config import Settings
from pointsman.doctor import Finding, NotChecked, Report, Result
from pointsman.domain.clock import Clock, SystemClock

__all__ = ["doctor"]

Checks = Callable[[], AsyncIterator[Result]]


@dataclass(frozen=True, slots=True)
class _Part:
    """Checks that come one after another; `name` is for what is not done in time."""

    name: str
    run: Checks


async def doctor(
    settings: Settings,
    *,
    learner: str | None = None,
    seconds: float = 10.0,
    clock: Clock | None = None,
) -> Report:
    """Everything that can be checked from here, beside daemons and without one.

    `learner` is whose authToken is shown to the platform; without it, somebody whom the
    configuration or the store names. Each part has so many `seconds`.
    """
    clock = clock or SystemClock()
    async with StoreExamination.of(settings, clock, seconds) as store:
        platform = PlatformExamination(settings, clock, store, learner, seconds)
        parts = [
            _Part("store", lambda: examine_store(settings, store)),
            _Part("platform", platform.run),
            _Part("brokers", lambda: examine_brokers(settings)),
            _Part("certificates", lambda: examine_certificates(settings, clock)),
            _Part("listeners", lambda: examine_listeners(settings, store)),
        ]
        results = await asyncio.gather(*(_within(part, seconds) for part in parts))
    rows = list(itertools.chain.from_iterable(results))
    return Report(
        [row for row in rows if isinstance(row, Finding)],
        [row for row in rows if isinstance(row, NotChecked)],
        platform.points,
        platform.requests,
    )


async def _within(part: _Part, seconds: float) -> list[Result]:
    """What is known when the time is over, and that the rest is not."""
    rows: list[Result] = []
    try:
        async with asyncio.timeout(seconds):
            async for row in part.run():
                rows.append(row)  # noqa: PERF401 - those of before the time is over count
    except TimeoutError:
        rows.append(NotChecked(part.name, f"not done within {seconds:g} s; --timeout gives more"))
    return rows
