"""The delivery loop: while the quota allows it, leases the most urgent learners and delivers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog

from pointsman.cancellation import only_own_cancellation
from pointsman.delivery.breaker import Breaker
from pointsman.delivery.budget.base import Budget
from pointsman.delivery.delivery_record import DeliveryRecord, latency
from pointsman.delivery.outcomes import storable
from pointsman.delivery.pauses import LOOK_AGAIN, PauseWatch
from pointsman.delivery.refusals import DOUBTFUL, RefusalDoubt
from pointsman.delivery.sender import DeliveryOutcome, Sender
from pointsman.delivery.settings import DeliverySettings
from pointsman.delivery.turn_policy import TurnPolicy
from pointsman.domain.backoff import Backoff
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import Retry
from pointsman.domain.log_steps import NOTHING, STORE_AWAY
from pointsman.domain.targets import Recipient
from pointsman.fault_log import FaultLog, cause
from pointsman.platforms.base import RequestOutcome
from pointsman.store.base import Lease
from pointsman.store.delivery_stores import DeliveryStore
from pointsman.store.pause_store import PauseStore
from pointsman.store.turns import LONGEST_FRESHNESS

log = structlog.get_logger(__name__)

#: learners are leased for about so many seconds of sending ahead: a completion that arrives then
#: waits for those
_LEASE_AHEAD = 0.025
#: a thrifty sender sends progress so long before it is due, which has to do for the way there
_THRIFTY_LEAD = 3.0
#: a command at a terminal may free parked state without a word to us, seconds
_LOOK_AGAIN = 5.0
#: how long to wait for a store that is away, seconds
_STORE_PAUSE = 1.0
#: a learner for whom a key is refused that works for others waits so many seconds
_OWN_PAUSE = 2.0
#: how long to wait after a fault of ours
_FAULT_PAUSE = Backoff(1.0, 60.0)


class DispatcherStore(DeliveryStore, PauseStore, Protocol):
    """The store, as the loop sees it."""


class Dispatcher:
    """Runs until `drain`. `wake` says that there may be something new to send.

    `request_timeout` is how long one request may take, in seconds.
    """

    def __init__(
        self,
        store: DispatcherStore,
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
        self._use(settings)
        self._request_timeout = request_timeout
        self._on_delivery = on_delivery
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._wake = asyncio.Event()
        self._concurrency = sender.concurrency
        self._under_way: set[asyncio.Task[None]] = set()
        self._of_recipient: dict[Recipient, asyncio.Task[None]] = {}
        self._faults = FaultLog()
        self._doubt = RefusalDoubt(self._jitter)
        #: those who may be parked wrongly, or wait for nothing, until the store has freed them
        self._to_free: dict[Recipient, None] = {}
        self._to_retry: dict[Recipient, None] = {}
        self.breaker = Breaker(watcher=self._concurrency)
        self.pauses = PauseWatch(store, clock)

    def reconfigure(self, settings: DeliverySettings, *, points_per_request: int) -> None:
        """From now on so; what is under way ends as it began."""
        self._use(settings)
        self._sender.reconfigure(settings, points_per_request=points_per_request)

    def _use(self, settings: DeliverySettings) -> None:
        self._settings = settings
        self._longest_pause = micros(
            max(settings.retry_max_seconds, settings.progress_interval_seconds)
        )
        self._policy = TurnPolicy(settings.source_weights, settings.rule_weights)
        self._due_within = (
            LONGEST_FRESHNESS if settings.economy == "fresh" else micros(_THRIFTY_LEAD)
        )

    @property
    def platform_trouble(self) -> str:
        """Why only one request at a time tries the platform; "" while all is well."""
        return self.breaker.reason if self.breaker.tripped else self._doubt.reason

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Lease and deliver until cancelled; what is under way then goes on until `drain`."""
        faults = 0
        while True:
            try:
                await self._lease_some()
                faults = 0
            except Retry as error:
                log.warning("delivery waits for the store", reason=str(error), next=STORE_AWAY)
                await self._clock.sleep(_STORE_PAUSE)
            except Exception as error:  # noqa: BLE001 - what is under way goes on, and so do others
                faults += 1
                self._faults.tell("no delivery could be begun, for a reason of ours", error)
                await self._clock.sleep(_FAULT_PAUSE.seconds(faults, self._jitter))

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
        await self._concurrency.wait_until_free()
        await self.pauses.refresh()
        if self.pauses.everything is not None:
            self._wake.clear()
            await self._sleep_or_wake(LOOK_AGAIN)
            return
        next_at = max(self.breaker.next_at, self._doubt.paused_until)
        if (seconds := next_at - self._clock.monotonic()) > 0:
            self._wake.clear()
            await self._sleep_or_wake(seconds)  # an answer may set all free earlier
            return
        if self._doubt.active and self._under_way:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            return
        await self._budget.wait_for_quota()
        self.breaker.trying(self._clock.monotonic(), self._jitter)
        self._wake.clear()
        now, limit = self._now(), self._lease_limit()
        leases = await self._store.lease(
            now=now,
            ttl=micros(self._settings.lease_seconds),
            limit=limit,
            longest_pause=self._longest_pause,
            choose=lambda waiting: self._policy.choose(waiting, limit=limit, now=now),
            due_within=self._due_within,
        )
        for lease in leases:
            begun_in = await self._concurrency.begin()
            earlier = self._of_recipient.get(lease.recipient)
            task = asyncio.create_task(self._deliver_or_let_expire(lease, earlier))
            self._under_way.add(task)
            self._of_recipient[lease.recipient] = task
            task.add_done_callback(partial(self._ended, lease.recipient, begun_in))
        await asyncio.sleep(0)  # they are in front of us when we wait for the quota next
        if not leases:
            await self._idle()
        # each gets in line for the quota before more are leased, which then wait behind it
        await asyncio.sleep(0)

    def _lease_limit(self) -> int:
        """So many learners as can be sent for soon; while the platform is out only one."""
        if self._one_at_a_time:
            return 1
        ahead = self._budget.requests_within(_LEASE_AHEAD) - self._concurrency.waiting
        return max(1, min(self._concurrency.free, ahead))

    @property
    def _one_at_a_time(self) -> bool:
        return self.breaker.one_at_a_time or self._doubt.active

    async def _idle(self) -> None:
        """Wait until something new arrives or a learner's pause is over."""
        ready_at = await self._store.next_ready_at(due_within=self._due_within)
        seconds = _LOOK_AGAIN
        if ready_at is not None:
            seconds = min(seconds, max(0.0, (ready_at - self._now()) / 1e6))
        await self._sleep_or_wake(seconds)

    async def _sleep_or_wake(self, seconds: float) -> None:
        timeout = asyncio.ensure_future(self._clock.sleep(seconds))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({timeout, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (timeout, woken):
                task.cancel()

    def _ended(self, recipient: Recipient, begun_in: int, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if self._of_recipient.get(recipient) is task:
            del self._of_recipient[recipient]
        self._concurrency.end(begun_in)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._faults.tell("a delivery was not settled for a reason of ours", error)
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
            with only_own_cancellation():
                await self._deliver(lease)
        except Retry as error:
            learner = str(lease.recipient)
            log.warning("delivery not settled", learner=learner, reason=str(error), next=STORE_AWAY)

    async def _deliver(self, lease: Lease) -> None:
        give_up_at = self._clock.monotonic() + self._settings.lease_seconds - self._request_timeout
        lease, held = self.pauses.hold_back(lease)
        outcome = await self._sender.deliver(lease, give_up_at=give_up_at)
        outcome.settlements += held
        before = self.platform_trouble
        self._record(lease, outcome)
        now = self._now()
        review = self._doubt.review(
            lease.recipient, outcome.settlements, at=self._clock.monotonic(), now=now
        )
        outcome.settlements = review.settlements
        if self.platform_trouble != before:
            # what to do about it is in the line of the delivery that met it
            log.info("the platform's state changed", reason=self.platform_trouble or "well")
        await self._settle(lease, outcome, now)
        await self.pauses.settled(lease, held)
        self._to_free.update(dict.fromkeys(review.freed))
        await self._free()

    async def _free(self) -> None:
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
            self.breaker.record_failing(
                at, lease.recipient, outcome.message, self._jitter, sent_at=outcome.sent_at
            )
        else:
            freed = self.breaker.record(
                at,
                outcome.answer,
                outcome.message,
                self._jitter,
                recipient=lease.recipient,
                sent_at=outcome.sent_at,
            )
            self._to_retry.update(dict.fromkeys(freed))

    async def _settle(self, lease: Lease, outcome: DeliveryOutcome, now: int) -> None:
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
        if outcome.answer is RequestOutcome.KEY_REFUSED and not self.breaker.tripped:
            return _OWN_PAUSE
        if outcome.more or outcome.answer in {RequestOutcome.THROTTLED, RequestOutcome.KEY_REFUSED}:
            return 0.0
        return self._settings.progress_interval_seconds

    def _now(self) -> int:
        return micros(self._clock.now())
