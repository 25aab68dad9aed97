"""Settles turns: what a turn's outcome says of the platform, and what the store is told of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

import structlog

from pointsman.delivery.breaker import Breaker
from pointsman.delivery.delivery_record import DeliveryRecord, latency
from pointsman.delivery.outcomes import storable
from pointsman.delivery.refusals import DOUBTFUL, RefusalDoubt
from pointsman.delivery.turn_outcome import DeliveryOutcome
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import Retry
from pointsman.domain.log_steps import NOTHING
from pointsman.domain.targets import Recipient
from pointsman.fault_log import FaultLog, cause
from pointsman.platforms.base import RequestOutcome
from pointsman.store.base import Lease
from pointsman.store.delivery_stores import DeliveryStore

log = structlog.get_logger(__name__)

#: a learner for whom a key is refused that works for others waits so many seconds
_OWN_PAUSE = 2.0


class Settling:
    """`on_delivery` is told of each turn that was settled.

    `progress_interval` is the pace of a learner who has nothing more to send, in seconds.
    `breaker` and `doubt` learn from each outcome.
    """

    def __init__(
        self,
        store: DeliveryStore,
        clock: Clock,
        progress_interval: float,
        on_delivery: Callable[[DeliveryRecord], None],
        jitter: random.Random,
        faults: FaultLog,
        breaker: Breaker,
        doubt: RefusalDoubt,
    ) -> None:
        self._store = store
        self._clock = clock
        self._progress_interval = progress_interval
        self._on_delivery = on_delivery
        self._jitter = jitter
        self._faults = faults
        self._breaker = breaker
        self._doubt = doubt
        #: those who may be parked wrongly, or wait for nothing, until the store has freed them
        self._to_free: dict[Recipient, None] = {}
        self._to_retry: dict[Recipient, None] = {}

    def reconfigure(self, progress_interval: float) -> None:
        """From now on at this pace, in seconds."""
        self._progress_interval = progress_interval

    @property
    def platform_trouble(self) -> str:
        """Why only one request at a time tries the platform; "" while all is well."""
        return self._breaker.reason if self._breaker.tripped else self._doubt.reason

    async def settle(self, lease: Lease, outcome: DeliveryOutcome) -> Sequence[Recipient]:
        """Store what became of a turn; who may be parked wrongly, as it shows, for `free`.

        Raises `StoreUnavailable`.
        """
        before = self.platform_trouble
        self._record(lease, outcome)
        now = micros(self._clock.now())
        at = self._clock.monotonic()
        review = self._doubt.review(
            lease.recipient,
            outcome.settlements,
            sent_at=outcome.sent_at if outcome.requests else at,
            at=at,
            now=now,
        )
        outcome.settlements = review.settlements
        if self.platform_trouble != before:
            # what to do about it is in the line of the delivery that met it
            log.info("the platform's state changed", reason=self.platform_trouble or "well")
        await self._store_settlements(lease, outcome, now)
        return review.freed

    async def free(self, recipients: Iterable[Recipient]) -> None:
        """Let these be tried again, and those whom the store could not free before."""
        self._to_free.update(dict.fromkeys(recipients))
        if freed := list(self._to_free):
            await self._store.unpark(freed, codes=DOUBTFUL)
            self._to_retry.update(dict.fromkeys(freed))
            for recipient in freed:
                self._to_free.pop(recipient, None)
        if waiting := list(self._to_retry):
            await self._store.retry_now(waiting)
            for recipient in waiting:
                self._to_retry.pop(recipient, None)

    def _record(self, lease: Lease, outcome: DeliveryOutcome) -> None:
        """What the turn says of the platform."""
        if outcome.answer is None:
            return
        at = self._clock.monotonic()
        failed = outcome.answer is RequestOutcome.ANSWERED and "retry" in outcome.results()
        if failed and "delivered" not in outcome.results():
            self._breaker.record_failing(
                at, lease.recipient, outcome.message, self._jitter, sent_at=outcome.sent_at
            )
        else:
            freed = self._breaker.record(
                at,
                outcome.answer,
                outcome.message,
                self._jitter,
                recipient=lease.recipient,
                sent_at=outcome.sent_at,
            )
            self._to_retry.update(dict.fromkeys(freed))

    async def _store_settlements(self, lease: Lease, outcome: DeliveryOutcome, now: int) -> None:
        ready_at = now + micros(self._pause(outcome))
        try:
            settled = await self._store.settle(
                lease, outcome.settlements, now=now, ready_at=ready_at, requests=outcome.sent
            )
        except Retry:
            raise
        except Exception as error:  # noqa: BLE001 - one that can't be stored sinks no other
            self._faults.tell(
                "a delivery can't be settled as it ended", error, learner=outcome.learner
            )
            outcome.faults += 1
            outcome.settlements = storable(outcome.settlements, cause(error))
            settled = await self._store.settle(
                lease, outcome.settlements, now=now, ready_at=ready_at, requests=outcome.sent
            )
        if not settled:
            log.warning("lease ended before it was settled", learner=outcome.learner, next=NOTHING)
        delivered = {
            settlement.target
            for settlement in outcome.settlements
            if settlement.result == "delivered"
        }
        record = DeliveryRecord(
            outcome, tuple(latency(row, now) for row in lease.desired if row.target in delivered)
        )
        try:
            self._on_delivery(record)
        except Exception as error:  # noqa: BLE001 - what only watches ends nothing
            self._faults.tell("a delivery could not be told of", error, learner=outcome.learner)

    def _pause(self, outcome: DeliveryOutcome) -> float:
        """Seconds until the turn of what has no time of its own may come again."""
        if outcome.answer is RequestOutcome.KEY_REFUSED and not self._breaker.tripped:
            return _OWN_PAUSE
        if outcome.more or outcome.answer in {RequestOutcome.THROTTLED, RequestOutcome.KEY_REFUSED}:
            return 0.0
        return self._progress_interval
