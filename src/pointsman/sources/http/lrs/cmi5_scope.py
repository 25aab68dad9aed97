"""Limits a cmi5 player's credential to its session, and keeps the learner's preferences readable.

cmi5 sections 8.2.1 (the credential lasts as long as the session) and 11 (cmi5LearnerPreferences).
Statements that it sends are looked at by the session guard.
"""

from __future__ import annotations

from dataclasses import replace

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import Forbidden
from pointsman.domain.launch import Launch, PlayerKind
from pointsman.sources.http.lrs.endpoint import LrsRequest
from pointsman.sources.http.lrs.resources import Resource
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.launch_data import preferences_problem
from pointsman.sources.players.cmi5.session import find
from pointsman.sources.players.cmi5.session_rules import refusal
from pointsman.sources.players.cmi5.session_store import Cmi5SessionStore
from pointsman.statements import media_type


class Cmi5Scope:
    """`grace` is in seconds, after `terminated`.

    With `notes_preferences` it notes that a session asked for them, which is its first duty.
    """

    def __init__(
        self, sessions: Cmi5SessionStore, clock: Clock, grace: float, *, notes_preferences: bool
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._grace = grace
        self._notes_preferences = notes_preferences

    async def limit(self, call: LrsRequest) -> LrsRequest:
        """The request, if it may be made now. Raises `Forbidden` and `StoreUnavailable`."""
        launch = call.launch
        if launch is None or launch.kind is not PlayerKind.CMI5 or _is_for_the_guard(call):
            return call
        await self._check_session(launch, reads_preferences=_reads_preferences(call))
        return await _with_good_preferences(call) if _writes_preferences(call) else call

    async def _check_session(self, launch: Launch, *, reads_preferences: bool) -> None:
        session = find(await self._sessions.all(launch.registration), launch.session)
        why = refusal(session, micros(self._clock.now()), self._grace)
        if session is None or why is not None:
            raise Forbidden(why)
        if self._notes_preferences and reads_preferences and not session.preferences_read:
            await self._sessions.change(
                launch, lambda current: replace(current, preferences_read=True)
            )


def _is_for_the_guard(call: LrsRequest) -> bool:
    return call.resource is Resource.STATEMENTS and call.method != "GET"


def _is_preferences(call: LrsRequest) -> bool:
    return (
        call.resource is Resource.AGENT_PROFILE
        and call.parameters.profile_id == vocabulary.PREFERENCES
    )


def _reads_preferences(call: LrsRequest) -> bool:
    return call.method == "GET" and _is_preferences(call)


def _writes_preferences(call: LrsRequest) -> bool:
    return call.method in {"PUT", "POST"} and _is_preferences(call)


async def _with_good_preferences(call: LrsRequest) -> LrsRequest:
    """With the body that was read. A player takes 403 for no error (section 11)."""
    body = await call.body()
    problem = preferences_problem(media_type(call.content_type), body, whole=call.method == "PUT")
    if problem is not None:
        raise Forbidden(f"{vocabulary.PREFERENCES} {problem} (cmi5 section 11)")

    async def read() -> bytes:
        return body

    return replace(call, body=read)
