"""What a store in memory makes of desired state when a turn is settled, and what it finds. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pointsman.domain.desired_state import Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.targets import Value, is_urgent
from pointsman.store.base import Settlement


def settled(record: Desired, settlement: Settlement, sent: Value) -> Desired:
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


def is_parked(record: Desired, codes: Collection[ParkCode], reason_prefix: str) -> bool:
    """Whether it is parked with such a code, any where there are none, and such a reason."""
    return (
        bool(record.parked)
        and record.parked.startswith(reason_prefix)
        and (not codes or record.park_code in codes)
    )


def ready_from(record: Desired, now: int, paced: int) -> int:
    """When it may be sent: what is urgent does not wait for the pace."""
    if record.retry_at > now:
        return record.retry_at
    return 0 if is_urgent(record.target, record.value) else paced
