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
from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.delivery.pauses import LOOK_AGAIN, PauseWatch
from pointsman.delivery.refusals import RefusalDoubt
from pointsman.delivery.sender import Sender
from pointsman.delivery.settings import DeliverySettings
from pointsman.delivery.settling import Settling
from pointsman.delivery.thrifty_lead import ThriftyLead, earliest_progress
from pointsman.delivery.turn_outcome import DeliveryOutcome, given_back
from pointsman.delivery.turn_policy import TurnPolicy
from pointsman.domain.backoff import Backoff
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import Retry
from pointsman.domain.log_steps import STORE_AWAY
from pointsman.domain.targets import Recipient
from pointsman.fault_log import FaultLog
from pointsman.store.base import Lease
from pointsman.store.delivery_stores import DeliveryStore
from pointsman.store.pause_store import PauseStore
from pointsman.store.turns import LONGEST_FRESHNESS

log = structlog.get_logger(__name__)

#: learners are leased for about so many seconds of sending ahead: a completion that arrives then
#: waits for those
_LEASE_AHEAD = 0.025
#: of `fresh_within_seconds`, the part that a thrifty sender may send progress earlier
_MOST_LEAD = 0.5
#: of `concurrency`, so many deliveries may be under way with those that wait in line to be sent, or
#: for the store to settle them
_MOST_UNDER_WAY = 3
#: a command at a terminal may free parked state without a word to us, seconds
_LOOK_AGAIN = 5.0
#: how long to wait for a store that is away, seconds
_STORE_PAUSE = 1.0
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
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._wake = asyncio.Event()
        self._concurrency = sender.concurrency
        self._most_under_way = _MOST_UNDER_WAY * settings.concurrency
        self._under_way: set[asyncio.Task[None]] = set()
        self._of_recipient: dict[Recipient, asyncio.Task[None]] = {}
        self._faults = FaultLog()
        self.breaker = Breaker(sender.outage_watchers)
        self._doubt = RefusalDoubt(self._jitter)
        self._settling = Settling(
            store,
            clock,
            settings.progress_interval_seconds,
            on_delivery,
            self._jitter,
            self._faults,
            self.breaker,
            self._doubt,
        )
        self.pauses = PauseWatch(store, clock)

    def reconfigure(self, settings: DeliverySettings, *, points_per_request: int) -> None:
        """From now on so; what is under way ends as it began."""
        self._use(settings)
        self._settling.reconfigure(settings.progress_interval_seconds)
        self._sender.reconfigure(settings, points_per_request=points_per_request)

    def _use(self, settings: DeliverySettings) -> None:
        self._settings = settings
        self._longest_pause = micros(
            max(settings.retry_max_seconds, settings.progress_interval_seconds)
        )
        self._policy = TurnPolicy(settings.source_weights, settings.rule_weights)
        self._lead = ThriftyLead(_MOST_LEAD * settings.fresh_within_seconds)

    @property
    def _due_within(self) -> int:
        """Progress that is due within so many microseconds may go now."""
        if self._settings.economy == "fresh":
            return LONGEST_FRESHNESS
        return micros(self._lead.seconds)

    @property
    def platform_trouble(self) -> str:
        """Why only one request at a time tries the platform; "" while all is well."""
        return self._settling.platform_trouble

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
        await self._concurrency.wait_for_room()
        if len(self._under_way) >= self._most_under_way:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            return
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
        now, limit, due_within = self._now(), self._lease_limit(), self._due_within
        leases = await self._store.lease(
            now=now,
            ttl=micros(self._settings.lease_seconds),
            limit=limit,
            longest_pause=self._longest_pause,
            choose=lambda waiting: self._policy.choose(waiting, limit=limit, now=now),
            due_within=due_within,
        )
        for lease in leases:
            earlier = self._of_recipient.get(lease.recipient)
            task = asyncio.create_task(self._deliver_or_let_expire(lease, earlier))
            self._under_way.add(task)
            self._of_recipient[lease.recipient] = task
            task.add_done_callback(partial(self._ended, lease.recipient))
        await asyncio.sleep(0)  # they are in front of us when we wait for the quota next
        if not leases:
            await self._idle()
        # each gets in line for the quota before more are leased, which then wait behind it
        await asyncio.sleep(0)

    def _lease_limit(self) -> int:
        """So many learners as can be sent for soon; while the platform is out only one."""
        if self._one_at_a_time:
            return 1
        waiting = self._concurrency.waiting + self._concurrency.in_line
        ahead = self._budget.requests_within(_LEASE_AHEAD) - waiting
        return max(1, min(self._concurrency.room, ahead))

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

    def _ended(self, recipient: Recipient, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if self._of_recipient.get(recipient) is task:
            del self._of_recipient[recipient]
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
            with only_own_cancellation:
                await self._deliver(lease)
        except Retry as error:
            learner = str(lease.recipient)
            log.warning("delivery not settled", learner=learner, reason=str(error), next=STORE_AWAY)

    async def _deliver(self, lease: Lease) -> None:
        give_up_at = self._clock.monotonic() + self._settings.lease_seconds - self._request_timeout
        lease, held = self.pauses.hold_back(lease)
        could_go_at = earliest_progress(lease.desired, self._due_within)
        outcome = await self._send(lease, give_up_at)
        if could_go_at is not None and "delivered" in outcome.results():
            self._lead.waited((self._now() - could_go_at) / 1e6)
        outcome.settlements += held
        freed = await self._settling.settle(lease, outcome)
        await self.pauses.settled(lease, held)
        await self._settling.free(freed)

    async def _send(self, lease: Lease, give_up_at: float) -> DeliveryOutcome:
        """In its turn, unless it has become late or useless for that while it waited in line."""
        in_time = not self._one_at_a_time
        begun_in = await self._concurrency.begin()
        try:
            if in_time and self._one_at_a_time:
                return given_back(lease)
            return await self._sender.deliver(lease, give_up_at=give_up_at)
        finally:
            self._concurrency.end(begun_in)

    def _now(self) -> int:
        return micros(self._clock.now())
