"""What operators do with an open store: the same for commands and for the operator's page.

Each that changes something is on the record of operators' actions.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from pointsman import privacy, replicas, wiring
from pointsman.config import Settings
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.operator_actions import OperatorAction
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.pauses import Pause, words_of
from pointsman.domain.target_kinds import TargetKind
from pointsman.privacy import ForgetRequest, Forgotten
from pointsman.replicas import Replica
from pointsman.sources.confirmations import replay_event
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.replay import ReplayPage, replay_letter
from pointsman.sources.replay import replay as replay_pages
from pointsman.store.base import Store, StoredDeadLetter

T = TypeVar("T")

#: seconds between two looks for the replicas' answers
_ASK_EVERY = 0.2


def recorded(
    action: OperatorAction | None,
    use: Callable[[Store], Awaitable[T]],
    outcome: Callable[[T], str],
) -> Callable[[Store], Awaitable[T]]:
    """`use`, on the record: what is begun is written first, and then how it ended, in words.

    Without an `action` it is a dry run, which is on no record.
    """
    if action is None:
        return use

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


async def intake_of(settings: Settings, store: Store, clock: Clock) -> Pipeline:
    """An intake that takes nothing of people who are refused."""
    refused = wiring.refused_learners(settings, store, clock)
    await refused.refresh()
    return wiring.pipeline(settings, store, clock, refused=refused)


async def replay(
    settings: Settings,
    store: Store,
    clock: Clock,
    *,
    since: int,
    until: int,
    action: OperatorAction | None,
    on_page: Callable[[ReplayPage], None],
) -> None:
    """Decide anew about the statements stored in between (microseconds).

    Without an `action` for the record it is a dry run, and nothing is changed.
    """

    async def use(store: Store) -> int:
        intake = await intake_of(settings, store, clock)
        statements = 0
        async for page in replay_pages(
            store, intake, clock, since=since, until=until, dry_run=action is None
        ):
            on_page(page)
            statements += page.statements
        return statements

    await recorded(action, use, lambda count: f"{count} statements decided anew")(store)


async def replay_letters(
    settings: Settings,
    store: Store,
    clock: Clock,
    action: OperatorAction | None,
    numbers: Sequence[int],
    on_letter: Callable[[int, str], None],
) -> None:
    """Read dead letters again, with the rules and limits of now; `on_letter` is told in words.

    Without an `action` for the record it is a dry run, and nothing is changed.
    """

    async def use(store: Store) -> int:
        intake = await intake_of(settings, store, clock)
        readers, shown_only = wiring.event_readers(settings), wiring.shown_only(settings)
        dry_run = action is None

        async def again(letter: StoredDeadLetter) -> str:
            of_platform = await replay_event(
                store, clock, readers, shown_only, letter, dry_run=dry_run
            )
            if of_platform is not None:
                return of_platform
            return await replay_letter(store, intake, clock, letter, dry_run=dry_run)

        for number in numbers:
            letter = await store.dead_letter(number)
            on_letter(number, "there is no such letter" if letter is None else await again(letter))
        return len(numbers)

    await recorded(action, use, lambda count: f"{count} read again")(store)


async def forget(
    settings: Settings,
    store: Store,
    clock: Clock,
    action: OperatorAction,
    request: ForgetRequest,
    on_step: Callable[[str], None],
) -> Forgotten:
    """Erase a person; `on_step` is told in words.

    The record of operators' actions has a pseudonym of the person. A dry run is not on it.
    """
    rules = wiring.identity_rules(settings)

    def erase(store: Store) -> Awaitable[Forgotten]:
        return privacy.forget(store, request, rules, clock, on_step)

    if request.dry_run:
        return await erase(store)
    about = privacy.pseudonym(await store.installation_secret(), request.learner, rules)
    return await recorded(replace(action, learner=about), erase, str)(store)


async def export_person(
    settings: Settings, store: Store, action: OperatorAction, learner: str
) -> dict[str, Any]:
    """All that the store holds of a person, as JSON."""
    rules = wiring.identity_rules(settings)
    return await recorded(
        replace(action, learner=rules.learner(learner)),
        lambda store: privacy.export_person(store, learner, rules),
        lambda records: f"{len(records['statements'])} statements handed out",
    )(store)
