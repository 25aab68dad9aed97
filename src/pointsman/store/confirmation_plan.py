"""Plans what events of the platform change in the store: facts, desired state, parking. No I/O.

A store loads all that the events may be about, lets the plan take each event in order, and writes
what the plan then holds. Both stores share it, as they share the plan of a commit.

What a deliberate change does, where the rule says `platform_wins`:
- a progress reset: topics at the place stand at 0 and the course at `not-completed`, delivered;
  what was gathered for them is forgotten; what happened before the reset counts no longer
- a reset topic: that topic stands at 0, in the same way
- a changed status: the course stands at that status, delivered; topics stay
- revoked access: nothing is taken over, for nothing could be sent
With `show`, what is delivered stays and what waits to be sent is parked.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pointsman.domain.desired_state import Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.platform_events import (
    DELIBERATE_CHANGES,
    FactKey,
    KnownFact,
    PlatformEvent,
    PlatformFact,
)
from pointsman.domain.targets import (
    CourseStatus,
    Recipient,
    Target,
    TargetKind,
    Value,
    is_completion,
    rank,
)
from pointsman.store.confirmation import CLOCK_SKEW, is_of, learn, value_after
from pointsman.store.confirmation_records import EventOutcome, TakenEvent
from pointsman.store.merge import PLATFORM

Facts = dict[FactKey, KnownFact]
_Key = tuple[str, str]

_WORDS = {
    PlatformFact.PROGRESS_RESET: "the progress was reset",
    PlatformFact.TOPIC_RESET: "the progress of the topic was reset",
    PlatformFact.STATUS_CHANGED: "the status was changed",
    PlatformFact.ACCESS_REVOKED: "access was revoked",
}


@dataclass(slots=True)
class ConfirmationPlan:
    """`states` are by learner and `read_back`, `facts` the same; `now` is when the events came.

    `shown_only` are the names of the rules with `on_platform_change = "show"`.
    """

    states: dict[_Key, list[Desired]]
    facts: dict[_Key, Facts]
    now: int
    shown_only: Collection[str] = ()
    #: when state was delivered that was
    delivered_at: Mapping[tuple[Recipient, Target], int | None] = field(default_factory=dict)
    #: facts to write, by learner, place and what they are
    learned: dict[tuple[str, str, FactKey], KnownFact] = field(default_factory=dict)
    #: state that took the platform's value, to write whole
    taken_over: dict[tuple[Recipient, Target], tuple[Value, Desired]] = field(default_factory=dict)
    #: state that waits, to park
    parked: dict[tuple[Recipient, Target], Desired] = field(default_factory=dict)

    def take(self, event: PlatformEvent) -> TakenEvent:
        """Learn one event."""
        place = str(event.place)
        learner = next((name for name in event.names if (name, place) in self.states), None)
        if learner is None:
            return TakenEvent(event, EventOutcome.UNKNOWN)
        key = (learner, place)
        if event.fact is PlatformFact.STATUS_CHANGED and self._is_our_own(key, event):
            return TakenEvent(event, EventOutcome.REPEATED, learner)
        known = self.facts.setdefault(key, {})
        learned = learn(known, event, self.now)
        if learned is None:
            return TakenEvent(event, EventOutcome.REPEATED, learner)
        fact, is_news = learned
        known[fact.key] = self.learned[learner, place, fact.key] = fact
        if not is_news:
            return TakenEvent(event, EventOutcome.REPEATED, learner)
        if event.fact in DELIBERATE_CHANGES or event.fact is PlatformFact.TOPIC_RESET:
            return TakenEvent(event, self._change(key, fact), learner)
        return TakenEvent(event, EventOutcome.NEWS, learner, self._seconds(key, event.fact))

    def _is_our_own(self, key: _Key, event: PlatformEvent) -> bool:
        """Whether a changed status tells of what was delivered, and of nothing against it.

        The platform tells of each change, whoever made it, and perhaps before it answers the
        request that did. Only one that takes back what was delivered, some time after that, and is
        not what is wanted now, is somebody else's; and a newer completion has undone that too.
        """
        completed = self.facts.get(key, {}).get((PlatformFact.COMPLETED, ""))
        if completed is not None and completed.at > event.at:
            return True
        for row in self.states[key]:
            if row.target.kind is not TargetKind.COURSE_STATUS or row.delivered_value is None:
                continue
            if event.value == row.value:
                continue
            taken_back = event.value not in set(CourseStatus) or (
                rank(row.target, event.value) < rank(row.target, row.delivered_value)
            )
            delivered_at = self.delivered_at.get((row.recipient, row.target)) or 0
            if taken_back and event.at > delivered_at + CLOCK_SKEW:
                return False
        return True

    def reset_learners(self) -> set[str]:
        """Those of whom evidence may have to be forgotten."""
        return {str(recipient) for recipient, _ in self.taken_over}

    def is_void(self, learner: str, evidence_key: str) -> bool:
        """Whether what was gathered under this key was for state that took another value."""
        # a target's key is a word of the evidence's, see mapping/completion.py
        return any(
            str(recipient) == learner and f" {target.key} " in f"{evidence_key} "
            for recipient, target in self.taken_over
        )

    def _change(self, key: _Key, fact: KnownFact) -> EventOutcome:
        """Somebody changed the place on purpose."""
        outcome = EventOutcome.CONTRADICTED
        rows = self.states[key]
        for number, row in enumerate(rows):
            if row.occurred_at > fact.at or not is_of(row, fact):
                continue  # the learner went on after it, or it is another topic
            if row.rule in self.shown_only:
                self._park(row, fact)
            elif (value := value_after(row, fact)) is not None:
                rows[number] = self._take_over(row, value, fact.at)
                outcome = EventOutcome.TAKEN_OVER
        return outcome

    def _park(self, row: Desired, fact: KnownFact) -> None:
        if row.version > row.delivered_version and not row.parked:
            reason = (
                f"changed on the platform: {_WORDS[fact.fact]} after the work that waits to be "
                f"sent (next: if it has to be sent anyway, pointsman parked retry --learner "
                f"{shlex.quote(str(row.recipient))})"
            )
            parked = replace(row, parked=reason, park_code=ParkCode.PLATFORM_CHANGED)
            self.parked[row.recipient, row.target] = parked

    def _take_over(self, row: Desired, value: Value, at: int) -> Desired:
        moved = after_platform_change(row, value, at, self.now)
        self.taken_over[row.recipient, row.target] = row.value, moved
        return moved

    def _seconds(self, key: _Key, fact: PlatformFact) -> float | None:
        """From the arrival of the completion to now."""
        if fact not in {PlatformFact.COMPLETED, PlatformFact.CERTIFICATE}:
            return None
        finished = finished_at(self.states[key])
        return None if finished is None else max(0, self.now - finished) / 1e6


def finished_at(rows: Iterable[Desired]) -> int | None:
    """When the statement arrived that completed the course; None where none did."""
    return next(
        (
            row.changed_at
            for row in rows
            if row.target.kind is TargetKind.COURSE_STATUS and is_completion(row.target, row.value)
        ),
        None,
    )


def after_platform_change(row: Desired, value: Value, at: int, now: int) -> Desired:
    """The state with the platform's value, delivered; only what happens after `at` moves it."""
    version = row.version + 1
    return replace(
        row,
        value=value,
        version=version,
        delivered_version=version,
        delivered_value=value,
        occurred_at=at,
        statement_id=PLATFORM,
        since=now,
        changed_at=now,
        attempts=(),
        after=(),
        failures=0,
        retry_at=0,
        parked="",
        park_code=None,
        reset_at=at,
    )
