"""What operators do with an open store: the same for commands and for the operator's page.

Each that changes something is on the record of operators' actions.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from pointsman import replicas
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.operator_actions import OperatorAction
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.pauses import Pause, words_of
from pointsman.domain.target_kinds import TargetKind
from pointsman.replicas import Replica
from pointsman.store.base import Store

T = TypeVar("T")

#: seconds between two looks for the replicas' answers
_ASK_EVERY = 0.2


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


async def reload(
    store: Store, action: OperatorAction, clock: Clock, *, within: float
) -> list[Replica]:
    """Have every replica read its configuration; what each runs then, by name.

    One that gave no answer within `within` seconds has that as its problem.
    """
    request = secrets.token_hex(8)

    async def use(store: Store) -> list[Replica]:
        now = micros(clock.now())
        asked = await replicas.change(store, now, lambda all_: replace(all_, asked=request))
        expected = {replica.name for replica in asked.alive(now)}
        until = clock.monotonic() + within
        while True:
            listed = await replicas.read(store)
            rows = listed.alive(micros(clock.now()))
            waiting = [row for row in rows if row.name in expected and row.answered != request]
            if not waiting or clock.monotonic() >= until:
                return [
                    row
                    if row.answered == request
                    else replace(row, problem=f"it gave no answer within {within:g} s")
                    for row in rows
                    if row.name in expected
                ]
            await clock.sleep(_ASK_EVERY)

    return await recorded(action, use, _reloaded)(store)


def _reloaded(rows: list[Replica]) -> str:
    refused = sum(bool(row.problem) for row in rows)
    return f"{len(rows) - refused} of {len(rows)} replicas run the file"


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
