"""Decides how the sessions of one registration begin and end.

A launch opens one; the player, or the next launch, ends it. Pure.
cmi5 sections 8.2 (the fetch URL is good once), 9.3.6 (abandoned) and 9.3.8 (terminated).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import orjson

from pointsman.domain.launch import LaunchMode

#: sessions of a registration that are remembered, the newest
_MOST = 100


@dataclass(frozen=True, slots=True)
class Cmi5Session:
    """One launch of an assignable unit; times in microseconds since the epoch."""

    #: what cmi5 calls the session ID (section 9.6.3.1), a UUID
    id: str
    opened_at: int
    mode: LaunchMode = LaunchMode.NORMAL
    #: its fetch URL was used
    fetched: bool = False
    #: it asked for the learner's preferences; noted where conflicts are rejected
    preferences_read: bool = False
    #: its `initialized` was stored
    begun: bool = False
    #: the verbs of what it said that cmi5 defines, and that conflicts with nothing
    said: tuple[str, ...] = ()
    #: when its `terminated` arrived
    terminated_at: int | None = None
    #: when a newer launch took its place before it was terminated
    superseded_at: int | None = None

    @property
    def was_abandoned(self) -> bool:
        """One that never got its credential has not begun, and is only over."""
        return self.superseded_at is not None and self.fetched


Sessions = tuple[Cmi5Session, ...]
_FIELDS = frozenset(field.name for field in fields(Cmi5Session))


def with_new(sessions: Sessions, new: Cmi5Session) -> Sessions:
    """`new` in the place of the newest, which is over unless it was terminated."""
    if sessions and sessions[-1].terminated_at is None:
        over = replace(sessions[-1], superseded_at=new.opened_at)
        sessions = (*sessions[:-1], over)
    return (*sessions, new)[-_MOST:]


def find(sessions: Sessions, session_id: str) -> Cmi5Session | None:
    return next((session for session in reversed(sessions) if session.id == session_id), None)


def changed(
    sessions: Sessions, session_id: str, change: Callable[[Cmi5Session], Cmi5Session]
) -> Sessions:
    return tuple(change(session) if session.id == session_id else session for session in sessions)


def may_be_fetched(session: Cmi5Session | None) -> bool:
    """Whether the fetch URL gives its credential: once, while the session lasts."""
    return (
        session is not None
        and not session.fetched
        and session.terminated_at is None
        and session.superseded_at is None
    )


def dump(sessions: Sessions) -> bytes:
    return orjson.dumps([asdict(session) for session in sessions])


def load(content: bytes) -> Sessions:
    sessions: list[dict[str, Any]] = orjson.loads(content)
    return tuple(map(_read, sessions))


def _read(session: dict[str, Any]) -> Cmi5Session:
    """What a newer version added is left out, so that both can run beside each other."""
    known = {name: value for name, value in session.items() if name in _FIELDS}
    return Cmi5Session(
        **{**known, "mode": LaunchMode(known["mode"]), "said": tuple(known.get("said", ()))}
    )
