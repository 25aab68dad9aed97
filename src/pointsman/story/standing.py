"""Decides where one target stands, what happens next and when, and what a person can do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pointsman.domain.desired_state import Desired
from pointsman.domain.park_codes import CURED_BY_TOKEN, ParkCode
from pointsman.domain.quantities import counted
from pointsman.domain.targets import Recipient, TargetKind
from pointsman.store.history_records import HistoryTurn, QueuePlace, SentRequest, StoredState
from pointsman.store.records import Hold
from pointsman.story.confirmed import confirmation_words
from pointsman.story.facts import Facts
from pointsman.story.records import Cause, Standing
from pointsman.story.words import (
    PARKED,
    due_words,
    shell_word,
    split_next,
    target_words,
    time_words,
    value_words,
)

#: answers of the newest requests that speak of the platform as a whole
_GENERAL = {
    "unreachable": Cause.PLATFORM_AWAY,
    "throttled": Cause.QUOTA_SPENT,
    "key_refused": Cause.KEY_REFUSED,
}
_GENERAL_WORDS = {
    Cause.PLATFORM_AWAY: "the platform is unreachable",
    Cause.QUOTA_SPENT: "the platform's quota is spent",
    Cause.KEY_REFUSED: "the platform refuses platform.api_key",
}
_GENERAL_CURES: dict[Cause, tuple[str, ...]] = {
    Cause.PLATFORM_AWAY: ("see that the platform is up, and that platform.url is right",),
    Cause.KEY_REFUSED: ("correct platform.api_key, then pointsman reload",),
}
#: an answer that is older says nothing of now, in microseconds
_RECENT = 300_000_000
_AFTER_PAUSE, _RESUME = "it is sent after delivery is resumed", "pointsman resume"
_SOON = "it is sent within seconds"


def standing_of(stored: StoredState, facts: Facts) -> Standing:
    """Where one target stands."""
    desired = stored.desired
    base = Standing(
        cause=Cause.QUEUED,
        sentence="",
        next="",
        recipient=desired.recipient,
        target=desired.target,
        wanted=desired.value,
        delivered=desired.delivered_value,
        is_delivered=desired.version == desired.delivered_version,
        is_parked=bool(desired.parked),
    )
    if base.is_delivered:
        return _delivered(base, stored, facts)
    if desired.parked:
        return _parked(base, desired, facts)
    return _waiting(base, desired, facts)


def _what(base: Standing) -> str:
    assert base.target is not None  # noqa: S101 - it is made of a state, which has one
    return f"{target_words(base.target, base.recipient)} = {value_words(base.wanted)}"


def _delivered(base: Standing, stored: StoredState, facts: Facts) -> Standing:
    sentence = f"{_what(base)} is delivered"
    if stored.delivered_at is not None:
        sentence += f", since {time_words(stored.delivered_at)}"
    told = confirmation_words(stored, facts)
    if not told.words and stored.audit == "agrees" and stored.audited_at is not None:
        sentence += f", and the platform showed it at {time_words(stored.audited_at)}"
    if told.cause is Cause.DELIVERED and stored.audit == "suspected" and stored.audited_at:
        return replace(
            base,
            cause=Cause.SUSPECTED,
            sentence=f"{sentence}{told.words}, and the platform showed something else at "
            f"{time_words(stored.audited_at)}",
            next="it is looked at once more, and sent again if it still differs",
        )
    return replace(
        base, cause=told.cause, sentence=f"{sentence}{told.words}", next=told.next, cure=told.cure
    )


def _parked(base: Standing, desired: Desired, facts: Facts) -> Standing:
    code = desired.park_code or ParkCode.UNKNOWN
    recipient = desired.recipient
    retry = f"pointsman parked retry --learner {shell_word(str(recipient))}"
    reason, step = split_next(desired.parked)
    sentence = f"{_what(base)}{PARKED}{reason}"
    next_step = "it waits until somebody acts"
    cure: tuple[str, ...] = (retry,)
    if code in CURED_BY_TOKEN:
        next_step = "it is sent by itself once the learner has a new authToken"
        cure = tuple(filter(None, [facts.token_cure, retry]))
    elif code is ParkCode.PAUSED:
        next_step = _AFTER_PAUSE
        cure = (f"{_RESUME} --kind {desired.target.kind.value}",)
    elif code is ParkCode.REFUSED_BY_PLATFORM:
        changed = f"after a change of the rules: pointsman reload, then {_replay(desired)}"
        cure = (f"{step}; {changed}", retry) if step else (retry,)
    elif code is ParkCode.WAITS_FOR:
        next_step = "it follows by itself once what it waits for is delivered"
        cure = tuple(_awaited(desired, facts))
    elif code is ParkCode.DRIFT and desired.read_back is not None:
        place = desired.read_back
        shown = (
            f"pointsman platform course progress {shell_word(place.key)}"
            f" --learner {shell_word(str(recipient))}"
            if place.kind.value == "course"
            else "pointsman audit"
        )
        cure = (shown, retry)
    return replace(base, cause=Cause(code.value), sentence=sentence, next=next_step, cure=cure)


def _awaited(desired: Desired, facts: Facts) -> Iterator[str]:
    """How to see why the parked topics that it waits for are parked."""
    for stored in facts.history.states:
        other = stored.desired
        is_topic = other.target.kind is TargetKind.TOPIC_PROGRESS
        if other.target in desired.after and other.parked and is_topic:
            learner, topic = shell_word(str(other.recipient)), shell_word(other.target.key)
            yield f"pointsman explain --learner {learner} --topic {topic}"


def _replay(desired: Desired) -> str:
    return f"pointsman replay --since {time_words(desired.since)}"


def _waiting(base: Standing, desired: Desired, facts: Facts) -> Standing:
    now = facts.now
    place = _place(desired.recipient, facts)
    waits = f"{_what(base)} waits to be sent, since {time_words(desired.since)}"
    kind = desired.target.kind
    if paused := facts.paused or facts.paused_kinds.get(kind, ""):
        return replace(
            base,
            cause=Cause.PAUSED,
            sentence=f"{waits}: delivery is paused ({paused})",
            next=_AFTER_PAUSE,
            cure=(_RESUME if facts.paused else f"{_RESUME} --kind {kind.value}",),
        )
    if place is not None and place.hold == Hold.LEASE and place.ready_at > now:
        return replace(
            base,
            cause=Cause.SENDING,
            sentence=f"{_what(base)} is being sent",
            next="the answer comes within moments",
            next_at=place.ready_at,
        )
    ready_at = max(desired.retry_at, 0 if place is None or place.is_ready else place.ready_at)
    cause, why, cure, until = _why_it_waits(desired, facts)
    next_at = max(ready_at, until)
    if next_at > now:
        next_step = f"it is tried again by itself {due_words(next_at, now)}"
    else:
        next_step, next_at = _SOON, now
    return replace(
        base,
        cause=cause,
        sentence=f"{waits}{why}",
        next=next_step,
        next_at=next_at,
        cure=cure,
    )


def _why_it_waits(desired: Desired, facts: Facts) -> tuple[Cause, str, tuple[str, ...], int]:
    """(cause, words, cure, until when) of state that is neither delivered nor parked."""
    own = _last_request(facts.history.turns, desired)
    newest = next((request for turn in facts.newest_turns for request in turn.requests), None)
    request = newest if newest is not None and facts.now - newest.at < _RECENT else own
    cause = _GENERAL.get("" if request is None else request.answer)
    if request is not None and cause is not None and (request is newest or desired.retry_at):
        said = f": {_GENERAL_WORDS[cause]} ({request.words})"
        return cause, said, _GENERAL_CURES.get(cause, ()), 0
    quota = facts.quota
    if quota is not None and quota.ends_at > facts.now and min(quota.points, quota.requests) <= 0:
        left = (
            f": the quota of this window is spent, which ends {due_words(quota.ends_at, facts.now)}"
        )
        return Cause.QUOTA_SPENT, left, (), quota.ends_at
    if desired.failures or desired.retry_at > facts.now:
        said = _last_reason(facts.history.turns, desired)
        words = f": it failed {counted(desired.failures, 'time')}" if desired.failures else ""
        return Cause.RETRIED, f"{words}{f' ({said})' if said else ''}", (), 0
    return Cause.QUEUED, "", (), 0


def _last_request(turns: tuple[HistoryTurn, ...], desired: Desired) -> SentRequest | None:
    for turn in reversed(turns):
        for request in reversed(turn.requests):
            if any(mutation.target == desired.target for mutation in request.mutations):
                return request
    return None


def _last_reason(turns: tuple[HistoryTurn, ...], desired: Desired) -> str:
    for turn in reversed(turns):
        for settled in turn.settled:
            if settled.target == desired.target and settled.recipient == desired.recipient:
                return settled.reason
    return ""


def _place(recipient: Recipient, facts: Facts) -> QueuePlace | None:
    places: Mapping[Recipient, QueuePlace] = {
        place.recipient: place for place in facts.history.queue
    }
    return places.get(recipient)
