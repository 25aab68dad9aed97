"""Says of an input that changed nothing why that is, and what a person can do about it. Pure."""

from __future__ import annotations

from pointsman.domain.records import InputOutcome, WhyNot
from pointsman.store.history_records import HistoryMove, MoveResult
from pointsman.store.statement_records import StoredDeadLetter
from pointsman.story.facts import Facts, InputFact
from pointsman.story.records import Cause, Standing
from pointsman.story.words import target_words, time_words, value_words

_STAYS = "nothing happens by itself"
_NOTHING_NEEDED = "nothing has to happen"


def of_letter(letter: StoredDeadLetter) -> Standing:
    """Of an input that could not be understood."""
    return Standing(
        cause=Cause.DEAD_LETTER,
        sentence=f"an input that names this learner is dead letter {letter.id}: {letter.reason}",
        next=_STAYS,
        cure=(
            f"pointsman dead-letters show {letter.id}",
            f"pointsman dead-letters replay {letter.id}",
        ),
    )


def of_input(fact: InputFact, facts: Facts) -> Standing:
    """Of a stored statement that asked for no change."""
    reading = fact.reading
    named = f"statement {fact.statement_id}"
    since = time_words(fact.received_at)
    if reading is None:
        return Standing(
            Cause.NO_EFFECT, f"{named} counts for nothing: it is valid no longer", _STAYS
        )
    decision = reading.decision
    if decision.changes and fact.outcome is not InputOutcome.DEAD:
        return Standing(
            Cause.RULE_CHANGED,
            f"{named} counted for nothing when it came ({fact.outcome.value}), and now the rule "
            f"{decision.rule!r} takes it",
            _STAYS,
            cure=(f"pointsman replay --since {since}",),
        )
    if fact.outcome is InputOutcome.UNMATCHED:
        return _without_rule(
            reading.activity, f"{named} counts for nothing: {decision.reason}", since, facts
        )
    if fact.outcome is InputOutcome.DEAD:
        return Standing(
            Cause.DEAD_LETTER,
            f"{named} is a dead letter: {decision.reason or 'its rule failed'}",
            _STAYS,
            cure=("pointsman dead-letters list", f"pointsman replay --since {since}"),
        )
    sentence = f"{named} counts for nothing: {decision.reason}"
    if decision.why is WhyNot.LAUNCH_MODE:
        return Standing(
            Cause.LAUNCH_MODE, sentence, _NOTHING_NEEDED, cure=("launch it in the mode Normal",)
        )
    if decision.why is WhyNot.NO_VERB:
        return Standing(
            Cause.NO_VERB,
            sentence,
            _STAYS,
            cure=(
                f"add {reading.verb} to `verbs` of that rule, then pointsman reload",
                f"pointsman replay --since {since}",
            ),
        )
    return Standing(Cause.NO_EFFECT, sentence, _NOTHING_NEEDED)


def _without_rule(activity: str, sentence: str, since: str, facts: Facts) -> Standing:
    proposal = facts.proposals.get(activity, activity)
    return Standing(
        Cause.NO_RULE,
        sentence,
        _STAYS,
        cure=(
            f'add a rule with activity = "{proposal}" (pointsman unmatched), then pointsman reload',
            f"pointsman replay --since {since}",
        ),
    )


def of_move(move: HistoryMove) -> Standing:
    """Of an input that asked for a change and changed nothing."""
    what = f"{target_words(move.target, move.recipient)}"
    asked = what if move.wanted is None else f"{what} = {value_words(move.wanted)}"
    stays = f"it stays {value_words(move.after)}"
    by_rule = f"the rule {move.rule!r}"
    statement = f"statement {move.statement_id}"
    match move.result:
        case MoveResult.DUPLICATE:
            words = f"{statement} came again, and was counted when it came first"
        case MoveResult.SAME:
            words = f"{statement} says {asked}, which is wanted already"
        case MoveResult.LOWER:
            words = (
                f"{statement} says {asked}, which is less: {stays}, for {by_rule} lets nothing fall"
            )
        case MoveResult.OLDER:
            words = (
                f"{statement} says {asked}, and happened at {time_words(move.occurred_at)}, before "
                f"what is there: {stays}"
            )
        case MoveResult.BEFORE_RESET:
            words = (
                f"{statement} says {asked}, and happened at {time_words(move.occurred_at)}, before "
                f"somebody changed that on the platform on purpose: {stays}"
            )
        case MoveResult.OTHER_ATTEMPT:
            words = f"{statement} says {asked}, and belongs to an older attempt: {stays}"
        case _:
            words = f"{statement} counts for {what}, and more has to come before it is complete"
    cure: tuple[str, ...] = ()
    if move.result is MoveResult.LOWER:
        cure = (f'falls = "always" in {by_rule}, if progress may fall; then pointsman reload',)
    return Standing(
        Cause(move.result.value),
        words,
        _NOTHING_NEEDED,
        cure=cure,
        recipient=move.recipient,
        target=move.target,
        wanted=move.after,
    )
