"""Says what the platform's own word makes of what is delivered. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.domain.desired_state import Desired
from pointsman.domain.platform_events import KnownFact, PlatformFact
from pointsman.domain.targets import ReadBackPlace, Target, TargetKind, is_completion
from pointsman.store.completion_tally import UNCONFIRMED_CURE
from pointsman.store.confirmation import (
    Confirmation,
    certificate,
    confirmation,
    deliberate_change,
    value_after,
)
from pointsman.store.confirmation_records import CompletionState
from pointsman.store.history_records import StoredState
from pointsman.store.merge import PLATFORM
from pointsman.story.facts import Facts
from pointsman.story.records import Cause, Event, EventKind
from pointsman.story.words import time_words

_NOTHING_MORE = "nothing more has to happen"
_WORDS = {
    PlatformFact.COMPLETED: "completed",
    PlatformFact.CERTIFICATE: "a certificate was granted",
    PlatformFact.CERTIFICATE_PENDING: "a certificate is pending",
    PlatformFact.CERTIFICATE_REVOKED: "the certificate was revoked",
    PlatformFact.PROGRESS_RESET: "the progress was reset",
    PlatformFact.TOPIC_RESET: "the progress of a topic was reset",
    PlatformFact.STATUS_CHANGED: "the status was changed",
    PlatformFact.ACCESS_REVOKED: "access was revoked",
}


@dataclass(frozen=True, slots=True)
class ConfirmedWords:
    """What follows "… is delivered", and what comes of it."""

    cause: Cause
    words: str = ""
    next: str = _NOTHING_MORE
    cure: tuple[str, ...] = ()


def confirmation_words(stored: StoredState, facts: Facts) -> ConfirmedWords:
    """Of one delivered state."""
    desired = stored.desired
    place = desired.read_back
    if place is None:
        return ConfirmedWords(Cause.DELIVERED)
    known = facts.platform.get(place, ())
    topic = desired.target.key if desired.target.kind is TargetKind.TOPIC_PROGRESS else ""
    # what was taken over from the platform was never delivered after the change
    delivered_at = None if desired.statement_id == PLATFORM else stored.delivered_at
    change = deliberate_change(known, desired.occurred_at, topic, delivered_at)
    if change is not None and not _is_of_the_course_alone(stored, change):
        return _contradicted(desired, change)
    is_course = desired.target.kind is TargetKind.COURSE_STATUS
    if not is_course or not is_completion(desired.target, desired.value):
        return ConfirmedWords(Cause.DELIVERED)
    confirmed = confirmation(
        _completion(stored, place, tuple(known)),
        now=facts.now,
        unconfirmed_after=facts.unconfirmed_after,
    )
    if confirmed.state is Confirmation.CONFIRMED and confirmed.source is not None:
        words = f"; confirmed by {confirmed.source.value} at {time_words(confirmed.at)}"
        if (granted := certificate(known)) is not None:
            words += f"; certificate by {granted.source.value} at {time_words(granted.seen_at)}"
        return ConfirmedWords(Cause.DELIVERED, words)
    if confirmed.state is Confirmation.UNCONFIRMED:
        return ConfirmedWords(
            Cause.UNCONFIRMED,
            "; nobody has confirmed it",
            "the audit reads it back when delivery leaves quota over",
            (UNCONFIRMED_CURE,),
        )
    return ConfirmedWords(Cause.DELIVERED)


def platform_events(facts: Facts) -> Iterator[Event]:
    """What the platform said by itself about what is asked for."""
    asked = {
        stored.desired.read_back
        for stored in facts.history.states
        if facts.question.is_about(stored.desired.target, stored.desired)
    }
    for place, known in facts.platform.items():
        if place not in asked:
            continue
        for fact in known:
            what = f" ({fact.value or fact.topic})" if fact.value or fact.topic else ""
            yield Event(
                at=fact.seen_at,
                kind=EventKind.PLATFORM,
                headline=f"the platform said by {fact.source.value}: {_WORDS[fact.fact]}{what}",
                details=(f"{place}, happened {time_words(fact.at)}",),
                data={
                    "place": str(place),
                    "fact": fact.fact.value,
                    "by": fact.source.value,
                    "happenedAt": time_words(fact.at),
                    "value": fact.value,
                    "topic": fact.topic,
                },
            )


def _contradicted(desired: Desired, change: KnownFact) -> ConfirmedWords:
    words = (
        f"; {_WORDS[change.fact]} on the platform on purpose at {time_words(change.at)}, reported "
        f"by {change.source.value} at {time_words(change.seen_at)}"
    )
    if desired.statement_id == PLATFORM:
        return ConfirmedWords(
            Cause.CONTRADICTED, words, "what the learner does after that counts from there"
        )
    cure = ["undo it on the platform if it was a mistake"]
    if value_after(desired, change) is not None:  # what is only shown, no setting takes over
        cure.append(
            f'on_platform_change = "platform_wins" in rule {desired.rule!r}, '
            "if such changes have to count from now on"
        )
    return ConfirmedWords(
        Cause.CONTRADICTED,
        words,
        "it is not sent again; later work of the learner is",
        tuple(cure),
    )


def _is_of_the_course_alone(stored: StoredState, change: KnownFact) -> bool:
    """A changed status leaves topics as they are, as long as the audit saw nothing else."""
    is_topic = stored.desired.target.kind is TargetKind.TOPIC_PROGRESS
    is_status = change.fact is PlatformFact.STATUS_CHANGED
    return is_topic and is_status and stored.audit != "contradicted"


def _completion(
    stored: StoredState, place: ReadBackPlace, known: tuple[KnownFact, ...]
) -> CompletionState:
    desired = stored.desired
    target: Target = desired.target
    return CompletionState(
        learner=str(desired.recipient),
        place=place,
        target=target,
        rule=desired.rule,
        is_completed=True,
        finished_at=desired.changed_at,
        occurred_at=desired.occurred_at,
        delivered_at=stored.delivered_at,
        parked=desired.parked,
        audit=stored.audit,
        audited_at=stored.audited_at,
        facts=known,
    )
