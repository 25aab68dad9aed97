"""The stores' side of delivery, in memory, for virtual time.

A hundred thousand learners are to be driven for an hour in under a minute, which SQLite can't do.
It passes the stores' contract tests for this side.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import Desired, InputOutcome, Receipt, Submission
from pointsman.domain.targets import Recipient, Target, TargetKind, Value, is_completion
from pointsman.store.base import Backlog, Books, Lease, Settlement, Window
from pointsman.store.commit_plan import HEAD_START, Plan
from pointsman.store.delivery_stores import LONGEST_PAUSE
from pointsman.store.evidence import Gathered
from pointsman.store.history_records import SentRequest
from pointsman.store.records import Hold, hold_after


@dataclass(slots=True)
class _Turn:
    """A recipient's row of the queue, as in the stores' table `learners`."""

    #: None when there is nothing to send
    due: int | None = None
    ready: bool = True
    ready_at: int = 0
    hold: Hold = Hold.NOTHING
    token: int = 0
    leased_at: int = 0


#: (when, the entry's number, whose)
_Entry = tuple[int, int, Recipient]


class MemoryStore:
    """A `DeliveryStore` and a `WindowLedger`, and as much of the rest as fills them."""

    def __init__(self) -> None:
        self._desired: defaultdict[Recipient, dict[Target, Desired]] = defaultdict(dict)
        self._turns: dict[Recipient, _Turn] = {}
        #: by due those that are ready, and by `ready_at` those that wait;
        #: entries that their turn has moved away from are dropped when they come up
        self._ready: list[_Entry] = []
        self._waiting: list[_Entry] = []
        self._entries = 0
        self._dirty = 0
        self._known: dict[str, int] = {}
        self._evidence: dict[tuple[Recipient, str], Gathered] = {}
        self._outcomes: Counter[InputOutcome] = Counter()
        self._window: Window | None = None

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
        for recipient, queued in plan.queue.items():
            self.queue(recipient, queued.due, urgent=queued.urgent)
        return receipts

    def put(self, record: Desired) -> None:
        """Keep what a change has moved."""
        turn = self._turns.get(record.recipient)
        before = self._desired[record.recipient].get(record.target)
        leased_at = None if turn is None or turn.hold is not Hold.LEASE else turn.leased_at
        if before is not None and leased_at is not None and before.changed_at > leased_at:
            # while it is leased, waiting counts from the first change since
            record = replace(record, changed_at=before.changed_at)
        self._desired[record.recipient][record.target] = record

    def queue(self, recipient: Recipient, due: int, *, urgent: bool) -> None:
        """Something new is to be sent; a completion does not wait for the recipient's pace."""
        turn = self._turns.setdefault(recipient, _Turn())
        due = due if turn.due is None else min(turn.due, due)
        ready = turn.ready or turn.hold is Hold.NOTHING or (urgent and turn.hold is Hold.PACE)
        self._place(recipient, turn, due, ready=ready)

    async def lease(
        self,
        *,
        now: int,
        ttl: int,
        limit: int,
        longest_pause: int = LONGEST_PAUSE,  # noqa: ARG002 - the Protocol's
    ) -> list[Lease]:
        """As `DeliveryStore` says, but that nothing sets this clock back."""
        self._promote(now)
        leases: list[Lease] = []
        for recipient in self._most_urgent(limit):
            turn = self._turns[recipient]
            turn.token += 1
            turn.leased_at = now
            turn.hold = Hold.LEASE
            self._place(recipient, turn, turn.due, ready=False, ready_at=now + ttl)
            self.fill(recipient, now)
            rows = tuple(self._undelivered(recipient))
            leases.append(Lease(recipient, turn.token, now + ttl, rows))
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
        turn = self._turns[lease.recipient]
        if turn.hold is not Hold.LEASE or turn.token != lease.token:
            return False
        records = self._desired[lease.recipient]
        sent = {record.target: record.value for record in lease.desired}
        for settlement in settlements:
            record = records[settlement.target]
            records[record.target] = _settled(record, settlement, sent[record.target])
        if any(settlement.result == "delivered" for settlement in settlements):
            self._free(lease.recipient, {ParkCode.WAITS_FOR})
        dirty = [record for record in self._undelivered(lease.recipient) if not record.parked]
        next_at = min((_ready_at(record, now, ready_at) for record in dirty), default=ready_at)
        turn.hold = hold_after(settlements)
        self._place(
            lease.recipient,
            turn,
            min((_due(record) for record in dirty), default=None),
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
            count = self._free(recipient, codes, reason_prefix, anew=True)
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
            if _is_parked(record, codes, reason_prefix)
        ]
        return sorted(rows, key=lambda record: record.since)[:limit]

    async def next_ready_at(self) -> int | None:
        if self._first(self._ready, ready=True) is not None:
            return 0
        first = self._first(self._waiting, ready=False)
        return None if first is None else first[0]

    @property
    def waiting(self) -> int:
        """How many recipients have something to send."""
        return self._dirty

    async def window(self) -> Window | None:
        return self._window

    async def save_window(self, window: Window) -> None:
        self._window = window

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
        anew: bool = False,
    ) -> int:
        """What is parked for such a reason is parked no longer; how many."""
        freed = [
            record
            for record in self._undelivered(recipient)
            if _is_parked(record, codes, reason_prefix)
        ]
        for record in freed:
            self._desired[recipient][record.target] = replace(
                record,
                parked="",
                park_code=None,
                failures=0 if anew else record.failures,
                retry_at=0 if anew else record.retry_at,
            )
        return len(freed)

    def _requeue(self, recipient: Recipient) -> None:
        dirty = [record for record in self._undelivered(recipient) if not record.parked]
        turn = self._turns.get(recipient)
        if turn is None:
            return
        leased = turn.hold is Hold.LEASE
        if not leased:
            turn.hold = Hold.NOTHING
        self._place(recipient, turn, min(map(_due, dirty), default=None), ready=not leased)

    def _place(
        self,
        recipient: Recipient,
        turn: _Turn,
        due: int | None,
        *,
        ready: bool,
        ready_at: int | None = None,
    ) -> None:
        """Move a turn, and note where it is now."""
        self._dirty += (due is not None) - (turn.due is not None)
        turn.due, turn.ready = due, ready
        turn.ready_at = turn.ready_at if ready_at is None else ready_at
        if due is not None:
            self._entries += 1
            entry = (due if ready else turn.ready_at, self._entries, recipient)
            heapq.heappush(self._ready if ready else self._waiting, entry)

    def _first(self, heap: list[_Entry], *, ready: bool) -> _Entry | None:
        """The first entry that is still true."""
        while heap:
            turn = self._turns[heap[0][2]]
            at = turn.due if ready else turn.ready_at
            if turn.due is not None and turn.ready is ready and heap[0][0] == at:
                return heap[0]
            heapq.heappop(heap)
        return None

    def _promote(self, now: int) -> None:
        """Who has waited long enough is ready."""
        while (first := self._first(self._waiting, ready=False)) is not None and first[0] <= now:
            turn = self._turns[first[2]]
            turn.hold = Hold.NOTHING
            self._place(first[2], turn, turn.due, ready=True)

    def _most_urgent(self, limit: int) -> list[Recipient]:
        chosen: list[Recipient] = []
        while len(chosen) < limit and (first := self._first(self._ready, ready=True)) is not None:
            heapq.heappop(self._ready)
            chosen.append(first[2])
            self._turns[first[2]].ready = False
        return chosen


def _settled(record: Desired, settlement: Settlement, sent: Value) -> Desired:
    """What settling makes of a record, as the stores' queries say it."""
    if settlement.result == "delivered":
        overtaken = record.version > settlement.version
        return replace(
            record,
            delivered_version=max(record.delivered_version, settlement.version),
            delivered_value=sent,
            failures=0,
            retry_at=0,
            parked="",
            park_code=None,
            since=record.changed_at if overtaken else record.since,
        )
    if settlement.result == "parked":
        return replace(record, parked=settlement.reason, park_code=settlement.code)
    if settlement.result == "retry" or settlement.retry_at:
        failures = record.failures + settlement.counts
        return replace(record, failures=failures, retry_at=settlement.retry_at)
    return record


def _is_parked(record: Desired, codes: Collection[ParkCode], reason_prefix: str) -> bool:
    return (
        bool(record.parked)
        and record.parked.startswith(reason_prefix)
        and (not codes or record.park_code in codes)
    )


def _due(record: Desired) -> int:
    """What the queue is sorted by."""
    urgent = is_completion(record.target, record.value)
    return record.since - HEAD_START if urgent else record.since


def _ready_at(record: Desired, now: int, paced: int) -> int:
    """When it may be sent: a completion does not wait for the pace."""
    if record.retry_at > now:
        return record.retry_at
    return 0 if is_completion(record.target, record.value) else paced
