"""Sends what one lease holds: batch -> price -> reserve -> send -> what became of it.

A lease is of a learner, or of a meeting, whose attendance is sent across learners. Whatever a
delivery ends with is settled, an exception of ours too; only without the store it can't be.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pointsman.cancellation import only_own_cancellation
from pointsman.delivery.batching import plan_batch
from pointsman.delivery.budget.base import Budget
from pointsman.delivery.concurrency import ConcurrencyLimit
from pointsman.delivery.outcomes import (
    all_broken,
    all_parked,
    all_retried,
    all_untried,
    settlements,
)
from pointsman.delivery.paid_requests import PaidRequests, SendingFailed
from pointsman.delivery.settings import DeliverySettings
from pointsman.delivery.turn_outcome import DeliveryOutcome, Pauses, is_unmet
from pointsman.domain.backoff import Backoff
from pointsman.domain.clock import Clock, micros
from pointsman.domain.desired_state import Desired
from pointsman.domain.errors import Pause, Retry, StoreUnavailable
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.target_kinds import TARGET_KINDS
from pointsman.fault_log import FaultLog, cause
from pointsman.platforms.base import (
    TROUBLE,
    Mutation,
    MutationResult,
    Platform,
    PlatformAnswer,
    RequestOutcome,
    TokenProvider,
    Verdict,
)
from pointsman.store.base import Lease


@dataclass(slots=True)
class _Part:
    """What goes into one request."""

    rows: Sequence[Desired]
    mutations: Sequence[Mutation]

    def halves(self) -> list[_Part]:
        middle = len(self.rows) // 2
        halves = (slice(middle), slice(middle, None))
        return [_Part(self.rows[half], self.mutations[half]) for half in halves]


class Sender:
    """Sends for one recipient at a time; many may be under way at once."""

    def __init__(
        self,
        platform: Platform,
        tokens: TokenProvider,
        budget: Budget,
        clock: Clock,
        settings: DeliverySettings,
        *,
        points_per_request: int,
        jitter: random.Random | None = None,
    ) -> None:
        self._platform = platform
        self._tokens = tokens
        #: how many deliveries may be under way at once
        self.concurrency = ConcurrencyLimit(settings.concurrency)
        self._requests = PaidRequests(platform, budget, clock, self.concurrency)
        #: who wants to know when an outage begins and ends
        self.outage_watchers = (self.concurrency, self._requests.under_way)
        self._clock = clock
        self._points_per_request = points_per_request
        self._settings = settings
        self._faults = FaultLog()
        self._pauses = Pauses(
            Backoff(settings.retry_base_seconds, settings.retry_max_seconds),
            jitter or random.Random(),  # noqa: S311 - spreads retries, guards nothing
        )

    def reconfigure(self, settings: DeliverySettings, *, points_per_request: int) -> None:
        """From now on so; how many may be under way stays as it was."""
        self._settings = settings
        self._points_per_request = points_per_request
        self._pauses.reconfigure(Backoff(settings.retry_base_seconds, settings.retry_max_seconds))

    async def deliver(self, lease: Lease, *, give_up_at: float) -> DeliveryOutcome:
        """Send what the lease holds, if the budget allows it before `give_up_at` (monotonic).

        Raises `StoreUnavailable`, and nothing else.
        """
        outcome = DeliveryOutcome(str(lease.recipient))
        try:
            with only_own_cancellation:
                await self._deliver(outcome, lease, give_up_at)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - settled like any other failure
            settled = {settlement.target for settlement in outcome.settlements}
            unsettled = [
                row for row in lease.desired if row.target not in settled and not row.parked
            ]
            if isinstance(error, Retry):
                outcome.message = str(error)
                outcome.settlements += all_retried(unsettled, str(error))
            else:
                self._settle_broken(outcome, unsettled, error)
        self._pauses.apply(outcome, lease, micros(self._clock.now()))
        return outcome

    async def _deliver(self, outcome: DeliveryOutcome, lease: Lease, give_up_at: float) -> None:
        batch = plan_batch(
            lease.desired,
            now=micros(self._clock.now()),
            max_points=self._points_per_request,
            price=self._platform.price,
        )
        outcome.settlements += batch.held
        outcome.more = batch.rest > 0
        for row, error in batch.broken:
            self._settle_broken(outcome, [row], error)
        if not batch.rows:
            return
        part = _Part(batch.rows, batch.mutations)
        if TARGET_KINDS[batch.rows[0].target.kind].names_user:
            part = await self._naming_users(outcome, part)
            if part.rows:
                await self._send(outcome, None, part, give_up_at)
            return
        token = await self._token(outcome, part.rows)
        if token is not None:
            await self._send(outcome, token, part, give_up_at)

    async def _token(self, outcome: DeliveryOutcome, rows: Sequence[Desired]) -> str | None:
        """The learner's; without one the rows are settled here."""
        try:
            return await self._tokens.token(outcome.learner)
        except Pause as error:
            outcome.message = str(error)
            outcome.settlements += all_parked(rows, ParkCode.NO_TOKEN, f"token: {error}")
        except StoreUnavailable:
            raise
        except Retry as error:
            outcome.message = str(error)
            outcome.settlements += all_retried(rows, str(error))
        return None

    async def _naming_users(self, outcome: DeliveryOutcome, part: _Part) -> _Part:
        """Each mutation names its user, so learners share the request, and it needs no token."""
        sendable: list[Desired] = []
        named: list[Mutation] = []
        for row, mutation in zip(part.rows, part.mutations, strict=True):
            _, _, learner = row.target.key.partition(" ")
            try:
                user_id = await self._tokens.user_id(learner)
            except Pause as error:
                outcome.message = str(error)
                outcome.settlements += all_parked([row], ParkCode.NO_USER_ID, f"user: {error}")
            except StoreUnavailable:
                raise
            except Retry as error:
                outcome.message = str(error)
                outcome.settlements += all_retried([row], str(error))
            except Exception as error:  # noqa: BLE001 - the other learners go on
                self._settle_broken(outcome, [row], error)
            else:
                sendable.append(row)
                named.append(replace(mutation, user_id=user_id))
        return _Part(sendable, named)

    async def _send(
        self,
        outcome: DeliveryOutcome,
        token: str | None,
        whole: _Part,
        give_up_at: float,
    ) -> None:
        """One request, or several where one mutation spoils it for the rest: halved until alone."""
        parts = [whole]
        while parts:
            part = self._without_unmet(outcome, parts.pop(0))
            left = [*part.rows, *(row for waiting in parts for row in waiting.rows)]
            if not part.rows:
                continue
            if outcome.answer in TROUBLE:  # nothing more of the turn is sent
                outcome.settlements += all_untried(left)
                return
            try:
                token, answer = await self._ask(outcome, token, part, left, give_up_at)
            except SendingFailed as failure:
                if len(part.rows) > 1:
                    parts[:0] = part.halves()
                else:
                    self._settle_broken(outcome, part.rows, failure.fault)
                continue
            if answer is None:
                return
            if answer.outcome is RequestOutcome.DOCUMENT_REFUSED and len(part.rows) > 1:
                parts[:0] = part.halves()
                continue
            if answer.outcome is RequestOutcome.DOCUMENT_REFUSED:
                refused = MutationResult(Verdict.REFUSED, answer.message)
                answer = replace(answer, outcome=RequestOutcome.ANSWERED, results=(refused,))
                outcome.answer = answer.outcome
            if token is not None and any(result.token_refused for result in answer.results):
                # It expired in the middle. What had not run goes next, with another one.
                await self._tokens.refused(outcome.learner, token)
            self._settle(outcome, part.rows, answer)

    def _without_unmet(self, outcome: DeliveryOutcome, part: _Part) -> _Part:
        """A completed course does not go when one of its topics was refused in this turn."""
        unmet = [row for row in part.rows if row.after and is_unmet(row, outcome.settlements)]
        if not unmet:
            return part
        outcome.settlements += all_untried(unmet)
        outcome.more = True
        pairs = zip(part.rows, part.mutations, strict=True)
        met = [(row, mutation) for row, mutation in pairs if row not in unmet]
        return _Part([row for row, _ in met], [mutation for _, mutation in met])

    def _settle(
        self, outcome: DeliveryOutcome, rows: Sequence[Desired], answer: PlatformAnswer
    ) -> None:
        for row, result in zip(rows, answer.results, strict=True):
            outcome.verdicts[row.target.kind, result.verdict] += 1
        settled = settlements(
            rows, answer, max_failures=self._settings.max_failures, remedy=self._platform.remedy
        )
        outcome.settlements += settled
        outcome.more = outcome.more or any(settlement.result == "untried" for settlement in settled)

    def _settle_broken(
        self, outcome: DeliveryOutcome, rows: Sequence[Desired], error: Exception
    ) -> None:
        outcome.faults += 1
        outcome.message = cause(error)
        self._faults.tell(
            "a delivery failed for a reason of ours",
            error,
            learner=outcome.learner,
            targets=[f"{row.target.kind.value}/{row.target.key}" for row in rows[:5]],
        )
        outcome.settlements += all_broken(
            rows, cause(error), max_failures=self._settings.max_failures
        )

    async def _ask(
        self,
        outcome: DeliveryOutcome,
        token: str | None,
        part: _Part,
        left: Sequence[Desired],
        give_up_at: float,
    ) -> tuple[str | None, PlatformAnswer | None]:
        """The answer, and the token that it came with; without an answer `left` is settled here."""
        answer = await self._requests.send(outcome, token, part.mutations, give_up_at)
        if answer is not None and answer.outcome is RequestOutcome.TOKEN_REFUSED:
            if token is not None and await self._tokens.refused(outcome.learner, token):
                token = await self._token(outcome, left)
                if token is None:
                    return None, None
                answer = await self._requests.send(outcome, token, part.mutations, give_up_at)
            elif answer.key_in_doubt:
                # what is in front of the platform says so too: one passing refusal parks nobody
                answer = await self._requests.send(outcome, token, part.mutations, give_up_at)
        if (
            answer is not None
            and answer.outcome is RequestOutcome.KEY_REFUSED
            and self._requests.key.may_be_the_token
            and token is not None
            and await self._tokens.refused(outcome.learner, token)
        ):
            # only another token can show that the key is good
            token = await self._token(outcome, left)
            if token is None:
                return None, None
            answer = await self._requests.send(outcome, token, part.mutations, give_up_at)
        if answer is not None and answer.outcome is RequestOutcome.TOKEN_REFUSED:
            refusal = (
                f"refused by the platform: {answer.message}" if answer.sent else answer.message
            )
            outcome.settlements += (
                all_parked(left, ParkCode.TOKEN_REFUSED, f"token: {refusal}")
                if token is not None
                else all_parked(left, ParkCode.USER_ID_REFUSED, f"user: {refusal}")
            )
            return token, None
        if answer is None:
            outcome.settlements += all_untried(left)
            outcome.more = True
        return token, answer
