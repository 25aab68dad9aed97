"""A session's commits in their order: which is the newest, and where it left the course. Pure.

`commitSequence` counts from 1 in each run of a player, and a queue that was offline may send an
early commit after a later one. So a number that fills a gap is late, and one that comes again with
other content begins a new run. A player that names its runs (`?session=`) leaves no doubt.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pointsman.statements.scorm.commit import Commit, Version

#: commits remembered in a session; later ones than these are never sent again by a player
_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class SeenCommit:
    """A commit that came; `at` is the time it counts as, in microseconds since the epoch."""

    run: int
    player: str
    sequence: int | None
    digest: str
    at: int


@dataclass(frozen=True, slots=True)
class ScormSession:
    """What is known of one registration."""

    #: in the order in which they count
    seen: tuple[SeenCommit, ...] = ()
    version: Version | None = None
    #: run-time data of the newest commit that had any
    cmi: dict[str, Any] = field(default_factory=dict)
    #: commits that were kept as dead letters
    letters: int = 0


@dataclass(frozen=True, slots=True)
class PlacedCommit:
    """Where a commit stands. `at` is the same whenever it comes again."""

    session: ScormSession
    at: int
    newest: bool


def place(session: ScormSession, commit: Commit, player: str, now: int) -> PlacedCommit:
    """Count a commit in that arrived now, in microseconds; `player` names the run, or is ""."""
    content = digest(commit)
    for one in reversed(session.seen):
        known = (one.player, one.sequence, one.digest) == (player, commit.sequence, content)
        # without a number only what changed nothing is a repeat
        if known and (commit.sequence is not None or one is session.seen[-1]):
            return PlacedCommit(session, one.at, newest=one is session.seen[-1])
    run = _run(session, commit, player)
    later = [one.at for one in session.seen if _is_later(one, run, commit.sequence)]
    newest = not later
    last = max((one.at for one in session.seen), default=0)
    at = max(now, last + 1) if newest else min(later) - 1
    seen = sorted(
        (*session.seen, SeenCommit(run, player, commit.sequence, content, at)),
        key=lambda one: one.at,
    )
    kept = replace(session, seen=tuple(seen[-_REMEMBERED:]))
    if newest and commit.cmi:
        kept = replace(kept, cmi=commit.cmi, version=commit.version)
    return PlacedCommit(kept, at, newest)


def _run(session: ScormSession, commit: Commit, player: str) -> int:
    if not session.seen:
        return 1
    current = max(one.run for one in session.seen)
    of_player = [one for one in session.seen if one.player == player]
    if player:
        return of_player[-1].run if of_player else current + 1
    again = any(
        one.run == current and one.sequence == commit.sequence
        for one in of_player
        if commit.sequence is not None
    )
    return current + 1 if again else current


def _is_later(one: SeenCommit, run: int, sequence: int | None) -> bool:
    """Only in its own run: of two tabs the one that the learner goes on in is the newer."""
    if one.run != run or one.sequence is None or sequence is None:
        return False
    return one.sequence > sequence


def digest(commit: Commit) -> str:
    """What tells a commit from another, its number apart."""
    told = asdict(replace(commit, sequence=None))
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def dump(session: ScormSession) -> bytes:
    """As its document, hardly larger than the body that it came in."""
    told = asdict(session)
    try:
        return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a text that was cut in the middle of an emoji
        return json.dumps(told, separators=(",", ":")).encode()


def load(document: bytes) -> ScormSession:
    found = json.loads(document)
    return ScormSession(**{**found, "seen": tuple(SeenCommit(**one) for one in found["seen"])})
