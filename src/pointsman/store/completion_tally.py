"""Adds up what is known of completions, by place, and names those that are stuck. Pure."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from pointsman.domain.platform_events import FactSource, PlatformFact
from pointsman.domain.targets import ReadBackPlace
from pointsman.store.confirmation import Confirmation, Confirmed, certificate, confirmation
from pointsman.store.confirmation_records import CompletionState, Stage

#: microseconds within which a completion should be confirmed, from its arrival
IN_TIME = 300_000_000


@dataclass(frozen=True, slots=True)
class Expectations:
    """What is late, in microseconds, and the rules whose completions bring a certificate."""

    unconfirmed_after: int
    certificate_after: int
    with_certificate: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Stuck:
    """A completion that does not come further than `stage`, and when it should have."""

    learner: str
    place: ReadBackPlace
    stage: Stage
    since: int
    reason: str
    next: str


@dataclass(slots=True)
class PlaceTally:
    """Completions of one course or path. `in_time` of `judged` were confirmed in time."""

    place: ReadBackPlace
    completions: int = 0
    states: Counter[Confirmation] = field(default_factory=Counter)
    by: Counter[FactSource] = field(default_factory=Counter)
    certificates: int = 0
    judged: int = 0
    in_time: int = 0

    def add(self, state: CompletionState, confirmed: Confirmed, now: int) -> None:
        self.completions += 1
        self.states[confirmed.state] += 1
        if certificate(state.facts) is not None:
            self.certificates += 1
        if confirmed.state is Confirmation.CONFIRMED and confirmed.source is not None:
            self.by[confirmed.source] += 1
            self.judged += 1
            self.in_time += confirmed.at - state.finished_at <= IN_TIME
        elif confirmed.state is not Confirmation.CONTRADICTED:
            self.judged += now - state.finished_at > IN_TIME


def judged(state: CompletionState, expected: Expectations, now: int) -> Confirmed | None:
    """What is known of it; None where it is no completion, and none that was undone."""
    confirmed = confirmation(state, now=now, unconfirmed_after=expected.unconfirmed_after)
    if state.is_completed or confirmed.state is Confirmation.CONTRADICTED:
        return confirmed
    return confirmed if confirmed.state is Confirmation.CONFIRMED else None


def tally(
    states: Iterable[CompletionState], expected: Expectations, now: int
) -> dict[ReadBackPlace, PlaceTally]:
    """By place."""
    places: dict[ReadBackPlace, PlaceTally] = {}
    for state in states:
        confirmed = judged(state, expected, now)
        if confirmed is not None:
            places.setdefault(state.place, PlaceTally(state.place)).add(state, confirmed, now)
    return places


def stuck(state: CompletionState, expected: Expectations, now: int) -> Stuck | None:
    """Where and why it does not go on; None where nothing is late."""
    confirmed = judged(state, expected, now)
    if confirmed is None:
        return None

    def at(stage: Stage, since: int, reason: str, next_step: str) -> Stuck:
        return Stuck(state.learner, state.place, stage, since, reason, next_step)

    explain = f"pointsman explain --learner {shlex.quote(state.learner)}"
    match confirmed.state:
        case Confirmation.UNDELIVERED:
            if not state.parked and now - state.finished_at <= expected.unconfirmed_after:
                return None
            reason = f"parked: {state.parked}" if state.parked else "it waits to be sent"
            return at(Stage.FINISHED, state.finished_at, reason, explain)
        case Confirmation.UNCONFIRMED:
            since = state.delivered_at or state.finished_at
            return at(
                Stage.DELIVERED, since, "delivered, and nobody confirmed it", UNCONFIRMED_CURE
            )
        case Confirmation.CONTRADICTED:
            fact = confirmed.change.fact if confirmed.change is not None else ""
            reason = f"somebody changed it on the platform on purpose: {fact}".replace("_", " ")
            return at(Stage.DELIVERED, confirmed.at, reason, explain)
        case Confirmation.CONFIRMED if _lacks_certificate(state, confirmed, expected, now):
            return at(
                Stage.CONFIRMED,
                confirmed.at,
                "completed, and its certificate has not come",
                "see on the platform why it grants none; its rule says certificate = true",
            )
        case _:
            return None


#: what to do about a completion that nobody confirmed
UNCONFIRMED_CURE = (
    "see that the platform's webhook reaches /confirmations/NAME, or give [confirmations.feed]; "
    "the audit reads it when delivery leaves quota over"
)


def _lacks_certificate(
    state: CompletionState, confirmed: Confirmed, expected: Expectations, now: int
) -> bool:
    pending = any(fact.fact is PlatformFact.CERTIFICATE_PENDING for fact in state.facts)
    wanted = state.rule in expected.with_certificate or pending
    late = now - confirmed.at > expected.certificate_after
    return wanted and late and certificate(state.facts) is None
