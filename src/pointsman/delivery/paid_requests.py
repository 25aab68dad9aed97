"""Requests of a delivery, each paid from the budget before it is sent."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Sequence
from dataclasses import replace

from pointsman.cancellation import only_own_cancellation
from pointsman.delivery.budget.base import Budget, Reservation
from pointsman.delivery.concurrency import ConcurrencyLimit
from pointsman.delivery.key_evidence import KeyEvidence
from pointsman.delivery.requests_under_way import RequestsUnderWay
from pointsman.delivery.turn_outcome import DeliveryOutcome
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import Bug
from pointsman.platforms.base import (
    TROUBLE,
    Mutation,
    MutationResult,
    Platform,
    PlatformAnswer,
    RequestOutcome,
    Verdict,
)
from pointsman.store.history_records import SentMutation, SentRequest


class SendingFailed(Bug):
    """A fault of ours while a request was made of these mutations."""

    def __init__(self, fault: Exception) -> None:
        super().__init__(str(fault))
        self.fault = fault


class PaidRequests:
    """What was sent and what it cost is counted in the outcome of the turn."""

    def __init__(
        self, platform: Platform, budget: Budget, clock: Clock, concurrency: ConcurrencyLimit
    ) -> None:
        self._platform = platform
        self._budget = budget
        self._clock = clock
        #: a request is called by the process and its number
        self._name = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._concurrency = concurrency
        self.under_way = RequestsUnderWay(clock)
        #: what answers have shown of the apiKey
        self.key = KeyEvidence()
        self._probing = asyncio.Lock()

    async def send(
        self,
        outcome: DeliveryOutcome,
        token: str | None,
        mutations: Sequence[Mutation],
        give_up_at: float,
    ) -> PlatformAnswer | None:
        """One paid request; None when the budget would not allow it in time."""
        points = self._platform.price(mutations)
        reservation = await self._reserve(points, give_up_at)
        if reservation is None:
            return None
        started = self._clock.monotonic()
        try:
            with only_own_cancellation:
                answer = await self.under_way.answer(
                    self._platform.deliver(token, mutations), len(mutations)
                )
        except Exception as error:  # a fault of ours, in one of these perhaps
            self._budget.settle(reservation, PlatformAnswer(RequestOutcome.UNREACHABLE))
            raise SendingFailed(error) from error
        self._budget.settle(reservation, answer)
        if not answer.sent:
            outcome.message = answer.message
            return answer
        seconds = self._clock.monotonic() - started
        outcome.seconds.append(seconds)
        if answer.outcome is RequestOutcome.UNREACHABLE:
            self._concurrency.failed(sent_at=started)
        elif answer.outcome is not RequestOutcome.THROTTLED:
            self._concurrency.answered(seconds, sent_at=started)
        outcome.requests += 1
        outcome.points += points
        outcome.sent_at = started
        if answer.key_in_doubt:
            answer = await self._tell_key_from_token(outcome, answer, started, give_up_at)
        elif answer.outcome not in TROUBLE:
            self.key.taken(started)
        outcome.answer, outcome.message = answer.outcome, answer.message
        outcome.sent.append(self._sent(points, seconds, mutations, answer))
        return answer

    def _sent(
        self, points: int, seconds: float, mutations: Sequence[Mutation], answer: PlatformAnswer
    ) -> SentRequest:
        may_have_run = answer.outcome is RequestOutcome.UNREACHABLE
        nothing = MutationResult(Verdict.UNKNOWN if may_have_run else Verdict.NOT_RUN)
        results = answer.results or [nothing] * len(mutations)
        return SentRequest(
            id=f"{self._name}-{next(self._numbers):x}",
            at=micros(self._clock.now()),
            points=points,
            seconds=seconds,
            answer=answer.outcome.value,
            words=answer.message,
            mutations=tuple(
                [
                    SentMutation(
                        mutation.target, mutation.value, result.verdict.value, result.message
                    )
                    for mutation, result in zip(mutations, results, strict=False)
                ]
            ),
        )

    async def _reserve(self, points: int, give_up_at: float) -> Reservation | None:
        self._concurrency.waiting += 1
        try:
            return await self._budget.reserve(points, give_up_at=give_up_at)
        finally:
            self._concurrency.waiting -= 1

    async def _tell_key_from_token(
        self,
        outcome: DeliveryOutcome,
        answer: PlatformAnswer,
        sent_at: float,
        give_up_at: float,
    ) -> PlatformAnswer:
        """Where nothing shows that the key is good, the platform is asked without a learner."""
        async with self._probing:
            return await self._probe(outcome, answer, sent_at, give_up_at)

    async def _probe(
        self,
        outcome: DeliveryOutcome,
        answer: PlatformAnswer,
        sent_at: float,
        give_up_at: float,
    ) -> PlatformAnswer:
        """What is known by now spares the question."""
        if self.key.probe_is_useless or self.key.is_good_since(sent_at):
            return answer
        if self.key.is_refused_since(sent_at):
            return replace(answer, outcome=RequestOutcome.KEY_REFUSED)
        reservation = await self._reserve(1, give_up_at)
        if reservation is None:
            return answer
        asked_at = self._clock.monotonic()
        try:
            with only_own_cancellation:
                probe = await self.under_way.answer(self._platform.probe())
        except Exception:
            self._budget.settle(reservation, PlatformAnswer(RequestOutcome.UNREACHABLE))
            raise
        self._budget.settle(reservation, probe)
        outcome.requests += 1
        outcome.points += 1
        if probe.outcome is RequestOutcome.ANSWERED:
            self.key.probe_taken(asked_at)
            return answer
        if probe.outcome is RequestOutcome.KEY_REFUSED:
            self.key.probe_refused(asked_at)
        if self.key.is_good_since(sent_at):
            return answer
        if probe.outcome in TROUBLE:
            return replace(answer, outcome=probe.outcome, message=probe.message or answer.message)
        return answer
