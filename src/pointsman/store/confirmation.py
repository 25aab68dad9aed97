"""Decides what the platform's own word means: confirmed, unconfirmed or contradicted. Pure.

A deliberate change on the platform is told from drift here and nowhere else: it is an event of its
own that happened after the work that it undoes. Nothing here asks who told first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from pointsman.domain.desired_state import Desired
from pointsman.domain.platform_events import (
    DELIBERATE_CHANGES,
    FactKey,
    FactSource,
    KnownFact,
    PlatformEvent,
    PlatformFact,
)
from pointsman.domain.targets import CourseStatus, TargetKind, Value
from pointsman.store.confirmation_records import CompletionState

#: what undoes a fact, so that the same fact after it is a new one
_UNDONE_BY: Mapping[PlatformFact, frozenset[PlatformFact]] = {
    PlatformFact.COMPLETED: DELIBERATE_CHANGES,
    PlatformFact.CERTIFICATE: frozenset({PlatformFact.CERTIFICATE_REVOKED}),
}


#: where each kind stands after a reset
_AFTER_RESET: Mapping[TargetKind, Value] = {
    TargetKind.TOPIC_PROGRESS: 0,
    TargetKind.COURSE_STATUS: CourseStatus.NOT_COMPLETED.value,
}
#: how far the platform's clock may be from ours, in microseconds
CLOCK_SKEW = 5_000_000


class Confirmation(StrEnum):
    """What is known of a completion beyond "delivered"."""

    #: it is not delivered yet
    UNDELIVERED = "undelivered"
    #: delivered, and not for so long that somebody should have confirmed it
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    #: somebody changed it on the platform afterwards, on purpose
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The answer for one completion; `source` and `at` say who told it and when."""

    state: Confirmation
    source: FactSource | None = None
    at: int = 0
    #: what contradicts it
    change: KnownFact | None = None


def learn(
    known: Mapping[FactKey, KnownFact], event: PlatformEvent, now: int
) -> tuple[KnownFact, bool] | None:
    """The fact that is to be kept, and whether it is news to tell; None where all is known.

    The time that is kept is the newest, so that the order in which events come has no say.
    """
    at = min(event.at, now)
    before = known.get((event.fact, event.topic))
    fresh = KnownFact(event.fact, at, event.source, now, event.value, event.topic)
    if before is None:
        return fresh, True
    if at <= before.at:
        return None
    undone_by = _UNDONE_BY.get(event.fact)
    if undone_by is None:
        return fresh, True
    if any(fact.fact in undone_by and before.at <= fact.at < at for fact in known.values()):
        return fresh, True
    # the same completion, told again with a later time
    return replace(before, at=at), False


def deliberate_change(
    facts: Iterable[KnownFact], occurred_at: int, topic: str = "", delivered_at: int | None = None
) -> KnownFact | None:
    """The newest change on the platform that undoes work of `occurred_at`; None where none does.

    With `topic`, a reset of that topic alone is one too. What was completed on the platform after
    the change has undone it, and so has what was delivered after it, by an operator's retry.
    """
    by_key = {fact.key: fact for fact in facts}
    changes = [fact for fact in by_key.values() if fact.fact in DELIBERATE_CHANGES]
    if topic and (reset := by_key.get((PlatformFact.TOPIC_RESET, topic))) is not None:
        changes.append(reset)
    newest = max(changes, key=lambda fact: (fact.at, fact.fact), default=None)
    completed = by_key.get((PlatformFact.COMPLETED, ""))
    if newest is None or newest.at < occurred_at:
        return None
    if delivered_at is not None and delivered_at > newest.at + CLOCK_SKEW:
        return None
    return None if completed is not None and completed.at > newest.at else newest


def is_of(row: Desired, fact: KnownFact) -> bool:
    """Whether the state is of what a fact is about: the whole place, or one topic."""
    is_topic = row.target.kind is TargetKind.TOPIC_PROGRESS
    return not fact.topic or (is_topic and row.target.key == fact.topic)


def value_after(row: Desired, fact: KnownFact) -> Value | None:
    """What the platform stands at after a deliberate change; None where that is not known."""
    if fact.fact is PlatformFact.PROGRESS_RESET:
        return _AFTER_RESET.get(row.target.kind)
    if fact.fact is PlatformFact.TOPIC_RESET:
        return 0 if is_of(row, fact) else None
    if fact.fact is PlatformFact.STATUS_CHANGED and row.target.kind is TargetKind.COURSE_STATUS:
        return fact.value if fact.value in set(CourseStatus) else None
    return None


def confirmation(state: CompletionState, *, now: int, unconfirmed_after: int) -> Confirmed:
    """What is known of one completion, as of `now`."""
    delivered_at = state.delivered_at if state.is_completed else None
    change = deliberate_change(state.facts, state.occurred_at, delivered_at=delivered_at)
    if change is not None:
        return Confirmed(Confirmation.CONTRADICTED, change.source, change.seen_at, change)
    by_fact = {fact.fact: fact for fact in state.facts}
    completed = by_fact.get(PlatformFact.COMPLETED)
    since = max((fact.at for fact in state.facts if fact.fact in DELIBERATE_CHANGES), default=-1)
    if completed is not None and completed.at > since:
        return Confirmed(Confirmation.CONFIRMED, completed.source, completed.seen_at)
    if state.delivered_at is None:
        return Confirmed(Confirmation.UNDELIVERED)
    if state.audit == "agrees" and state.audited_at is not None and state.audited_at > since:
        return Confirmed(Confirmation.CONFIRMED, FactSource.AUDIT, state.audited_at)
    late = now - state.delivered_at > unconfirmed_after
    return Confirmed(Confirmation.UNCONFIRMED if late else Confirmation.WAITING)


def certificate(facts: Iterable[KnownFact]) -> KnownFact | None:
    """The certificate that the learner has now; None without one, or where it was revoked."""
    by_fact = {fact.fact: fact for fact in facts}
    granted = by_fact.get(PlatformFact.CERTIFICATE)
    revoked = by_fact.get(PlatformFact.CERTIFICATE_REVOKED)
    if granted is None or (revoked is not None and revoked.at >= granted.at):
        return None
    return granted
