"""What a command does with the daemon's parts, once and without the daemon."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TypeVar

from pointsman import assembly
from pointsman.clock import SystemClock
from pointsman.config import Settings
from pointsman.scheduler.catching_up import CatchingUp, Step, Wish
from pointsman.store.base import Books, Store

__all__ = ["Step", "Wish", "books", "import_state", "with_store"]

T = TypeVar("T")


async def with_store(settings: Settings, use: Callable[[Store], Awaitable[T]]) -> T:
    """Use the configured store, beside the daemons that may have it open."""
    store = assembly.store(settings, SystemClock(), beside=True)
    await store.open()
    try:
        return await use(store)
    finally:
        await store.close()


async def books(settings: Settings) -> Books:
    """The books of the configured store."""
    return await with_store(settings, lambda store: store.books())


async def import_state(
    settings: Settings,
    wishes: Sequence[Wish] | None,
    on_step: Callable[[Step, int, int], None],
) -> None:
    """Take what the platform knows as delivered: of these courses, or of all that is dirty.

    `on_step` is told each learner's step, its number and how many there are. Nobody else may have
    the store open: raises `ConfigError`.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        store = assembly.store(settings, clock)
        await store.open()
        stack.push_async_callback(store.close)
        budget = assembly.budget(settings, store, clock)
        await budget.open()
        reader = assembly.reader(settings, clock)
        stack.push_async_callback(reader.close)
        calls = assembly.calls(settings, clock)
        stack.push_async_callback(calls.close)
        tokens = assembly.tokens(
            settings.learners.tokens, clock, lambda _learners: None, assembly.log_in(calls)
        )
        stack.push_async_callback(assembly.close_tokens, tokens)
        limit = settings.platform.limits.points_per_request
        catching_up = CatchingUp(store, reader, tokens, budget, clock, points_per_request=limit)
        if wishes is None:
            desired = await store.undelivered()
            total, steps = len(desired), catching_up.of_desired(desired)
        else:
            total = len({wish.learner for wish in wishes})
            steps = catching_up.of_wishes(wishes)
        number = 0
        async for step in steps:
            number += 1
            on_step(step, number, total)
