"""The records that a store takes and gives for delivery, the audit and the books. Frozen.

Times are in microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, Literal

from pointsman.domain.desired_state import Desired
from pointsman.domain.errors import Bug
from pointsman.domain.frozen import record
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import InputOutcome
from pointsman.domain.targets import ReadBackPlace, Recipient, Target, TargetKind, Value


class Hold(IntEnum):
    """What a recipient's turn waits for. The numbers are those of the table `learners`."""

    NOTHING = 0
    PACE = 1
    BACKOFF = 2
    LEASE = 3


@record
class Lease:
    """The sole right to deliver for one recipient until `expires_at` or `settle`.

    `token` fences: a settle with another token than the newest lease's changes nothing.
    `desired` holds all that is not delivered for the recipient, parked ones included.
    """

    recipient: Recipient
    token: int
    expires_at: int
    desired: tuple[Desired, ...]


@record
class Settlement:
    """What became of one mutation that was sent, or held back.

    - delivered: the platform stands at `version`
    - retry: send again, not before `retry_at`; counts as a failure if it is its own
    - untried: was not run, or nobody can say; stays dirty, not before `retry_at`, no failure
    - parked: only a cure outside helps; `code` says which, and `reason` says it to a person
    """

    target: Target
    version: int
    result: Literal["delivered", "retry", "untried", "parked"]
    reason: str = ""
    #: there if and only if it is parked
    code: ParkCode | None = None
    #: when it may be sent again, whatever else of the recipient is sent before
    retry_at: int = 0
    #: False: it could not be sent for a reason that holds for all that the recipient waits for
    is_own_failure: bool = True

    @property
    def counts(self) -> bool:
        """Whether it is one more failure of this state."""
        return self.result == "retry" and self.is_own_failure

    def __post_init__(self) -> None:
        if (self.result == "parked") != (self.code is not None):
            raise Bug(f"a settlement is {self.result} with the code {self.code}")


def hold_after(settlements: Sequence[Settlement]) -> Hold:
    """What the recipient's turn waits for: one failure of its own holds up nothing beside it."""
    general = any(
        settlement.result == "retry" and not settlement.is_own_failure for settlement in settlements
    )
    return Hold.BACKOFF if general else Hold.PACE


@dataclass(frozen=True, slots=True)
class Window:
    """What was sent in the last minute, so that a restart does not forget it.

    `points` and `requests` are those of all, and none of them counts after `ends_at`. `sent` are
    (when they were counted at the latest, requests, points); a row of before has none.
    """

    ends_at: int
    points: int
    requests: int
    sent: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Backlog:
    """Gauges for the metrics page."""

    dirty: Mapping[TargetKind, int]
    parked: Mapping[TargetKind, int]
    dead_letters: int
    unmatched: int
    #: arrival of the oldest change that is dirty and not parked, None when all is delivered
    oldest_dirty: int | None
    #: the part of the store's volume that is free; 1 where that is not seen from here
    free_part: float = field(default=1.0, compare=False)


@dataclass(frozen=True, slots=True)
class Books:
    """The two sums of promise 2. `problems` are other contradictions found on the way."""

    accepted: int
    outcomes: Mapping[InputOutcome, int]
    desired: int
    delivered: int
    dirty: int
    parked: int
    #: parked state that an operator dropped
    dropped: int = 0
    problems: tuple[str, ...] = ()

    @property
    def balanced(self) -> bool:
        return (
            not self.problems
            and self.accepted == sum(self.outcomes.values())
            and self.desired == self.delivered + self.dirty + self.parked + self.dropped
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "balanced": self.balanced,
            "inputs": {"accepted": self.accepted, **{k.value: v for k, v in self.outcomes.items()}},
            "desired": {
                "total": self.desired,
                "delivered": self.delivered,
                "dirty": self.dirty,
                "parked": self.parked,
                "dropped": self.dropped,
            },
            "problems": list(self.problems),
        }


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """What the audit saw of one delivered state, which had `version` then.

    `reason` is for the person who finds it parked.
    """

    target: Target
    version: int
    result: Literal["agrees", "differs", "unreadable"]
    reason: str = ""
    #: when the platform says that it is due, microseconds since the epoch; 0 where it does not say
    deadline: int = 0


class Audited(StrEnum):
    """What became of a finding."""

    AGREES = "agrees"
    UNREADABLE = "unreadable"
    #: differs for the first time: dirty again
    RESENT = "resent"
    #: differs although it was sent again: parked
    DRIFT = "drift"
    #: differs for the first time: looked at once more before it is sent again
    SUSPECTED = "suspected"
    #: differs, for somebody changed it on the platform on purpose: nothing is sent
    CONTRADICTED = "contradicted"
    #: has moved since; nothing was done
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class KnownDelivered:
    """The platform is known to show this value, and pointsman did not send it."""

    recipient: Recipient
    target: Target
    value: Value
    read_back: ReadBackPlace


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the platform agrees with what was delivered at one place (`Desired.read_back`)."""

    place: ReadBackPlace
    agrees: int
    resent: int
    drift: int
    unreadable: int
    #: delivered, and not looked at since
    waiting: int
    #: changed on the platform on purpose
    contradicted: int = 0


@dataclass(frozen=True, slots=True)
class Stats:
    """What the store holds, and how big it is on disk (bytes, by table or file)."""

    schema: int
    rows: Mapping[str, int]
    bytes: Mapping[str, int]
    #: the oldest statement that is still kept
    oldest_statement: int | None


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. `newest` is when the newest statement was stored, 0 without one."""

    #: where what it replaced is now; None where there was nothing
    aside: Path | None
    newest: int
    schema: int
