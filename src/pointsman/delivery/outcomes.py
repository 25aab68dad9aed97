"""What an answer means for the rows that were sent, and when the learner's turn is again. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pointsman.delivery.remediation import next_step
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import Desired
from pointsman.platforms.base import MutationResult, PlatformAnswer, RequestOutcome, Verdict
from pointsman.store.base import Settlement

#: answers that say nothing about a mutation itself, so that it has not failed
_NOT_ITS_FAULT = frozenset(
    {RequestOutcome.THROTTLED, RequestOutcome.KEY_REFUSED, RequestOutcome.TOKEN_REFUSED}
)


def settlements(
    rows: Sequence[Desired], delivery: PlatformAnswer, *, max_failures: int
) -> list[Settlement]:
    """A settlement for each row that was sent, from the result beside it."""
    return [
        _settlement(row, result, delivery, max_failures)
        for row, result in zip(rows, delivery.results, strict=True)
    ]


def _settlement(
    row: Desired, result: MutationResult, delivery: PlatformAnswer, max_failures: int
) -> Settlement:
    if result.verdict is Verdict.DONE:
        return Settlement(row.target, row.version, "delivered")
    if result.verdict is Verdict.REFUSED:
        reason = f"refused: {result.words} ({next_step(row, result.words)})"
        code = ParkCode.REFUSED_BY_PLATFORM
        return Settlement(row.target, row.version, "parked", reason, code)
    if result.verdict is Verdict.NOT_RUN or delivery.answer in _NOT_ITS_FAULT:
        return Settlement(row.target, row.version, "untried", result.words)
    if delivery.answer is RequestOutcome.ANSWERED and row.failures + 1 >= max_failures:
        # An unreachable platform is nobody's own failure and is tried for ever; this is not.
        return Settlement(
            row.target,
            row.version,
            "parked",
            f"failed {row.failures + 1} times, the last time with: {result.words}",
            ParkCode.FAILED_TOO_OFTEN,
        )
    return Settlement(row.target, row.version, "retry", result.words)


def all_parked(rows: Sequence[Desired], code: ParkCode, reason: str) -> list[Settlement]:
    """None of these can be sent, for one and the same reason."""
    return [Settlement(row.target, row.version, "parked", reason, code) for row in rows]


def all_retried(rows: Sequence[Desired], reason: str) -> list[Settlement]:
    """None of these could be sent just now; each counts it as a failure, and none is parked."""
    return [Settlement(row.target, row.version, "retry", reason) for row in rows]


def all_untried(rows: Sequence[Desired]) -> list[Settlement]:
    """None of these was sent, and none is to blame."""
    return [Settlement(row.target, row.version, "untried") for row in rows]
