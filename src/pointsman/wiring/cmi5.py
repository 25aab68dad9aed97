"""Puts the LMS side of cmi5 around the intake: a guard before it, a tracker of what is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from pointsman.config import Settings
from pointsman.domain.clock import Clock
from pointsman.domain.errors import StatementConflict
from pointsman.domain.launch import Launch
from pointsman.sources.batch import StatementIntake
from pointsman.sources.http.authorization import LAUNCHED
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.players import LaunchCache
from pointsman.sources.players.cmi5.lms import Lms
from pointsman.sources.players.cmi5.satisfied import SatisfiedTracker
from pointsman.sources.players.cmi5.session_guard import SessionGuard
from pointsman.store.base import Store

log = structlog.get_logger(__name__)


def satisfied_tracker(
    store: Store, launches: LaunchCache | None, clock: Clock
) -> SatisfiedTracker | None:
    """What the intake has in place of the store; None where no player is launched."""
    return (
        None if launches is None else SatisfiedTracker(store, launches, store.statement_ids, clock)
    )


def lms(
    store: Store,
    tracker: SatisfiedTracker | None,
    intake: Pipeline,
    clock: Clock,
    home_page: str,
) -> Lms | None:
    """`intake` is the store's own: what the LMS says needs no topic to travel through.

    `home_page` is that of the LMS's account.
    """
    if tracker is None:
        return None

    async def state(launch: Launch | None, statement: dict[str, Any]) -> None:
        try:
            await intake.accept(intake.reader.statements(LAUNCHED, statement, launch=launch))
        except StatementConflict:
            # another replica was quicker, and said the same of another moment: nobody but us can
            # make this id
            log.debug("stated already", statement=statement["id"])

    tracker.state = state
    return Lms(store, tracker, state, store.statement_ids, clock, home_page)


def guarded_intake(
    settings: Settings,
    intake: StatementIntake,
    lms: Lms | None,
    clock: Clock,
    on_violation: Callable[[str], None],
) -> StatementIntake:
    """What has a statement when it is answered, with the session guard in front of it."""
    if lms is None or settings.launches is None:
        return intake
    return SessionGuard(
        intake,
        lms,
        clock,
        on_violation,
        settings.launches.grace_seconds,
        rejects=settings.launches.cmi5_conflicts == "reject",
    )
