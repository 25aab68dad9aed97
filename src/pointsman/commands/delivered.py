"""What was delivered, and what the platform knows already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from pointsman import wiring
from pointsman.commands.beside import with_store
from pointsman.config import Settings
from pointsman.delivery.settled_deliveries import SettledDelivery, settled_deliveries
from pointsman.delivery.state_import import ImportStep, ImportTarget, StateImport
from pointsman.domain.clock import SystemClock
from pointsman.domain.operator_actions import OperatorAction
from pointsman.operations import recorded
from pointsman.store.base import (
    Store,
)

#: turns that are handed out at once
_DELIVERIES = 1_000


async def deliveries(
    settings: Settings,
    *,
    since: int,
    until: int,
    on_page: Callable[[list[SettledDelivery]], None],
) -> None:
    """What was settled in between, in the order of time, page by page."""

    async def use(store: Store) -> None:
        after = None
        while turns := await store.turns_since(since=since, after=after, limit=_DELIVERIES):
            after = (turns[-1].at, turns[-1].id)
            wanted = [turn for turn in turns if turn.at < until]
            on_page([one for turn in wanted for one in settled_deliveries(turn)])
            if len(turns) < _DELIVERIES:
                break

    await with_store(settings, use)


async def import_state(
    settings: Settings,
    action: OperatorAction,
    targets: Sequence[ImportTarget] | None,
    on_step: Callable[[ImportStep, int, int], None],
) -> None:
    """Take what the platform knows as delivered: of these courses, or of all that is dirty.

    `on_step` is told each learner's step, its number and how many there are. No other process may
    have the store open: raises `ConfigError`.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        clients = wiring.platform_clients(settings, clock)
        stack.push_async_callback(clients.close)
        limits = wiring.quota(settings, clients.platform)
        store, budget = wiring.store_and_budget(settings, clock, limits)
        await store.open()
        stack.push_async_callback(store.close)
        await budget.open()
        stack.push_async_callback(budget.close)
        tokens = wiring.token_sources(
            settings, store, clock, lambda _learners: None, clients.login.log_in
        ).provider
        await tokens.open()
        stack.push_async_callback(tokens.close)

        async def use(store: Store) -> int:
            limit = settings.platform.limits.points_per_request
            importer = StateImport(
                store, clients.reader, tokens, budget, clock, points_per_request=limit
            )
            if targets is None:
                desired = await store.undelivered()
                total, steps = len(desired), importer.of_desired(desired)
            else:
                total = len({target.learner for target in targets})
                steps = importer.of_courses(targets)
            number = taken = 0
            async for step in steps:
                number += 1
                taken += step.taken
                on_step(step, number, total)
            return taken

        await recorded(action, use, lambda count: f"{count} taken as delivered")(store)
