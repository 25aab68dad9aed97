"""The delivery loop: while the quota allows it, leases the most urgent learners and delivers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from pointsman.delivery.backoff import Backoff
from pointsman.delivery.breaker import Breaker
from pointsman.delivery.budget.base import Budget
from pointsman.delivery.sender import DeliveryOutcome, Sender
from pointsman.delivery.settings import DeliverySettings
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import Retry
from pointsman.domain.records import Desired
from pointsman.domain.targets import Recipient, TargetKind, is_completion
from pointsman.platforms.base import RequestOutcome
from pointsman.store.base import Lease, Store

log = structlog.get_logger(__name__)

#: the answer of a turn in which nothing was sent
NOT_SENT = "not_sent"
#: learners are leased for about so many seconds of sending ahead
_LEASE_AHEAD = 0.25
#: a command at a terminal may free parked state without a word to us, seconds
_LOOK_AGAIN = 5.0
#: how long to wait for a store that is away, seconds
_STORE_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class DeliveryLatency:
    """One desired state that the platform said yes to.

    `seconds` count from the arrival of the first change that was not delivered, and
    `completion_seconds` from the one that completed it; None when it completes nothing.
    """

    kind: TargetKind
    seconds: float
    completion_seconds: float | None
    #: the statement that asked for it
    statement_id: str


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One lease, settled: for the log line and the metrics."""

    outcome: DeliveryOutcome
    latencies: tuple[DeliveryLatency, ...]


class Dispatcher:
    """Runs until `drain`. `wake` says that there may be something new to send.

    `request_timeout` is how long one request may take, in seconds.
    """

    def __init__(
        self,
        store: Store,
        sender: Sender,
        budget: Budget,
        clock: Clock,
        settings: DeliverySettings,
        on_delivery: Callable[[DeliveryRecord], None],
        *,
        request_timeout: float,
        jitter: random.Random | None = None,
    ) -> None:
        self._store = store
        self._sender = sender
        self._budget = budget
        self._clock = clock
        self._settings = settings
        self._request_timeout = request_timeout
        self._backoff = Backoff(settings.retry_base_seconds, settings.retry_max_seconds)
        self._on_delivery = on_delivery
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._under_way: set[asyncio.Task[None]] = set()
        self._of_recipient: dict[Recipient, asyncio.Task[None]] = {}
        self._longest_pause = micros(
            max(settings.retry_max_seconds, settings.progress_interval_seconds)
        )
        self.breaker = Breaker(Backoff(1.0, 60.0))

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Lease and deliver until cancelled; what is under way then goes on until `drain`."""
        while True:
            try:
                await self._lease_some()
            except Retry as error:
                log.warning("delivery waits for the store", reason=str(error))
                await self._clock.sleep(_STORE_PAUSE)

    async def drain(self, seconds: float) -> int:
        """Wait for the deliveries under way; how many were left when the time was up.

        Those are abandoned: their state is still dirty, and sending it again does no harm.
        """
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        left = list(self._under_way)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return len(left)

    async def _lease_some(self) -> None:
        """Start as many deliveries as may go now, or wait where there is nothing to deliver."""
        async with self._slots:
            pass  # at least one slot is free
        await self._clock.sleep(self.breaker.paused_until - self._clock.monotonic())
        if self.breaker.tripped and self._under_way:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            return
        await self._budget.wait_for_quota()
        self._wake.clear()
        leases = await self._store.lease(
            now=self._now(),
            ttl=micros(self._settings.lease_seconds),
            limit=self._lease_limit(),
            longest_pause=self._longest_pause,
        )
        for lease in leases:
            await self._slots.acquire()
            earlier = self._of_recipient.get(lease.recipient)
            task = asyncio.create_task(self._deliver_or_let_expire(lease, earlier))
            self._under_way.add(task)
            self._of_recipient[lease.recipient] = task
            task.add_done_callback(partial(self._ended, lease.recipient))
        if not leases:
            await self._idle()

    def _lease_limit(self) -> int:
        """So many learners as can be sent for soon; while the platform is out only one."""
        if self.breaker.tripped:
            return 1
        free = self._settings.concurrency - len(self._under_way)
        return max(1, min(free, self._budget.requests_within(_LEASE_AHEAD)))

    async def _idle(self) -> None:
        """Wait until something new arrives or a learner's pause is over."""
        ready_at = await self._store.next_ready_at()
        seconds = _LOOK_AGAIN
        if ready_at is not None:
            seconds = min(seconds, max(0.0, (ready_at - self._now()) / 1e6))
        timeout = asyncio.ensure_future(self._clock.sleep(seconds))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({timeout, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (timeout, woken):
                task.cancel()

    def _ended(self, recipient: Recipient, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if self._of_recipient.get(recipient) is task:
            del self._of_recipient[recipient]
        self._slots.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a delivery failed for a reason of ours", exc_info=error)
        self._wake.set()

    async def _deliver_or_let_expire(
        self, lease: Lease, earlier: asyncio.Task[None] | None
    ) -> None:
        """Without the store nothing can be settled: the lease runs out, and it is sent again.

        A clock that was set forward ends leases that are still used. What is under way for the
        recipient is waited for, so that the older state does not arrive after the newer one.
        """
        if earlier is not None:
            await asyncio.wait({earlier})
        try:
            await self._deliver(lease)
        except Retry as error:
            log.warning("delivery not settled", learner=str(lease.recipient), reason=str(error))

    async def _deliver(self, lease: Lease) -> None:
        give_up_at = self._clock.monotonic() + self._settings.lease_seconds - self._request_timeout
        outcome = await self._sender.deliver(lease, give_up_at=give_up_at)
        if outcome.answer is not None:
            before = self.breaker.reason
            self.breaker.record(
                self._clock.monotonic(), outcome.answer, outcome.message, self._jitter
            )
            if self.breaker.reason != before and (self.breaker.tripped or before):
                log.warning("the platform's state changed", reason=self.breaker.reason or "well")
        now = self._now()
        settled = await self._store.settle(
            lease, outcome.settlements, now=now, ready_at=now + micros(self._pause(lease, outcome))
        )
        if not settled:
            log.warning("lease had passed on before it was settled", learner=str(lease.recipient))
        delivered = {
            settlement.target
            for settlement in outcome.settlements
            if settlement.result == "delivered"
        }
        self._on_delivery(
            DeliveryRecord(
                outcome,
                tuple(latency(row, now) for row in lease.desired if row.target in delivered),
            )
        )

    def _pause(self, lease: Lease, outcome: DeliveryOutcome) -> float:
        """Seconds until this learner's turn may come again."""
        if any(settlement.result == "retry" for settlement in outcome.settlements):
            failures = 1 + max(row.failures for row in lease.desired)
            return self._backoff.seconds(failures, self._jitter)
        if outcome.more or outcome.answer in {RequestOutcome.THROTTLED, RequestOutcome.KEY_REFUSED}:
            return 0.0
        return self._settings.progress_interval_seconds

    def _now(self) -> int:
        return micros(self._clock.now())


def latency(row: Desired, now: int) -> DeliveryLatency:
    """How long a state took that the platform has now."""
    completed = (now - row.changed_at) / 1e6 if is_completion(row.target, row.value) else None
    return DeliveryLatency(row.target.kind, (now - row.since) / 1e6, completed, row.statement_id)
