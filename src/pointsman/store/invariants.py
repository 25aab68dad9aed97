"""What the books of every store must agree about. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pointsman.domain.records import InputOutcome

#: what `forgotten` calls dead letters that were dropped: those that were no statements, and others
LETTER, STATEMENT_LETTER = "letter", "statement letter"


def contradictions(
    outcomes: Mapping[InputOutcome, int],
    *,
    also_statements: int,
    unmatched: int,
    ahead: int,
    bodies_missing: int,
    unqueued: int,
) -> tuple[str, ...]:
    """What can't be true together, in words. `outcomes` are those of statements alone."""
    problems = []
    if also_statements != outcomes[InputOutcome.DEAD]:
        problems.append(
            f"{outcomes[InputOutcome.DEAD]} statements are dead, "
            f"but {also_statements} dead letters speak of statements"
        )
    if unmatched != outcomes[InputOutcome.UNMATCHED]:
        problems.append(
            f"{outcomes[InputOutcome.UNMATCHED]} statements are unmatched, "
            f"but the activities' counts add up to {unmatched}"
        )
    if ahead:
        problems.append(f"{ahead} desired states are delivered in a version that never was")
    if bodies_missing:
        problems.append(f"{bodies_missing} statements have lost their body")
    if unqueued:
        problems.append(f"{unqueued} learners have dirty state and are not queued for delivery")
    return tuple(problems)
