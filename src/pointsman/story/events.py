"""Makes the lines of a story: each input, delivery and reading, in the order of time. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pointsman.domain.records import Observation
from pointsman.domain.targets import Target
from pointsman.store.history_records import (
    HistoryMove,
    HistoryTurn,
    MoveResult,
    SentRequest,
    SettledState,
)
from pointsman.store.merge import PLATFORM
from pointsman.story.confirmed import platform_events
from pointsman.story.facts import Facts, InputFact
from pointsman.story.records import Event, EventKind
from pointsman.story.uncounted import of_input
from pointsman.story.words import target_words, time_words, value_words

_RESULTS = {
    MoveResult.SAME: "no change: wanted already",
    MoveResult.LOWER: "no change: it is less, and the rule lets nothing fall",
    MoveResult.OLDER: "no change: it happened before what is there",
    MoveResult.OTHER_ATTEMPT: "no change: it belongs to an older attempt",
    MoveResult.BEFORE_RESET: "no change: the platform was changed on purpose after it happened",
    MoveResult.INCOMPLETE: "counted; more has to come",
    MoveResult.DUPLICATE: "no change: this statement was counted before",
}


def events_of(facts: Facts) -> list[Event]:
    """All that is known, the oldest first."""
    events = [
        *_inputs(facts),
        *(_letter_events(facts)),
        *(event for turn in facts.history.turns for event in _turn_events(turn, facts)),
        *platform_events(facts),
    ]
    return sorted(events, key=lambda event: event.at)


def asked_for(facts: Facts, target: Target) -> bool:
    """Whether the question is about it, as far as states are known."""
    states = {stored.desired.target: stored.desired for stored in facts.history.states}
    return facts.question.is_about(target, states.get(target))


def _inputs(facts: Facts) -> Iterator[Event]:
    by_commit: dict[tuple[str, int], list[HistoryMove]] = {}
    for move in facts.history.moves:
        by_commit.setdefault((move.statement_id, move.at), []).append(move)
    told: set[str] = set()
    for (statement_id, _), moves in by_commit.items():
        told.add(statement_id)
        wanted = [move for move in moves if asked_for(facts, move.target)]
        if wanted and not _is_other_input(facts, statement_id):
            yield _move_event(wanted, facts.inputs.get(statement_id))
    for fact in facts.inputs.values():
        if fact.statement_id not in told:
            yield _uncounted_event(fact, facts)


def _is_other_input(facts: Facts, statement_id: str) -> bool:
    return facts.question.names_inputs and statement_id not in facts.inputs


def _move_event(moves: list[HistoryMove], fact: InputFact | None) -> Event:
    first = moves[0]
    observation = None
    if fact is not None and fact.reading is not None:
        observation = fact.reading.observation
    details = [f"taken by the rule {first.rule!r}"] if first.rule else []
    details += [_change_words(move) for move in moves]
    return Event(
        at=first.received_at,
        kind=EventKind.INPUT,
        headline=_headline(first.source, first.statement_id, first.occurred_at, observation),
        details=tuple(details),
        data={
            "statement": first.statement_id,
            "source": first.source,
            "happenedAt": time_words(first.occurred_at),
            "rule": first.rule,
            "moves": [
                {
                    "kind": move.target.kind.value,
                    "key": move.target.key,
                    "wanted": move.wanted,
                    "before": move.before,
                    "after": move.after,
                    "result": move.result.value,
                }
                for move in moves
            ],
        },
    )


def _change_words(move: HistoryMove) -> str:
    what = target_words(move.target, move.recipient)
    if move.result is MoveResult.MOVED:
        return f"{what}: {value_words(move.before)} -> {value_words(move.after)}"
    asked = "" if move.wanted is None else f" = {value_words(move.wanted)}"
    return f"{what}{asked}: {_RESULTS[move.result]}"


def _headline(
    source: str, statement_id: str, occurred_at: int, observation: Observation | None
) -> str:
    if not source and statement_id == PLATFORM:
        return "taken over from the platform, where somebody changed it on purpose"
    if not source:
        return "read from the platform by import-state"
    said = "" if observation is None else f"{_said(observation)}, "
    return f"{source}: {said}statement {statement_id}, happened {time_words(occurred_at)}"


def _said(observation: Observation) -> str:
    verb = observation.verb.rstrip("/").rpartition("/")[2]
    words = [f"{verb} {observation.activity}"]
    if observation.progress is not None:
        words.append(f"progress {observation.progress:g} %")
    for name, value in (("completion", observation.completion), ("success", observation.success)):
        if value is not None:
            words.append(f"{name} {str(value).lower()}")
    if observation.score is not None:
        words.append(f"score {observation.score:g}")
    return ", ".join(words)


def _uncounted_event(fact: InputFact, facts: Facts) -> Event:
    standing = of_input(fact, facts)
    reading = fact.reading
    observation = None if reading is None else reading.observation
    occurred_at = fact.received_at if observation is None else observation.occurred_at
    return Event(
        at=fact.received_at,
        kind=EventKind.INPUT,
        headline=_headline(fact.source, fact.statement_id, occurred_at, observation),
        details=(standing.sentence,),
        data={
            "statement": fact.statement_id,
            "source": fact.source,
            "happenedAt": time_words(occurred_at),
            "outcome": fact.outcome.value,
            "cause": standing.cause.value,
            "verb": "" if reading is None else reading.verb,
            "activity": "" if reading is None else reading.activity,
        },
    )


def _letter_events(facts: Facts) -> Iterator[Event]:
    for letter in facts.dead_letters:
        yield Event(
            at=letter.received_at,
            kind=EventKind.DEAD_LETTER,
            headline=f"{letter.source}: dead letter {letter.id}, {letter.origin}",
            details=(letter.reason,),
            data={"letter": letter.id, "source": letter.source, "reason": letter.reason},
        )


def _turn_events(turn: HistoryTurn, facts: Facts) -> Iterator[Event]:
    for request in turn.requests:
        if any(asked_for(facts, mutation.target) for mutation in request.mutations):
            yield _request_event(request, facts)
    if not turn.requests:
        settled = [one for one in turn.settled if asked_for(facts, one.target)]
        if settled:
            yield _held_back_event(turn, settled)
    readings = [one for one in turn.read_back if asked_for(facts, one.target)]
    if readings:
        yield Event(
            at=turn.at,
            kind=EventKind.READ_BACK,
            headline="read back from the platform",
            details=tuple(
                f"{target_words(one.target)}: {one.result}{one.reason and ': '}{one.reason}"
                for one in readings
            ),
            data={
                "readings": [
                    {
                        "kind": one.target.kind.value,
                        "key": one.target.key,
                        "result": one.result,
                        "reason": one.reason,
                    }
                    for one in readings
                ]
            },
        )


def _request_event(request: SentRequest, facts: Facts) -> Event:
    mutations = [one for one in request.mutations if asked_for(facts, one.target)]
    words = f" ({request.words})" if request.words else ""
    return Event(
        at=request.at,
        kind=EventKind.SENT,
        headline=(
            f"request {request.id}, {request.points} points, {request.seconds:.2f} s: "
            f"{request.answer}{words}"
        ),
        details=tuple(
            f"{target_words(one.target)} = {value_words(one.value)}: {one.verdict}"
            f"{one.words and ': '}{one.words}"
            for one in mutations
        ),
        data={
            "request": request.id,
            "points": request.points,
            "seconds": request.seconds,
            "answer": request.answer,
            "words": request.words,
            "mutations": [
                {
                    "kind": one.target.kind.value,
                    "key": one.target.key,
                    "value": one.value,
                    "verdict": one.verdict,
                    "words": one.words,
                }
                for one in mutations
            ],
        },
    )


def _held_back_event(turn: HistoryTurn, settled: list[SettledState]) -> Event:
    return Event(
        at=turn.at,
        kind=EventKind.HELD_BACK,
        headline="not sent",
        details=tuple(
            f"{target_words(one.target, one.recipient)} = {value_words(one.value)}: "
            f"{one.result}{one.reason and ': '}{one.reason}"
            for one in settled
        ),
        data={
            "settled": [
                {
                    "kind": one.target.kind.value,
                    "key": one.target.key,
                    "result": one.result,
                    "code": one.code,
                    "reason": one.reason,
                }
                for one in settled
            ]
        },
    )
