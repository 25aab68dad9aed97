"""What the contract suites do with a store: ingest, lease and settle in one step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import Decision, InputOutcome, Item, Receipt, Submission
from pointsman.domain.targets import Value
from pointsman.store.base import Lease, Settlement, Store
from pointsman.store.statement_index import Indexed
from tests.support.change_factory import new_id, submission

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
    code: ParkCode = ParkCode.REFUSED_BY_PLATFORM,
    now: int = MINUTE,
    ready_at: int = 0,
    own: bool = True,
) -> Lease:
    """Lease the one learner that is ready, and settle all of it the same way, or park it."""
    lease = await lease_one(store, now)
    parked = code if result == "parked" else None
    settled = [
        Settlement(one.target, one.version, result, reason, parked, ready_at, is_own_failure=own)
        for one in lease.desired
    ]
    assert await store.settle(lease, settled, now=now, ready_at=ready_at)
    return lease


async def leased_values(store: Store, now: int = MINUTE) -> list[Value]:
    """The values of all that is ready, which is leased for a moment."""
    return [
        one.value for lease in await store.lease(now=now, ttl=1, limit=9) for one in lease.desired
    ]


def keys_in_body(body: bytes, index: int | None, source: str) -> Indexed:
    """For bodies that say what they are found by: {"keys": [1], "ref": "..."}."""
    found = json.loads(body)
    one = found if index is None else found[index]
    return Indexed(tuple(one.get("keys", ())), one.get("ref"))


def indexed(
    keys: Sequence[int],
    *,
    ref: str | None = None,
    voids: bool = False,
    statement_id: str | None = None,
) -> Submission:
    """One statement that is found by these keys."""
    name = statement_id or new_id()
    body = json.dumps({"id": name, "keys": list(keys), "ref": ref}).encode()
    item = Item(name, 1, None, Decision(InputOutcome.NO_EFFECT), tuple(keys), ref, voids)
    return submission(item, body=body)
