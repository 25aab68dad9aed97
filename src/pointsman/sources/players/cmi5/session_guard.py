"""Judges what cmi5 players state: refused once the session is over, rejected or voided.

cmi5 section 6.3: what conflicts with section 9 is rejected, or taken and voided.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Protocol

import structlog
from cachetools import LRUCache

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import Forbidden, StoreUnavailable
from pointsman.domain.launch import Launch, PlayerKind, same_actor
from pointsman.domain.log_steps import STORE_AWAY
from pointsman.sources.batch import Accepted, StatementBatch, StatementIntake
from pointsman.sources.players.cmi5.rule_violations import (
    OF_ORDER,
    RULES,
    RuleViolation,
    Violation,
)
from pointsman.sources.players.cmi5.session import Cmi5Session, Sessions, find
from pointsman.sources.players.cmi5.session_rules import (
    check_session_statements,
    refusal,
    session_after,
    violations,
)
from pointsman.sources.players.cmi5.session_store import Cmi5SessionStore
from pointsman.sources.stored_statement import parse_stored
from pointsman.statements import Valid, actor_of
from pointsman.store.base import StoredStatement

log = structlog.get_logger(__name__)
#: sessions and rules that are in the log; a forgotten one is logged again
_MOST_LOGGED = 10_000


class LearningSystem(Protocol):
    """`Lms`, as the guard sees it."""

    @property
    def sessions(self) -> Cmi5SessionStore: ...

    async def stored(self, statement_id: str) -> StoredStatement | None: ...

    async def void(self, launch: Launch, statement_id: str) -> None: ...


class SessionGuard:
    """Takes the intake's place for HTTP.

    `grace` is in seconds, after `terminated`; `rejects` says that conflicts are not taken.
    """

    def __init__(
        self,
        intake: StatementIntake,
        lms: LearningSystem,
        clock: Clock,
        on_violation: Callable[[str], None],
        grace: float,
        *,
        rejects: bool = False,
    ) -> None:
        self._intake = intake
        self._lms = lms
        self._clock = clock
        self._on_violation = on_violation
        self._grace = grace
        self._rejects = rejects
        self._logged: LRUCache[tuple[str, str], bool] = LRUCache(_MOST_LOGGED)

    def accept(self, batch: StatementBatch) -> Coroutine[Any, Any, Accepted]:
        """As the intake's; raises `Forbidden` too where the session is over, or for a conflict."""
        launch = batch.launch
        if launch is None or launch.kind is not PlayerKind.CMI5:
            return self._intake.accept(batch)
        return self._accept(batch, launch)

    async def _accept(self, batch: StatementBatch, launch: Launch) -> Accepted:
        sessions = await self._lms.sessions.all(launch.registration)
        session = self._open_session(launch, sessions)
        check_session_statements(session, batch.items)
        # a session counts as it was launched, whatever the registration was launched to since
        launch = replace(launch, mode=session.mode)
        broken = list(violations(launch, session, sessions, batch.items))
        if self._rejects and not session.preferences_read and batch.items:
            broken.insert(
                0,
                Violation(batch.items[0].statement_id, RuleViolation.PREFERENCES_NOT_READ),
            )
        repeated = await self._repeated(launch, broken) if broken else {}
        new = [violation for violation in broken if violation.statement_id not in repeated]
        if self._rejects:
            self._reject(launch, new)
        accepted = await self._intake.accept(replace(batch, launch=launch))
        if not accepted.already_stored:
            for violation in new:
                self._report(launch, violation, "taken")
            await self._note(launch, session, batch.items, broken)
        if not self._rejects:
            # what a retry says again may not have been voided when it was said first
            await self._void(
                launch,
                [
                    violation
                    for violation in broken
                    if violation.statement_id not in repeated
                    or (repeated[violation.statement_id] and violation.rule not in OF_ORDER)
                ],
            )
        return accepted

    async def keep_dead_letter(self, source: str, body: bytes, reason: str, origin: str) -> None:
        """As the intake's."""
        await self._intake.keep_dead_letter(source, body, reason, origin)

    def _open_session(self, launch: Launch, sessions: Sessions) -> Cmi5Session:
        session = find(sessions, launch.session)
        why = refusal(session, micros(self._clock.now()), self._grace)
        if session is None or why is not None:
            raise Forbidden(why)
        return session

    async def _repeated(self, launch: Launch, broken: Sequence[Violation]) -> dict[str, bool]:
        """Those that are stored already, by id: whether they are of this learner and attempt."""
        repeated: dict[str, bool] = {}
        for statement_id in {violation.statement_id for violation in broken}:
            stored = await self._lms.stored(statement_id)
            if stored is not None:
                repeated[statement_id] = _is_of(launch, stored)
        return repeated

    def _reject(self, launch: Launch, broken: Sequence[Violation]) -> None:
        """Raises `Forbidden`, naming each statement and rule, where one conflicts."""
        conflicts = [violation for violation in broken if violation.conflicts]
        if not conflicts:
            return
        for violation in conflicts:
            self._report(launch, violation, "rejected")
        raise Forbidden(
            f"{'; '.join(map(str, conflicts[:5]))}: conflicts with cmi5, which section 6.3 has "
            'rejected (launches.cmi5_conflicts = "reject")'
        )

    async def _void(self, launch: Launch, broken: Sequence[Violation]) -> None:
        ids = {
            violation.statement_id: True for violation in broken if violation.conflicts_as_stored
        }
        for statement_id in ids:
            await self._lms.void(launch, statement_id)

    async def _note(
        self,
        launch: Launch,
        session: Cmi5Session,
        items: Sequence[Valid],
        broken: Sequence[Violation],
    ) -> None:
        """What these statements, which are stored, make of their session."""
        now = micros(self._clock.now())
        if session_after(session, items, now, broken) == session:
            return
        try:
            await self._lms.sessions.change(
                launch, lambda current: session_after(current, items, now, broken)
            )
        except StoreUnavailable as error:  # the statements are stored, and that is what counts
            log.warning(
                "a session's end was not noted",
                session=session.id,
                reason=str(error),
                next=STORE_AWAY,
            )

    def _report(self, launch: Launch, violation: Violation, outcome: str) -> None:
        self._on_violation(violation.rule.value)
        logged = (launch.session, violation.rule.value)
        if logged in self._logged:
            return
        self._logged[logged] = True
        if outcome == "taken" and violation.conflicts_as_stored:
            outcome = "taken and voided"
        log.warning(
            "a cmi5 player broke a rule",
            outcome=outcome,
            kind=violation.rule.value,
            rule=RULES[violation.rule],
            statement=violation.statement_id,
            learner=launch.learner,
            activity=launch.activity,
            registration=launch.registration,
            session=launch.session,
            next="tell the content's author; docs/players/cmi5.md has the rules"
            + (
                '; launches.cmi5_conflicts = "void" takes such statements'
                if outcome == "rejected"
                else ""
            ),
        )


def _is_of(launch: Launch, stored: StoredStatement) -> bool:
    statement = parse_stored(stored)
    if statement is None or statement.context is None:
        return False
    actor = actor_of(statement.actor)
    registration = statement.context.registration or ""
    return (
        actor is not None
        and same_actor(actor, launch.actor)
        and registration.lower() == launch.registration
    )
