"""What an answer means for the rows that were sent. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace

from pointsman.domain.desired_state import Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.quantities import counted
from pointsman.domain.target_kinds import TARGET_KINDS
from pointsman.platforms.base import MutationResult, PlatformAnswer, RequestOutcome, Verdict
from pointsman.store.base import Settlement

#: answers that say nothing about a mutation itself, so that it has not failed
_NOT_ITS_FAULT = frozenset(
    {RequestOutcome.THROTTLED, RequestOutcome.KEY_REFUSED, RequestOutcome.TOKEN_REFUSED}
)

#: a refusal's message and the settings that named what was refused -> what a person can do
Remedy = Callable[[str, str], str]


def settlements(
    rows: Sequence[Desired], answer: PlatformAnswer, *, max_failures: int, remedy: Remedy
) -> list[Settlement]:
    """A settlement for each row that was sent, from the result beside it."""
    return [
        _settlement(row, result, answer.outcome, max_failures, remedy)
        for row, result in zip(rows, answer.results, strict=True)
    ]


def _settlement(
    row: Desired,
    result: MutationResult,
    outcome: RequestOutcome,
    max_failures: int,
    remedy: Remedy,
) -> Settlement:
    if result.verdict is Verdict.DONE:
        return Settlement(row.target, row.version, "delivered")
    if result.verdict is Verdict.REFUSED:
        reason = f"refused: {result.message} ({_next_step(row, result.message, remedy)})"
        code = ParkCode.REFUSED_BY_PLATFORM
        return Settlement(row.target, row.version, "parked", reason, code)
    if result.verdict is Verdict.NOT_RUN or outcome in _NOT_ITS_FAULT:
        return Settlement(row.target, row.version, "untried", result.message)
    if outcome is RequestOutcome.ANSWERED and row.failures + 1 >= max_failures:
        # An unreachable platform is nobody's own failure and is tried for ever; this is not.
        return Settlement(
            row.target,
            row.version,
            "parked",
            f"failed {counted(row.failures + 1, 'time')}, the last time with: {result.message}",
            ParkCode.FAILED_TOO_OFTEN,
        )
    own = outcome is RequestOutcome.ANSWERED
    return Settlement(row.target, row.version, "retry", result.message, is_own_failure=own)


def _next_step(row: Desired, message: str, remedy: Remedy) -> str:
    """One sentence for `parked list` and the log."""
    setting = f'{TARGET_KINDS[row.target.kind].settings_phrase} of the rule "{row.rule}"'
    who = f" --learner {shlex.quote(str(row.recipient))}"
    return f"next: {remedy(message, setting)}; then pointsman parked retry{who}"


def all_parked(rows: Sequence[Desired], code: ParkCode, reason: str) -> list[Settlement]:
    """None of these can be sent, for one and the same reason."""
    return [Settlement(row.target, row.version, "parked", reason, code) for row in rows]


def all_retried(rows: Sequence[Desired], reason: str) -> list[Settlement]:
    """None of these could be sent just now, and none is to blame."""
    return [
        Settlement(row.target, row.version, "retry", reason, is_own_failure=False) for row in rows
    ]


def all_broken(rows: Sequence[Desired], fault: str, *, max_failures: int) -> list[Settlement]:
    """A fault of ours ended the delivery of these: tried again, and parked when it goes on."""
    return [_broken(row, fault, max_failures) for row in rows]


def _broken(row: Desired, fault: str, max_failures: int) -> Settlement:
    if row.failures + 1 < max_failures:
        return Settlement(row.target, row.version, "retry", f"a fault of pointsman: {fault}")
    who = f" --learner {shlex.quote(str(row.recipient))}"
    reason = (
        f"a fault of pointsman: {fault} (next: report it, with the traceback in the log; after an "
        f"upgrade pointsman parked retry{who})"
    )
    return Settlement(row.target, row.version, "parked", reason, ParkCode.INTERNAL_ERROR)


def storable(settled: Sequence[Settlement], fault: str) -> list[Settlement]:
    """The same with words of our own, for a store that can't take what was said."""
    words = f"a fault of pointsman: {fault}".encode("ascii", "backslashreplace").decode()
    return [replace(one, reason=words if one.reason else "") for one in settled]


def all_untried(rows: Sequence[Desired]) -> list[Settlement]:
    """None of these was sent, and none is to blame."""
    return [Settlement(row.target, row.version, "untried") for row in rows]
