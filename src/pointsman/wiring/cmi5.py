"""The LMS side of cmi5, around the intake: it hears players before, and follows what is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
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


def following(store: Store, launches: LaunchCache | None, clock: Clock) -> SatisfiedTracker | None:
    """What the intake has in place of the store; None where no player is launched."""
    return None if launches is None else SatisfiedTracker(store, launches, clock)


def lms(
    store: Store, following: SatisfiedTracker | None, intake: Pipeline, clock: Clock
) -> Lms | None:
    """`intake` is the store's own: what the LMS says needs no topic to travel through."""
    if following is None:
        return None

    async def state(launch: Launch, statement: dict[str, Any]) -> None:
        try:
            await intake.submit_http(LAUNCHED, orjson.dumps(statement), launch=launch)
        except StatementConflict:
            # another replica was quicker, and said the same of another moment
            log.debug("stated already", statement=statement["id"])

    following.state = state
    return Lms(store, following, state, clock)


def gated(
    settings: Settings,
    intake: StatementIntake,
    lms: Lms | None,
    clock: Clock,
    on_oddity: Callable[[str], None],
) -> StatementIntake:
    """What has a statement when it is answered, behind the ears of the LMS."""
    if lms is None or settings.launches is None:
        return intake
    return SessionGuard(
        intake,
        lms.register,
        settings.http,
        clock,
        on_oddity,
        settings.launches.grace_seconds,
    )
