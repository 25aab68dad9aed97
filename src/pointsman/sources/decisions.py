"""Decisions that no rule makes, and what is added to those that rules made. Pure."""

from __future__ import annotations

from dataclasses import replace

from pointsman.domain.records import Decision, InputOutcome, LeftOut, Observation, WhyNot
from pointsman.statements import NoEffect


def no_effect(seen: NoEffect) -> Decision:
    """Of a statement that says nothing about progress."""
    code = WhyNot.NO_PROGRESS
    return Decision(InputOutcome.NO_EFFECT, seen.reason, activity=seen.activity, why=code)


def rule_failed(seen: Observation, error: Exception) -> Decision:
    """Of a statement whose rule raised an error: it is kept, and a dead letter."""
    return Decision(
        InputOutcome.DEAD,
        reason=f"its rule failed: {type(error).__name__}: {error}",
        activity=seen.activity,
    )


def with_left_out(decision: Decision, left_out: tuple[LeftOut, ...]) -> Decision:
    """The decision, and in its reason what the statement says that makes no sense."""
    reason = "left out: " + "; ".join(noted.reason for noted in left_out)
    if decision.reason:
        reason = f"{decision.reason}; {reason}"
    return replace(decision, reason=reason, left_out=left_out)
