"""Makes a story of the facts: its events, where each target stands, and how it ends. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pointsman.domain.targets import Target, TargetKind
from pointsman.store.history_records import HistoryMove, MoveResult
from pointsman.story.events import asked_for, events_of
from pointsman.story.facts import Facts
from pointsman.story.records import Cause, Standing, Story
from pointsman.story.standing import standing_of
from pointsman.story.uncounted import of_input, of_letter, of_move
from pointsman.story.words import time_words

#: what goes on by itself, once something else does or its turn comes
_FOLLOWS = frozenset({Cause.WAITS_FOR, Cause.QUEUED, Cause.SENDING})
#: what changed nothing, and is no cause for concern by itself
_HARMLESS = frozenset({Cause.SAME, Cause.NO_EFFECT, Cause.INCOMPLETE})


def story_of(facts: Facts, *, limit: int) -> Story:
    """The story, with the newest `limit` events."""
    if facts.question.names_inputs:
        facts = replace(facts, targets=frozenset(_targets_of_inputs(facts)))
    events = events_of(facts)
    states = [stored for stored in facts.history.states if asked_for(facts, stored.desired.target)]
    standings = sorted((standing_of(stored, facts) for stored in states), key=_pressing)
    return Story(
        learner=facts.learner,
        about=facts.question.words,
        now=facts.now,
        events=tuple(events[-limit:]),
        left_out=max(0, len(events) - limit),
        standings=tuple(standings),
        end=_end(facts, standings),
    )


def _targets_of_inputs(facts: Facts) -> Iterator[Target]:
    for fact in facts.inputs.values():
        if fact.reading is not None:
            yield from (change.target for change in fact.reading.decision.changes)
    for move in facts.history.moves:
        if move.statement_id in facts.inputs:
            yield move.target


def _pressing(standing: Standing) -> tuple[bool, ...]:
    """What a person must act on comes first, and what is delivered last; topics before the rest."""
    is_topic = standing.target is not None and standing.target.kind is TargetKind.TOPIC_PROGRESS
    follows = standing.cause in _FOLLOWS
    is_well = standing.cause is Cause.DELIVERED
    return standing.is_delivered, is_well, follows, not standing.is_parked, not is_topic


def _end(facts: Facts, standings: list[Standing]) -> Standing:
    if facts.forgotten_until is not None:
        return Standing(
            Cause.FORGOTTEN,
            f"{facts.learner} was forgotten, and inputs about them are refused until "
            f"{time_words(facts.forgotten_until)}",
            "inputs are taken again after that",
            next_at=facts.forgotten_until,
        )
    open_states = [standing for standing in standings if not standing.is_delivered]
    if open_states:
        return open_states[0]
    uncounted = _newest_uncounted(facts)
    if uncounted is not None and (not standings or uncounted.cause not in _HARMLESS):
        return _with_state(uncounted, standings)
    if standings:
        return standings[0]
    return Standing(
        Cause.NO_INPUT,
        "nothing is known of " + " and ".join(filter(None, (facts.learner, facts.question.words))),
        "nothing happens until an input comes",
        cure=(
            "see that the player sends to this daemon, and what it was answered (docs/http.md)",
            "pointsman unmatched",
        ),
    )


def _newest_uncounted(facts: Facts) -> Standing | None:
    """Why the newest input changed nothing; None where it moved something."""
    of_input_by_id: dict[tuple[int, str], list[Standing | None]] = {}
    moves = [move for move in facts.history.moves if _is_asked_for(move, facts)]
    for move in moves:
        standing = None if move.result is MoveResult.MOVED else of_move(move)
        of_input_by_id.setdefault((move.received_at, move.statement_id), []).append(standing)
    told = {move.statement_id for move in facts.history.moves}
    for fact in facts.inputs.values():
        if fact.statement_id not in told:
            key = (fact.received_at, fact.statement_id)
            of_input_by_id[key] = [of_input(fact, facts)]
    for letter in facts.dead_letters:
        of_input_by_id[letter.received_at, f"letter {letter.id}"] = [of_letter(letter)]
    if not of_input_by_id:
        return None
    newest = max(at for at, _ in of_input_by_id)
    told_of_newest = [
        _of_one_input(standings) for (at, _), standings in of_input_by_id.items() if at == newest
    ]
    return next((one for one in told_of_newest if one is not None), None)


def _is_asked_for(move: HistoryMove, facts: Facts) -> bool:
    if facts.question.names_inputs and move.statement_id not in facts.inputs:
        return False
    return asked_for(facts, move.target)


def _of_one_input(standings: list[Standing | None]) -> Standing | None:
    """One statement asks for several changes: where one moved, it counted.

    What it says of the topic, which comes first, tells more than that its course is started.
    """
    unmoved = [standing for standing in standings if standing is not None]
    return unmoved[0] if len(unmoved) == len(standings) else None


def _with_state(uncounted: Standing, standings: list[Standing]) -> Standing:
    """With what is delivered, so that the end tells both."""
    if not standings:
        return uncounted
    known = next((one for one in standings if one.target == uncounted.target), standings[0])
    return Standing(
        cause=uncounted.cause,
        sentence=f"{uncounted.sentence}; {known.sentence}",
        next=uncounted.next if known.cause is Cause.DELIVERED else known.next,
        next_at=uncounted.next_at,
        cure=(*uncounted.cure, *known.cure),
        recipient=known.recipient,
        target=known.target,
        wanted=known.wanted,
        delivered=known.delivered,
        is_delivered=known.is_delivered,
        is_parked=known.is_parked,
    )
