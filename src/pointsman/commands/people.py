"""What commands do about one learner: erase, hand out, find, revoke."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pointsman import operations, privacy, wiring
from pointsman.commands.beside import CLOCK, with_store
from pointsman.config import Settings
from pointsman.domain.operator_actions import OperatorAction
from pointsman.operations import recorded
from pointsman.privacy import ForgetRequest, Forgotten
from pointsman.sources.players import revocations
from pointsman.sources.unmatched import unmatched_of as find_unmatched
from pointsman.store.base import (
    RefusedLearner,
    Store,
    UnmatchedSummary,
)


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


async def revoke_launches(
    settings: Settings, action: OperatorAction, *, registration: str = "", learner: str = ""
) -> None:
    """No credential of the registration's launches, or of the learner's, opens anything any longer.

    Give one of the two.
    """

    async def use(store: Store) -> None:
        if registration:
            await revocations.revoke_registration(store, registration, CLOCK)
        if learner:
            await revocations.revoke_learner(store, learner, CLOCK)

    await with_store(settings, recorded(action, use, lambda _: "done"))
