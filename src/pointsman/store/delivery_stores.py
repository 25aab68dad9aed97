"""What every store can do for delivery, the audit and the budget."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

from pointsman.domain.desired_state import Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import SealedToken
from pointsman.domain.targets import Recipient, Target
from pointsman.store.history_records import SentRequest
from pointsman.store.records import (
    Agreement,
    Audited,
    AuditFinding,
    KnownDelivered,
    Lease,
    Settlement,
    Window,
)
from pointsman.store.turns import LONGEST_FRESHNESS, Choose

T = TypeVar("T")

#: microseconds; no setting makes anyone wait for longer
LONGEST_PAUSE = 86_400_000_000
#: microseconds by which the clocks of replicas may differ
_SKEW = 5_000_000


def latest_end(now: int, ttl: int, longest_pause: int) -> int:
    """When all that waits now is over, unless a clock has been set back since it began."""
    return now + max(ttl, longest_pause) + _SKEW


class DeliveryStore(Protocol):
    """Leases, what is settled under them, and what is parked."""

    async def lease(
        self,
        *,
        now: int,
        ttl: int,
        limit: int,
        longest_pause: int = LONGEST_PAUSE,
        choose: Choose | None = None,
        due_within: int = LONGEST_FRESHNESS,
    ) -> list[Lease]:
        """Take recipients with something to send: those that `choose` chooses, in its order.

        All times are in microseconds. `choose` sees the first `limit` of each queue (the urgent and
        progress, each by source and rule), and the first `limit` of each by deadline; without it
        the `limit` most urgent of all are taken. Progress that is due later than `due_within` from
        now is not seen. Clocks jump: what would wait for longer than `longest_pause` and `ttl` is
        due now, and a lease that would is over.
        """
        ...

    async def settle(
        self,
        lease: Lease,
        settlements: Sequence[Settlement],
        *,
        now: int,
        ready_at: int,
        requests: Sequence[SentRequest] = (),
    ) -> bool:
        """Record what was sent and give the lease back; False when the lease was no longer ours.

        What is left to send of this learner is leased again at `ready_at`, what is urgent at once;
        but what is to be sent again not before its own `retry_at`. `requests` are for the history.
        """
        ...

    async def unpark(
        self,
        recipients: Sequence[Recipient] | None = None,
        *,
        codes: Collection[ParkCode] = (),
        reason_prefix: str = "",
    ) -> int:
        """Free parked state, and what waits for it; how many, without those that waited.

        Of these recipients, or of all with None; of these codes, or of all without any; where the
        reason begins so.
        """
        ...

    async def retry_now(self, recipients: Sequence[Recipient]) -> None:
        """What waits for a time of its own to be sent again waits no longer."""
        ...

    async def parked(
        self,
        recipients: Sequence[Recipient] = (),
        *,
        codes: Collection[ParkCode] = (),
        reason_prefix: str = "",
        limit: int,
    ) -> list[Desired]:
        """What is parked, the oldest first; of these recipients and codes, or all without any."""
        ...

    async def next_ready_at(self, *, due_within: int = LONGEST_FRESHNESS) -> int | None:
        """When the next learner can be leased; None when nothing is dirty.

        `due_within` as in `lease`.
        """
        ...


class ParkedStore(Protocol):
    """What an operator does with parked state that will never be sent."""

    async def drop_parked(self, states: Sequence[Desired]) -> int:
        """Forget these for good, if they are parked still and in this version; how many were.

        What was delivered before counts as wanted again, and else there is nothing wanted, until an
        input wants something. What waits for them is free. The books go on counting them.
        """
        ...


class AuditStore(Protocol):
    """What was read back from the platform."""

    async def delivered_sample(
        self, *, limit: int, settled_before: int, again_before: int, suspected_before: int = 0
    ) -> dict[str, tuple[Desired, ...]]:
        """Delivered state that can be read back, of up to `limit` learners.

        What is suspected since before `suspected_before` comes before all.
        What was never looked at comes first, completions before the rest and the newest before
        the older; then what was last looked at before `again_before`. What was delivered after
        `settled_before` is left alone.
        """
        ...

    async def audit(
        self,
        learner: str,
        findings: Sequence[AuditFinding],
        *,
        now: int,
        suspected_before: int | None = None,
    ) -> dict[Target, Audited]:
        """Record findings: dirty once where they differ, and parked where they differ again.

        What somebody changed on the platform on purpose is neither. With `suspected_before`, the
        first that differs is suspected, and dirty where it has been so since before that time.
        """
        ...

    async def undelivered(self) -> dict[str, tuple[Desired, ...]]:
        """All desired state that is not delivered and can be read back, by learner."""
        ...

    async def mark_delivered(self, known: Sequence[KnownDelivered], *, now: int) -> int:
        """What the platform is known to show counts as delivered; how many records that changed.

        Desired state that is further along stays as it is, and is sent.
        """
        ...

    async def agreement(self) -> list[Agreement]:
        """How far the platform agrees with what was delivered, by place."""
        ...


class WindowLedger(Protocol):
    """What the one daemon of a store has set aside of the quota."""

    async def window(self) -> Window | None: ...

    async def save_window(self, window: Window) -> None: ...


class LedgerStore(Protocol):
    """What other parts keep in the store: what is spent of the quota, sealed authTokens."""

    async def window(self) -> Window | None:
        """What counts of the quota, of all replicas; None where nothing was ever sent."""
        ...

    async def sealed_tokens(self) -> list[SealedToken]:
        """All authTokens that are kept."""
        ...

    async def save_sealed_tokens(self, rows: Sequence[SealedToken], gone: Sequence[str]) -> None:
        """Keep these, in place of what these learners had; forget those of `gone`."""
        ...
