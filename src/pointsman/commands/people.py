"""What commands do about one learner: erase, hand out, find, revoke."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pointsman import operations, privacy, wiring
from pointsman.commands.beside import CLOCK, with_store
from pointsman.config import Settings
from pointsman.domain.clock import micros
from pointsman.domain.launch import Launch, launch_from_json
from pointsman.domain.operator_actions import OperatorAction
from pointsman.domain.quantities import counted
from pointsman.operations import recorded
from pointsman.privacy import ForgetRequest, Forgotten
from pointsman.sources.players import revocations
from pointsman.sources.unmatched import unmatched_of as find_unmatched
from pointsman.store.base import (
    DocumentKey,
    RefusedLearner,
    Store,
    UnmatchedSummary,
)


@dataclass(frozen=True, slots=True)
class Revoked:
    """How many launches a learner has, and how many of them were good until now."""

    launches: int
    current: int


async def forget(
    settings: Settings,
    action: OperatorAction,
    request: ForgetRequest,
    on_step: Callable[[str], None] = lambda _words: None,
) -> Forgotten:
    """Erase a person from the store, beside the daemons; `on_step` is told in words.

    The record of operators' actions has a pseudonym of the person. A dry run is not on it.
    """
    return await with_store(
        settings,
        lambda store: operations.forget(settings, store, CLOCK, action, request, on_step),
    )


async def export_person(settings: Settings, action: OperatorAction, learner: str) -> dict[str, Any]:
    """All that the store holds of a person, as JSON."""
    return await with_store(
        settings, lambda store: operations.export_person(settings, store, action, learner)
    )


async def who(settings: Settings, pseudonym: str) -> str | None:
    """The learner whom the log calls so, None where the store knows none."""
    rules = wiring.identity_rules(settings)
    return await with_store(settings, lambda store: privacy.find_pseudonym(store, pseudonym, rules))


async def refused_learners(settings: Settings) -> list[RefusedLearner]:
    """Whose input is refused, as hashes."""
    return await with_store(settings, lambda store: store.refused_learners())


async def unmatched_of(settings: Settings, learner: str) -> list[UnmatchedSummary]:
    """The activities of one learner that no rule takes."""
    resolve = wiring.identity(settings).resolve
    return await with_store(settings, lambda store: find_unmatched(store, resolve, learner))


async def revoke_launch(settings: Settings, action: OperatorAction, registration: str) -> None:
    """No credential of the registration's launches opens anything any longer."""

    async def use(store: Store) -> None:
        await revocations.revoke_registration(store, registration, CLOCK)

    await with_store(settings, recorded(action, use, lambda _: "done"))


async def revoke_launches_of(settings: Settings, action: OperatorAction, learner: str) -> Revoked:
    """The same for all launches of a learner. Without any launch nothing is done."""

    async def use(store: Store) -> Revoked:
        launches = await revocations.launches_of(store, learner)
        now = micros(CLOCK.now())
        current = [
            launch
            for launch in launches
            if launch.expires_at > now and not await revocations.is_revoked(store, launch)
        ]
        if launches:
            await revocations.revoke_learner(store, learner, CLOCK)
        return Revoked(len(launches), len(current))

    outcome = recorded(
        action, use, lambda revoked: f"{counted(revoked.current, 'launch', 'launches')}"
    )
    return await with_store(settings, outcome)


@dataclass(frozen=True, slots=True)
class LaunchState:
    """A launch as the store has it."""

    launch: Launch
    is_revoked: bool


async def launch_state(settings: Settings, registration: str) -> LaunchState | None:
    """The launch of this registration; None where the store knows none."""

    async def use(store: Store) -> LaunchState | None:
        document = await store.document(DocumentKey("launch", name=registration.lower()))
        if document is None:
            return None
        launch = launch_from_json(document.content)
        return LaunchState(launch, await revocations.is_revoked(store, launch))

    return await with_store(settings, use)
