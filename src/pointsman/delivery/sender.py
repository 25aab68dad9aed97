"""Sends what one lease holds: batch -> price -> reserve -> send -> what became of it.

A lease is of a learner, or of a meeting, whose attendance is sent across learners.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pointsman.delivery.batching import plan_batch
from pointsman.delivery.budget.base import Budget
from pointsman.delivery.outcomes import all_parked, all_retried, all_untried, settlements
from pointsman.delivery.settings import DeliverySettings
from pointsman.domain.clock import Clock
from pointsman.domain.errors import Pause, TokenDelayed
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import Desired
from pointsman.domain.target_kinds import TARGET_KINDS
from pointsman.domain.targets import TargetKind
from pointsman.platforms.base import (
    Mutation,
    MutationResult,
    Platform,
    PlatformAnswer,
    RequestOutcome,
    TokenProvider,
    Verdict,
)
from pointsman.store.base import Lease, Settlement


@dataclass(slots=True)
class DeliveryOutcome:
    """What became of one lease. `answer` is the last one, None when nothing was sent."""

    learner: str
    settlements: list[Settlement] = field(default_factory=list)
    answer: RequestOutcome | None = None
    #: the platform's, or why there is no authToken
    message: str = ""
    requests: int = 0
    points: int = 0
    #: seconds in which the platform answered, one for each request
    seconds: list[float] = field(default_factory=list)
    verdicts: Counter[tuple[TargetKind, Verdict]] = field(default_factory=Counter)
    #: more is waiting that did not fit, or was not run because of another
    more: bool = False


class Sender:
    """Sends for one learner at a time; many may be under way at once."""

    def __init__(
        self,
        platform: Platform,
        tokens: TokenProvider,
        budget: Budget,
        clock: Clock,
        settings: DeliverySettings,
        *,
        points_per_request: int,
    ) -> None:
        self._platform = platform
        self._tokens = tokens
        self._budget = budget
        self._clock = clock
        self._points_per_request = points_per_request
        self._settings = settings

    async def deliver(self, lease: Lease, *, give_up_at: float) -> DeliveryOutcome:
        """Send what the lease holds, if the budget allows it before `give_up_at` (monotonic)."""
        outcome = DeliveryOutcome(str(lease.recipient))
        batch = plan_batch(
            lease.desired, max_points=self._points_per_request, price=self._platform.price
        )
        outcome.settlements += batch.held
        outcome.more = batch.rest > 0
        if not batch.rows:
            return outcome
        if TARGET_KINDS[batch.rows[0].target.kind].names_user:
            await self._send_naming_users(outcome, batch.rows, batch.mutations, give_up_at)
            return outcome
        token = await self._token(outcome, batch.rows)
        if token is not None:
            await self._send(outcome, token, batch.rows, batch.mutations, give_up_at)
        return outcome

    async def _token(self, outcome: DeliveryOutcome, rows: Sequence[Desired]) -> str | None:
        """The learner's; without one the rows are settled here."""
        try:
            return await self._tokens.token(outcome.learner)
        except Pause as error:
            outcome.message = str(error)
            outcome.settlements += all_parked(rows, ParkCode.NO_TOKEN, f"token: {error}")
        except TokenDelayed as error:
            outcome.message = str(error)
            outcome.settlements += all_retried(rows, str(error))
        return None

    async def _send_naming_users(
        self,
        outcome: DeliveryOutcome,
        rows: Sequence[Desired],
        mutations: Sequence[Mutation],
        give_up_at: float,
    ) -> None:
        """Each mutation names its user, so learners share the request, and it needs no token."""
        sendable: list[Desired] = []
        named: list[Mutation] = []
        for row, mutation in zip(rows, mutations, strict=True):
            _, _, learner = row.target.key.partition(" ")
            try:
                user_id = await self._tokens.user_id(learner)
            except Pause as error:
                outcome.message = str(error)
                outcome.settlements += all_parked([row], ParkCode.NO_USER_ID, f"user: {error}")
            except TokenDelayed as error:
                outcome.message = str(error)
                outcome.settlements += all_retried([row], str(error))
            else:
                sendable.append(row)
                named.append(replace(mutation, user_id=user_id))
        if sendable:
            await self._send(outcome, None, sendable, named, give_up_at)

    async def _send(
        self,
        outcome: DeliveryOutcome,
        token: str | None,
        rows: Sequence[Desired],
        mutations: Sequence[Mutation],
        give_up_at: float,
    ) -> None:
        answer = await self._request(outcome, token, mutations, give_up_at)
        if answer is not None and answer.outcome is RequestOutcome.TOKEN_REFUSED:
            if token is not None and await self._tokens.refused(outcome.learner, token):
                token = await self._token(outcome, rows)
                if token is None:
                    return
                answer = await self._request(outcome, token, mutations, give_up_at)
            if answer is not None and answer.outcome is RequestOutcome.TOKEN_REFUSED:
                refusal = f"refused by the platform: {answer.message}"
                outcome.settlements += (
                    all_parked(rows, ParkCode.TOKEN_REFUSED, f"token: {refusal}")
                    if token is not None
                    else all_parked(rows, ParkCode.USER_ID_REFUSED, f"user: {refusal}")
                )
                return
        if answer is None:
            outcome.settlements += all_untried(rows)
            outcome.more = True
            return
        if answer.outcome is RequestOutcome.DOCUMENT_REFUSED:
            if len(rows) > 1:
                # One of them spoils the rest: halve until it is alone.
                middle = len(rows) // 2
                await self._send(outcome, token, rows[:middle], mutations[:middle], give_up_at)
                await self._send(outcome, token, rows[middle:], mutations[middle:], give_up_at)
                return
            refused = MutationResult(Verdict.REFUSED, answer.message)
            answer = replace(answer, outcome=RequestOutcome.ANSWERED, results=(refused,))
            outcome.answer = answer.outcome
        if token is not None and any(result.token_refused for result in answer.results):
            # It expired in the middle. What had not run goes next, with another one.
            await self._tokens.refused(outcome.learner, token)
        for row, result in zip(rows, answer.results, strict=True):
            outcome.verdicts[row.target.kind, result.verdict] += 1
        settled = settlements(
            rows, answer, max_failures=self._settings.max_failures, remedy=self._platform.remedy
        )
        outcome.settlements += settled
        outcome.more = outcome.more or any(settlement.result == "untried" for settlement in settled)

    async def _request(
        self,
        outcome: DeliveryOutcome,
        token: str | None,
        mutations: Sequence[Mutation],
        give_up_at: float,
    ) -> PlatformAnswer | None:
        """One paid request; None when the budget would not allow it in time."""
        points = self._platform.price(mutations)
        reservation = await self._budget.reserve(points, give_up_at=give_up_at)
        if reservation is None:
            return None
        started = self._clock.monotonic()
        answer = await self._platform.deliver(token, mutations)
        self._budget.settle(reservation, answer)
        outcome.seconds.append(self._clock.monotonic() - started)
        outcome.requests += 1
        outcome.points += points
        if answer.key_in_doubt:
            answer = await self._tell_key_from_token(outcome, answer, give_up_at)
        outcome.answer, outcome.message = answer.outcome, answer.message
        return answer

    async def _tell_key_from_token(
        self, outcome: DeliveryOutcome, answer: PlatformAnswer, give_up_at: float
    ) -> PlatformAnswer:
        """Asked once more without a learner, the platform tells which of them it refuses."""
        reservation = await self._budget.reserve(1, give_up_at=give_up_at)
        if reservation is None:
            return answer
        probe = await self._platform.probe()
        self._budget.settle(reservation, probe)
        outcome.requests += 1
        outcome.points += 1
        if probe.outcome is RequestOutcome.KEY_REFUSED:
            return replace(answer, outcome=RequestOutcome.KEY_REFUSED)
        return answer
