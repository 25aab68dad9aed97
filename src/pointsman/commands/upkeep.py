"""The store's books, schema and backups, and whether delivery goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pointsman import operations, replicas, wiring
from pointsman.commands.beside import CLOCK, with_store
from pointsman.config import Settings
from pointsman.domain.clock import micros
from pointsman.domain.desired_state import Desired
from pointsman.domain.operator_actions import OperatorAction
from pointsman.domain.pauses import Pause
from pointsman.domain.target_kinds import TargetKind
from pointsman.replicas import Replica
from pointsman.store.base import (
    Backlog,
    Books,
    Restored,
    Store,
    StoredDeadLetter,
)
from pointsman.store.migrations import Migration


async def pause(
    settings: Settings, action: OperatorAction, kind: TargetKind | None, reason: str
) -> Pause:
    """Send nothing of this kind, or nothing at all, until it is resumed."""
    return await with_store(
        settings, lambda store: operations.pause(store, action, kind, reason, CLOCK)
    )


async def resume(
    settings: Settings, action: OperatorAction, kind: TargetKind | None
) -> list[Pause]:
    """Send this kind again, or everything with None; what was paused until now."""
    return await with_store(settings, lambda store: operations.resume(store, action, kind))


async def status(settings: Settings) -> tuple[list[Pause], Backlog, list[Replica]]:
    """What is paused, what waits, and which configuration each replica runs."""

    async def use(store: Store) -> tuple[list[Pause], Backlog, list[Replica]]:
        running = (await replicas.read(store)).alive(micros(CLOCK.now()))
        return await store.pauses(), await store.backlog(), running

    return await with_store(settings, use)


async def books(settings: Settings) -> Books:
    """The books of the configured store."""
    return await with_store(settings, lambda store: store.books())


@dataclass(frozen=True, slots=True)
class WaitsForPerson:
    """The oldest of what does not go on by itself."""

    parked: Desired | None
    dead_letter: StoredDeadLetter | None


async def waits_for_person(settings: Settings) -> WaitsForPerson:
    """What `pointsman verify` names beside the sums."""

    async def ask(store: Store) -> WaitsForPerson:
        parked = await store.parked(limit=1)
        letters = await store.dead_letters(limit=1)
        return WaitsForPerson(parked[0] if parked else None, letters[0] if letters else None)

    return await with_store(settings, ask)


async def upgrade(settings: Settings) -> list[Migration]:
    """Bring the store's schema up to date; what was done."""
    return await wiring.store(settings, CLOCK).upgrade()


async def back_up(
    settings: Settings, target: Path, on_progress: Callable[[int, int], None]
) -> None:
    """Copy the store while it is used. Raises `ConfigError`."""
    await wiring.store(settings, CLOCK, beside=True).backup(target, on_progress)


async def restore(
    settings: Settings, backup: Path, on_progress: Callable[[int, int], None]
) -> Restored:
    """Put a backup in the store's place, while nothing uses it. Raises `ConfigError`."""
    return await wiring.store(settings, CLOCK).restore(backup, on_progress)


async def reload(settings: Settings, action: OperatorAction, within: float) -> list[Replica]:
    """Have every replica read its configuration; what each runs then."""
    return await with_store(
        settings, lambda store: operations.reload(store, action, CLOCK, within=within)
    )
