"""Hears cmi5 players in front of the intake: a session that is over says nothing any longer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import structlog

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import Forbidden, StoreUnavailable
from pointsman.domain.launch import Launch, PlayerKind
from pointsman.sources.batch import Accepted, StatementIntake, valid_items
from pointsman.sources.players.cmi5.session import Cmi5Session, refusal
from pointsman.sources.players.cmi5.session_rules import (
    RuleViolation,
    check_session_statements,
    session_after,
    violations,
)
from pointsman.sources.players.cmi5.session_store import Cmi5SessionStore
from pointsman.statements import Limits, Valid, unpack

log = structlog.get_logger(__name__)


class SessionGuard:
    """Takes the intake's place for HTTP. `grace` is in seconds, after `terminated`."""

    def __init__(
        self,
        intake: StatementIntake,
        register: Cmi5SessionStore,
        limits: Limits,
        clock: Clock,
        on_oddity: Callable[[str], None],
        grace: float,
    ) -> None:
        self._intake = intake
        self._register = register
        self._limits = limits
        self._clock = clock
        self._on_oddity = on_oddity
        self._grace = grace

    async def submit_http(
        self,
        source: str,
        body: bytes,
        *,
        content_type: str = "application/json",
        version: str = "1.0.0",
        put_id: str | None = None,
        launch: Launch | None = None,
    ) -> Accepted:
        """As the intake's; raises `Forbidden` too where the session is over."""
        submit = partial(
            self._intake.submit_http,
            source,
            body,
            content_type=content_type,
            version=version,
            put_id=put_id,
        )
        if launch is None or launch.kind is not PlayerKind.CMI5:
            return await submit(launch=launch)
        package = unpack(body, content_type)
        items = valid_items(package.statements, package.data, self._limits, _new_id, put_id)
        session = await self._open(launch)
        check_session_statements(session, items)
        # a session counts as it was launched, whatever the registration was launched to since
        launch = replace(launch, mode=session.mode)
        accepted = await submit(launch=launch)
        if not accepted.known:
            await self._heard(launch, session, items)
        return accepted

    async def bury(self, source: str, body: bytes, reason: str, origin: str) -> None:
        """As the intake's."""
        await self._intake.bury(source, body, reason, origin)

    async def _open(self, launch: Launch) -> Cmi5Session:
        session = await self._register.find(launch)
        why = refusal(session, micros(self._clock.now()), self._grace)
        if session is None or why is not None:
            raise Forbidden(why)
        return session

    async def _heard(self, launch: Launch, session: Cmi5Session, items: Sequence[Valid]) -> None:
        for oddity in violations(launch, session, items):
            self._odd(launch, oddity)
        now = micros(self._clock.now())
        if session_after(session, items, now) == session:
            return
        try:
            await self._register.change(launch, lambda one: session_after(one, items, now))
        except StoreUnavailable as error:  # what was said is stored, and that is what counts
            log.warning("a session's end was not noted", session=session.id, reason=str(error))

    def _odd(self, launch: Launch, oddity: RuleViolation) -> None:
        self._on_oddity(oddity.value)
        log.warning(
            "a cmi5 player broke a rule; its statement was taken",
            kind=oddity.value,
            learner=launch.learner,
            activity=launch.activity,
            registration=launch.registration,
            session=launch.session,
        )


def _new_id() -> str:
    return str(uuid.uuid4())
