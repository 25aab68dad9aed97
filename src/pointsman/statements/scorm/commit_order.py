"""Puts a session's commits in order and keeps what the newest left to resume. Pure.

`commitSequence` counts from 1 in each run of a player, and a queue that was offline may send an
early commit after a later one. So a number that fills a gap is late, and one that comes again with
other content begins a new run. A player that names its runs (`?session=`) leaves no doubt.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields, replace
from typing import Any

from pointsman.domain.frozen import record
from pointsman.statements.scorm.commit import Commit, CommitScore, Version

#: commits remembered in a session; later ones than these are never sent again by a player
_MAX_COMMITS = 64
_SCORE = tuple(one.name for one in fields(CommitScore))
#: what a commit is told from others by; `left_out` stands in `cmi` too, and was no part of the ids
#: that earlier versions gave
_TOLD = tuple(one.name for one in fields(Commit) if one.name not in {"sequence", "left_out"})


@record
class SeenCommit:
    """A commit that came; `at` is the time it counts as, in microseconds since the epoch."""

    run: int
    player: str
    sequence: int | None
    digest: str
    at: int


_SEEN = tuple(one.name for one in fields(SeenCommit))


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
class OrderedCommit:
    """Where a commit stands. `at` is the same whenever it comes again."""

    session: ScormSession
    at: int
    newest: bool


def order_commit(session: ScormSession, commit: Commit, player: str, now: int) -> OrderedCommit:
    """Count a commit in that arrived now, in microseconds; `player` names the run, or is ""."""
    content = digest(commit)
    for seen in reversed(session.seen):
        is_known = (seen.player, seen.sequence, seen.digest) == (player, commit.sequence, content)
        # without a number only what changed nothing is a repeat
        if is_known and (commit.sequence is not None or seen is session.seen[-1]):
            return OrderedCommit(session, seen.at, newest=seen is session.seen[-1])
    run = _run_of(session, commit, player)
    later = [seen.at for seen in session.seen if _is_later(seen, run, commit.sequence)]
    newest = not later
    last = max((seen.at for seen in session.seen), default=0)
    at = max(now, last + 1) if newest else min(later) - 1
    commits = sorted(
        (*session.seen, SeenCommit(run, player, commit.sequence, content, at)),
        key=lambda seen: seen.at,
    )
    updated = replace(session, seen=tuple(commits[-_MAX_COMMITS:]))
    if newest and commit.cmi:
        updated = replace(updated, cmi=commit.cmi, version=commit.version)
    return OrderedCommit(updated, at, newest)


def _run_of(session: ScormSession, commit: Commit, player: str) -> int:
    if not session.seen:
        return 1
    current = max(seen.run for seen in session.seen)
    of_player = [seen for seen in session.seen if seen.player == player]
    if player:
        return of_player[-1].run if of_player else current + 1
    again = any(
        seen.run == current and seen.sequence == commit.sequence
        for seen in of_player
        if commit.sequence is not None
    )
    return current + 1 if again else current


def _is_later(seen: SeenCommit, run: int, sequence: int | None) -> bool:
    """Only in its own run: of two tabs the one that the learner goes on in is the newer."""
    if seen.run != run or seen.sequence is None or sequence is None:
        return False
    return seen.sequence > sequence


def digest(commit: Commit) -> str:
    """What tells a commit from another, its number apart."""
    told: dict[str, Any] = {name: getattr(commit, name) for name in _TOLD}
    told["sequence"] = None
    if commit.score is not None:
        told["score"] = {name: getattr(commit.score, name) for name in _SCORE}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def session_to_json(session: ScormSession) -> bytes:
    """As its document, hardly larger than the body that it came in."""
    # not `asdict`, which copies all of cmi and takes most of a commit's time
    document = {
        "seen": [{name: getattr(commit, name) for name in _SEEN} for commit in session.seen],
        "version": session.version,
        "cmi": session.cmi,
        "letters": session.letters,
    }
    try:
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a text that was cut in the middle of an emoji
        return json.dumps(document, separators=(",", ":")).encode()


def session_from_json(document: bytes) -> ScormSession:
    fields = json.loads(document)
    return ScormSession(
        **{**fields, "seen": tuple(SeenCommit(**commit) for commit in fields["seen"])}
    )
