"""What the contract suites do with a store: ingest, lease and settle in one step."""

from __future__ import annotations

from typing import Literal

from pointsman.model import Receipt, Submission, Value
from pointsman.store.base import Lease, Settlement, Store

#: in microseconds
MINUTE = 60_000_000

Result = Literal["delivered", "retry", "untried", "parked"]


async def take(store: Store, one: Submission) -> Receipt:
    """Ingest one submission; the books balance after it."""
    (receipt,) = await store.ingest([one])
    books = await store.books()
    assert books.balanced, books
    return receipt


async def lease_one(store: Store, now: int = MINUTE, ttl: int = MINUTE) -> Lease:
    """The lease of the one learner that is ready."""
    (lease,) = await store.lease(now=now, ttl=ttl, limit=9)
    return lease


async def settle(
    store: Store,
    result: Result,
    reason: str = "",
    *,
    now: int = MINUTE,
    ready_at: int = 0,
) -> Lease:
    """Lease the one learner that is ready, and settle all of it the same way."""
    lease = await lease_one(store, now)
    settled = [Settlement(one.target, one.version, result, reason) for one in lease.desired]
    assert await store.settle(lease, settled, now=now, ready_at=ready_at)
    return lease


async def leased_values(store: Store, now: int = MINUTE) -> list[Value]:
    """The values of all that is ready, which is leased for a moment."""
    return [
        one.value for lease in await store.lease(now=now, ttl=1, limit=9) for one in lease.desired
    ]
