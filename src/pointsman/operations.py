"""What operators do with an open store: the same for commands and for the operator's page.

Each that changes something is on the record of operators' actions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.operator_actions import OperatorAction
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.pauses import Pause, words_of
from pointsman.domain.target_kinds import TargetKind
from pointsman.store.base import Store

T = TypeVar("T")


def recorded(
    action: OperatorAction, use: Callable[[Store], Awaitable[T]], outcome: Callable[[T], str]
) -> Callable[[Store], Awaitable[T]]:
    """`use`, on the record: what is begun is written first, and then how it ended, in words."""

    async def recorded_use(store: Store) -> T:
        number = await store.record_action(action)
        try:
            result = await use(store)
        except BaseException as error:
            with suppress(StoreUnavailable):
                await store.finish_action(number, f"failed: {error or type(error).__name__}")
            raise
        await store.finish_action(number, outcome(result))
        return result

    return recorded_use


async def pause(
    store: Store, action: OperatorAction, kind: TargetKind | None, reason: str, clock: Clock
) -> Pause:
    """Send nothing of this kind, or nothing at all, until it is resumed; on every replica."""
    wanted = Pause(kind, micros(clock.now()), reason)

    async def use(store: Store) -> Pause:
        await store.pause(wanted)
        return wanted

    return await recorded(action, use, lambda made: made.words)(store)


async def resume(store: Store, action: OperatorAction, kind: TargetKind | None) -> list[Pause]:
    """Send this kind again, or everything with None; what was paused until now."""

    async def use(store: Store) -> list[Pause]:
        ended = [pause for pause in await store.pauses() if kind is None or pause.kind is kind]
        for pause in ended:
            await store.resume(pause.kind)
        for pause in ended:
            if pause.kind is not None:
                await store.unpark(codes={ParkCode.PAUSED}, reason_prefix=words_of(pause.kind))
        return ended

    return await recorded(
        action, use, lambda ended: ", ".join(pause.name for pause in ended) or "nothing was paused"
    )(store)
