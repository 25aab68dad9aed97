"""Refuses what cmi5 players state once their session is over, and counts the rules they break."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import Forbidden, StoreUnavailable
from pointsman.domain.launch import Launch, PlayerKind
from pointsman.domain.log_steps import STORE_AWAY
from pointsman.sources.batch import Accepted, StatementBatch, StatementIntake
from pointsman.sources.players.cmi5.session import Cmi5Session
from pointsman.sources.players.cmi5.session_rules import (
    RuleViolation,
    check_session_statements,
    refusal,
    session_after,
    violations,
)
from pointsman.sources.players.cmi5.session_store import Cmi5SessionStore
from pointsman.statements import Valid

log = structlog.get_logger(__name__)


class SessionGuard:
    """Takes the intake's place for HTTP. `grace` is in seconds, after `terminated`."""

    def __init__(
        self,
        intake: StatementIntake,
        sessions: Cmi5SessionStore,
        clock: Clock,
        on_violation: Callable[[str], None],
        grace: float,
    ) -> None:
        self._intake = intake
        self._sessions = sessions
        self._clock = clock
        self._on_violation = on_violation
        self._grace = grace

    async def accept(self, batch: StatementBatch) -> Accepted:
        """As the intake's; raises `Forbidden` too where the session is over."""
        launch = batch.launch
        if launch is None or launch.kind is not PlayerKind.CMI5:
            return await self._intake.accept(batch)
        session = await self._open_session(launch)
        check_session_statements(session, batch.items)
        # a session counts as it was launched, whatever the registration was launched to since
        launch = replace(launch, mode=session.mode)
        accepted = await self._intake.accept(replace(batch, launch=launch))
        if not accepted.already_stored:
            await self._note(launch, session, batch.items)
        return accepted

    async def keep_dead_letter(self, source: str, body: bytes, reason: str, origin: str) -> None:
        """As the intake's."""
        await self._intake.keep_dead_letter(source, body, reason, origin)

    async def _open_session(self, launch: Launch) -> Cmi5Session:
        session = await self._sessions.find(launch)
        why = refusal(session, micros(self._clock.now()), self._grace)
        if session is None or why is not None:
            raise Forbidden(why)
        return session

    async def _note(self, launch: Launch, session: Cmi5Session, items: Sequence[Valid]) -> None:
        """What these statements, which are stored, make of their session."""
        for violation in violations(launch, session, items):
            self._report(launch, violation)
        now = micros(self._clock.now())
        if session_after(session, items, now) == session:
            return
        try:
            await self._sessions.change(launch, lambda current: session_after(current, items, now))
        except StoreUnavailable as error:  # the statements are stored, and that is what counts
            log.warning(
                "a session's end was not noted",
                session=session.id,
                reason=str(error),
                next=STORE_AWAY,
            )

    def _report(self, launch: Launch, violation: RuleViolation) -> None:
        self._on_violation(violation.value)
        log.warning(
            "a cmi5 player broke a rule; its statement was taken",
            kind=violation.value,
            learner=launch.learner,
            activity=launch.activity,
            registration=launch.registration,
            session=launch.session,
            next="tell the content's author; docs/players/cmi5.md has the rules",
        )
