"""The stores' side of delivery, in memory, for virtual time.

A hundred thousand learners are to be driven for an hour in under a minute, which SQLite can't do.
It passes the stores' contract tests for this side.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from pointsman.domain.desired_state import Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.pauses import Pause
from pointsman.domain.records import InputOutcome, Receipt, Submission
from pointsman.domain.targets import Recipient, Target, TargetKind
from pointsman.simulation.memory_queue import MemoryQueue, Place
from pointsman.simulation.memory_records import is_parked, ready_from, settled
from pointsman.store.base import Backlog, Books, Lease, Settlement, Window
from pointsman.store.commit_plan import Plan
from pointsman.store.delivery_stores import LONGEST_PAUSE
from pointsman.store.evidence import Gathered
from pointsman.store.history_records import SentRequest
from pointsman.store.records import Hold, hold_after
from pointsman.store.turns import (
    LONGEST_FRESHNESS,
    Choose,
    Turn,
    most_urgent_first,
    turn_of,
    united,
)


class MemoryStore:
    """A `DeliveryStore` and a `WindowLedger`, and as much of the rest as fills them."""

    def __init__(self) -> None:
        self._desired: defaultdict[Recipient, dict[Target, Desired]] = defaultdict(dict)
        self._queue = MemoryQueue()
        self._known: dict[str, int] = {}
        self._evidence: dict[tuple[Recipient, str], Gathered] = {}
        self._outcomes: Counter[InputOutcome] = Counter()
        self._window: Window | None = None
        self._pauses: dict[TargetKind | None, Pause] = {}

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        touched = {
            (change.recipient, change.target)
            for submission in submissions
            for item in submission.items
            for change in item.decision.changes
        }
        plan = Plan(
            known=self._known,
            desired={
                key: known
                for key in touched
                if (known := self._desired[key[0]].get(key[1])) is not None
            },
            is_dead=lambda *_: False,
            evidence=self._evidence,
        )
        receipts = [plan.take(submission) for submission in submissions]
        for receipt in receipts:
            self._outcomes.update(receipt.outcomes)
        for record in plan.moved.values():
            self.put(record)
        for recipient, turn in plan.queue.items():
            self.queue(recipient, turn)
        return receipts

    def put(self, record: Desired) -> None:
        """Keep what a change has moved."""
        place = self._queue.places.get(record.recipient)
        before = self._desired[record.recipient].get(record.target)
        leased_at = None if place is None or place.hold is not Hold.LEASE else place.leased_at
        if before is not None and leased_at is not None and before.changed_at > leased_at:
            # while it is leased, waiting counts from the first change since
            record = replace(record, changed_at=before.changed_at)
        self._desired[record.recipient][record.target] = record

    def queue(self, recipient: Recipient, turn: Turn) -> None:
        """Something new is to be sent; what is urgent does not wait for the recipient's pace."""
        place = self._queue.places.setdefault(recipient, Place())
        ready = place.ready or place.hold is Hold.NOTHING
        ready = ready or (turn.urgent and place.hold is Hold.PACE)
        self._queue.move(recipient, place, united((place.turn or turn, turn)), ready=ready)

    async def lease(
        self,
        *,
        now: int,
        ttl: int,
        limit: int,
        longest_pause: int = LONGEST_PAUSE,  # noqa: ARG002 - the Protocol's
        choose: Choose | None = None,
        due_within: int = LONGEST_FRESHNESS,
    ) -> list[Lease]:
        """As `DeliveryStore` says, but that nothing sets this clock back."""
        self._queue.promote(now)
        waiting = self._queue.first_of_queues(limit, now + due_within)
        waiting += self._queue.first_deadlines(limit, now)
        leases: list[Lease] = []
        for chosen in (choose or most_urgent_first(limit))(list(dict.fromkeys(waiting))):
            place = self._queue.places[chosen.recipient]
            place.token += 1
            place.leased_at = now
            place.hold = Hold.LEASE
            self._queue.move(chosen.recipient, place, place.turn, ready=False, ready_at=now + ttl)
            self.fill(chosen.recipient, now)
            rows = tuple(self._undelivered(chosen.recipient))
            leases.append(Lease(chosen.recipient, place.token, now + ttl, rows))
        return leases

    def fill(self, recipient: Recipient, now: int) -> None:
        """Whoever makes state only when it is needed does so now: its recipient is being leased."""

    async def settle(
        self,
        lease: Lease,
        settlements: Sequence[Settlement],
        *,
        now: int,
        ready_at: int,
        requests: Sequence[SentRequest] = (),  # noqa: ARG002 - for a history, and nothing is told here
    ) -> bool:
        place = self._queue.places[lease.recipient]
        if place.hold is not Hold.LEASE or place.token != lease.token:
            return False
        records = self._desired[lease.recipient]
        sent = {record.target: record.value for record in lease.desired}
        for settlement in settlements:
            record = records[settlement.target]
            records[record.target] = settled(record, settlement, sent[record.target])
        if any(settlement.result == "delivered" for settlement in settlements):
            self._free(lease.recipient, {ParkCode.WAITS_FOR})
        dirty = [record for record in self._undelivered(lease.recipient) if not record.parked]
        next_at = min((ready_from(record, now, ready_at) for record in dirty), default=ready_at)
        place.hold = hold_after(settlements)
        self._queue.move(
            lease.recipient,
            place,
            united(map(turn_of, dirty)),
            ready=next_at == 0,
            ready_at=next_at or ready_at,
        )
        return True

    async def unpark(
        self,
        recipients: Sequence[Recipient] | None = None,
        *,
        codes: Collection[ParkCode] = (),
        reason_prefix: str = "",
    ) -> int:
        freed = 0
        for recipient in list(self._desired) if recipients is None else recipients:
            count = self._free(recipient, codes, reason_prefix, again=True)
            if count:
                self._free(recipient, {ParkCode.WAITS_FOR})
                self._requeue(recipient)
            freed += count
        return freed

    async def retry_now(self, recipients: Sequence[Recipient]) -> None:
        for recipient in recipients:
            for record in self._undelivered(recipient):
                if not record.parked:
                    self._desired[recipient][record.target] = replace(record, retry_at=0)
            self._requeue(recipient)

    async def parked(
        self,
        recipients: Sequence[Recipient] = (),
        *,
        codes: Collection[ParkCode] = (),
        reason_prefix: str = "",
        limit: int,
    ) -> list[Desired]:
        rows = [
            record
            for recipient in recipients or list(self._desired)
            for record in self._undelivered(recipient)
            if is_parked(record, codes, reason_prefix)
        ]
        return sorted(rows, key=lambda record: record.since)[:limit]

    async def next_ready_at(self, *, due_within: int = LONGEST_FRESHNESS) -> int | None:
        return self._queue.next_ready_at(due_within)

    @property
    def ready(self) -> int:
        """How many recipients wait for nothing but their turn."""
        return self._queue.ready

    @property
    def waiting(self) -> int:
        """How many recipients have something to send."""
        return self._queue.waiting

    async def window(self) -> Window | None:
        return self._window

    async def save_window(self, window: Window) -> None:
        self._window = window

    async def pauses(self) -> list[Pause]:
        return [self._pauses[kind] for kind in sorted(self._pauses, key=lambda kind: kind or "")]

    async def pause(self, pause: Pause) -> None:
        before = self._pauses.get(pause.kind, pause)
        self._pauses[pause.kind] = replace(pause, since=before.since)

    async def resume(self, kind: TargetKind | None) -> bool:
        return self._pauses.pop(kind, None) is not None

    async def backlog(self) -> Backlog:
        dirty = dict.fromkeys(TargetKind, 0)
        parked = dict.fromkeys(TargetKind, 0)
        oldest: int | None = None
        for recipient in self._desired:
            for record in self._undelivered(recipient):
                (parked if record.parked else dirty)[record.target.kind] += 1
                if not record.parked:
                    oldest = record.since if oldest is None else min(oldest, record.since)
        return Backlog(dirty, parked, 0, 0, oldest)

    async def books(self) -> Books:
        records = [record for known in self._desired.values() for record in known.values()]
        dirty = [record for record in records if record.version > record.delivered_version]
        parked = sum(bool(record.parked) for record in dirty)
        return Books(
            accepted=self._outcomes.total(),
            outcomes=dict(self._outcomes),
            desired=len(records),
            delivered=len(records) - len(dirty),
            dirty=len(dirty) - parked,
            parked=parked,
        )

    def _undelivered(self, recipient: Recipient) -> list[Desired]:
        records = self._desired.get(recipient, {}).values()
        return [record for record in records if record.version > record.delivered_version]

    def _free(
        self,
        recipient: Recipient,
        codes: Collection[ParkCode],
        reason_prefix: str = "",
        *,
        again: bool = False,
    ) -> int:
        """What is parked for such a reason is parked no longer; how many."""
        freed = [
            record
            for record in self._undelivered(recipient)
            if is_parked(record, codes, reason_prefix)
        ]
        for record in freed:
            self._desired[recipient][record.target] = replace(
                record,
                parked="",
                park_code=None,
                failures=0 if again else record.failures,
                retry_at=0 if again else record.retry_at,
            )
        return len(freed)

    def _requeue(self, recipient: Recipient) -> None:
        dirty = [record for record in self._undelivered(recipient) if not record.parked]
        place = self._queue.places.get(recipient)
        if place is None:
            return
        leased = place.hold is Hold.LEASE
        if not leased:
            place.hold = Hold.NOTHING
        self._queue.move(recipient, place, united(map(turn_of, dirty)), ready=not leased)
