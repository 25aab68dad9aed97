"""Decides what one finding of the audit does to the state that was looked at. Pure.

Both stores share it. A deliberate change on the platform is told from drift by `confirmation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.domain.park_codes import ParkCode
from pointsman.domain.platform_events import KnownFact
from pointsman.domain.targets import TargetKind
from pointsman.store.confirmation import deliberate_change
from pointsman.store.confirmation_store import by_place
from pointsman.store.records import Audited, AuditFinding

#: what a state has been through when a second disagreement parks it
_TRIED = ("resent", "drift")

FactsByPlace = Mapping[str, Sequence[KnownFact]]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What is to be written: `audit` and `audited_at`, and the reason where it is parked."""

    outcome: Audited
    audit: str
    audited_at: int | None
    parked: str = ""
    code: ParkCode | str = ""

    @property
    def is_sent_again(self) -> bool:
        """It is dirty from now on, and parked with a reason."""
        return self.outcome in {Audited.RESENT, Audited.DRIFT}


def facts_by_place(rows: Sequence[Mapping[str, Any]]) -> FactsByPlace:
    """One learner's facts."""
    return {str(place.place): place.facts for place in by_place(rows)}


def entry_of(
    row: Mapping[str, Any],
    finding: AuditFinding,
    facts: FactsByPlace,
    now: int,
    suspected_before: int | None,
) -> AuditEntry:
    """What the finding does to `row`: audit, audited_at, occurred_at, delivered_at, read_back.

    A change that was told late, after something was delivered over it, is no reason to leave the
    platform as it is: what is wanted by now, which may be what the change made it, is sent again.
    """
    audit: str = row["audit"]
    if finding.result == "agrees":
        return AuditEntry(Audited.AGREES, "agrees", now)
    if finding.result == "unreadable":
        return AuditEntry(Audited.UNREADABLE, "" if audit == "suspected" else audit, now)
    topic = finding.target.key if finding.target.kind is TargetKind.TOPIC_PROGRESS else ""
    at_place = facts.get(row["read_back"], ())
    if deliberate_change(at_place, row["occurred_at"], topic, row["delivered_at"]) is not None:
        return AuditEntry(Audited.CONTRADICTED, "contradicted", now)
    if audit in _TRIED:
        return AuditEntry(Audited.DRIFT, "drift", now, finding.reason, ParkCode.DRIFT)
    if suspected_before is not None:
        if audit != "suspected":
            return AuditEntry(Audited.SUSPECTED, "suspected", now)
        if row["audited_at"] >= suspected_before:
            return AuditEntry(Audited.SUSPECTED, "suspected", row["audited_at"])
    return AuditEntry(Audited.RESENT, "resent", now)
