"""One lease's delivery, from what it holds to what became of it: pack -> price -> reserve -> send.

A lease is of a learner, or of a meeting, whose attendance is sent across learners.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pointsman.delivery.batching import plan_batch
from pointsman.delivery.budget.local import Budget
from pointsman.delivery.outcomes import all_parked, all_retried, all_untried, settlements
from pointsman.domain.clock import Clock
from pointsman.domain.errors import NoToken, TokenDelayed
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import Desired
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

#: HTTP's own refusals, which may mean the apiKey as well as the authToken
_HTTP_REFUSALS = frozenset({401, 403})


@dataclass(slots=True)
class DeliveryOutcome:
    """What became of one lease. `answer` is the last one, None when nothing was sent."""

    learner: str
    settlements: list[Settlement] = field(default_factory=list)
    answer: RequestOutcome | None = None
    words: str = ""
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
        *,
        points_per_request: int,
        max_failures: int,
    ) -> None:
        self._platform = platform
        self._tokens = tokens
        self._budget = budget
        self._clock = clock
        self._points_per_request = points_per_request
        self._max_failures = max_failures

    async def deliver(self, lease: Lease, *, give_up_at: float) -> DeliveryOutcome:
        """Send what the lease holds, if the budget allows it before `give_up_at` (monotonic)."""
        outcome = DeliveryOutcome(str(lease.recipient))
        package = plan_batch(
            lease.desired, max_points=self._points_per_request, price=self._platform.price
        )
        outcome.settlements += package.held
        outcome.more = package.rest > 0
        if not package.rows:
            return outcome
        if lease.recipient.is_meeting:
            await self._attendance(outcome, package.rows, package.mutations, give_up_at)
            return outcome
        token = await self._token(outcome, package.rows)
        if token is not None:
            await self._send(outcome, token, package.rows, package.mutations, give_up_at)
        return outcome

    async def _token(self, outcome: DeliveryOutcome, rows: Sequence[Desired]) -> str | None:
        """The learner's; without one the rows are settled here."""
        try:
            return await self._tokens.token(outcome.learner)
        except NoToken as error:
            outcome.words = str(error)
            outcome.settlements += all_parked(rows, ParkCode.NO_TOKEN, f"token: {error}")
        except TokenDelayed as error:
            outcome.words = str(error)
            outcome.settlements += all_retried(rows, str(error))
        return None

    async def _attendance(
        self,
        outcome: DeliveryOutcome,
        rows: Sequence[Desired],
        mutations: Sequence[Mutation],
        give_up_at: float,
    ) -> None:
        """Each mutation names its user, so learners share the request, and it needs no token."""
        known: list[Desired] = []
        named: list[Mutation] = []
        for row, mutation in zip(rows, mutations, strict=True):
            _, _, learner = row.target.key.partition(" ")
            try:
                user_id = await self._tokens.user_id(learner)
            except NoToken as error:
                outcome.words = str(error)
                outcome.settlements += all_parked([row], ParkCode.NO_USER_ID, f"user: {error}")
            except TokenDelayed as error:
                outcome.words = str(error)
                outcome.settlements += all_retried([row], str(error))
            else:
                known.append(row)
                named.append(replace(mutation, user_id=user_id))
        if known:
            await self._send(outcome, None, known, named, give_up_at)

    async def _send(
        self,
        outcome: DeliveryOutcome,
        token: str | None,
        rows: Sequence[Desired],
        mutations: Sequence[Mutation],
        give_up_at: float,
    ) -> None:
        delivery = await self._request(outcome, token, mutations, give_up_at)
        if delivery is not None and delivery.answer is RequestOutcome.TOKEN_REFUSED:
            if token is not None and await self._tokens.refused(outcome.learner, token):
                token = await self._token(outcome, rows)
                if token is None:
                    return
                delivery = await self._request(outcome, token, mutations, give_up_at)
            if delivery is not None and delivery.answer is RequestOutcome.TOKEN_REFUSED:
                words = f"refused by the platform: {delivery.words}"
                outcome.settlements += (
                    all_parked(rows, ParkCode.TOKEN_REFUSED, f"token: {words}")
                    if token is not None
                    else all_parked(rows, ParkCode.USER_ID_REFUSED, f"user: {words}")
                )
                return
        if delivery is None:
            outcome.settlements += all_untried(rows)
            outcome.more = True
            return
        if delivery.answer is RequestOutcome.DOCUMENT_REFUSED:
            if len(rows) > 1:
                # One of them spoils the rest: halve until it stands alone.
                middle = len(rows) // 2
                await self._send(outcome, token, rows[:middle], mutations[:middle], give_up_at)
                await self._send(outcome, token, rows[middle:], mutations[middle:], give_up_at)
                return
            refused = MutationResult(Verdict.REFUSED, delivery.words)
            delivery = replace(delivery, answer=RequestOutcome.ANSWERED, results=(refused,))
            outcome.answer = delivery.answer
        if token is not None and any(result.token_refused for result in delivery.results):
            # It expired in the middle. What had not run goes next, with another one.
            await self._tokens.refused(outcome.learner, token)
        for row, result in zip(rows, delivery.results, strict=True):
            outcome.verdicts[row.target.kind, result.verdict] += 1
        settled = settlements(rows, delivery, max_failures=self._max_failures)
        outcome.settlements += settled
        outcome.more = outcome.more or any(one.result == "untried" for one in settled)

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
        delivery = await self._platform.deliver(token, mutations)
        self._budget.settle(reservation, delivery)
        outcome.seconds.append(self._clock.monotonic() - started)
        outcome.requests += 1
        outcome.points += points
        if delivery.answer is RequestOutcome.TOKEN_REFUSED and delivery.status in _HTTP_REFUSALS:
            delivery = await self._whose_fault(outcome, delivery, give_up_at)
        outcome.answer, outcome.words = delivery.answer, delivery.words
        return delivery

    async def _whose_fault(
        self, outcome: DeliveryOutcome, delivery: PlatformAnswer, give_up_at: float
    ) -> PlatformAnswer:
        """HTTP 401 or 403: asked once more without a learner, the platform tells which it was."""
        reservation = await self._budget.reserve(1, give_up_at=give_up_at)
        if reservation is None:
            return delivery
        probe = await self._platform.probe()
        self._budget.settle(reservation, probe)
        outcome.requests += 1
        outcome.points += 1
        if probe.answer is RequestOutcome.KEY_REFUSED:
            return replace(delivery, answer=RequestOutcome.KEY_REFUSED)
        return delivery
