"""Which faults strike a request. The dice are seeded, so the same requests meet the same faults."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pointsman.emulator.faults.rules import (
    DropAfter,
    DropBefore,
    ExpireTokens,
    Fault,
    Latency,
    Refuse,
    ResetSkew,
    ServerError,
    Steal,
    Throttle,
)

#: how many of the newest strikes are kept
_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What of a request a fault can be for; `number` counts from 1."""

    number: int
    operations: frozenset[str]
    learner: str | None
    text: str


@dataclass(slots=True)
class Strike:
    """All that strikes one request, put together."""

    latency: float = 0.0
    #: seconds of `Retry-After` of a 429
    retry_after: float | None = None
    #: a 5xx
    status: int | None = None
    drop_before: bool = False
    drop_after: bool = False
    refusals: list[Refuse] = field(default_factory=list)
    expire_presented: bool = False
    expire_all: bool = False
    stolen_requests: int = 0
    stolen_points: int = 0
    reset_skew: float = 0.0

    def refused(self, fields: int) -> dict[int, str]:
        """Of a document of so many fields the places that are refused, and with which code."""
        return {fields // 2 if one.place is None else one.place: one.code for one in self.refusals}

    def add(self, fault: Fault) -> None:
        """Put another fault on top."""
        match fault:
            case Latency():
                self.latency += fault.seconds
            case Throttle():
                self.retry_after = max(fault.retry_after, self.retry_after or 0.0)
            case ServerError():
                self.status = fault.status
            case DropBefore():
                self.drop_before = True
            case DropAfter():
                self.drop_after = True
            case Refuse():
                self.refusals.append(fault)
            case ExpireTokens():
                self.expire_all = self.expire_all or fault.all
                self.expire_presented = True
            case Steal():
                self.stolen_requests += fault.requests
                self.stolen_points += fault.points
            case ResetSkew():
                self.reset_skew += fault.seconds


@dataclass(slots=True)
class _Active:
    """A fault that was added, and its books."""

    fault: Fault
    #: requests that it was for
    met: int = 0
    struck: int = 0
    #: requests that the running burst still strikes
    burst: int = 0

    def strikes(self, facts: RequestFacts, dice: random.Random) -> bool:
        fault = self.fault
        if not _is_for(fault, facts):
            return False
        self.met += 1
        spent = fault.times is not None and self.struck >= fault.times
        if spent:
            return False
        if self.burst:
            self.burst -= 1
        elif self.met % fault.every or dice.random() >= fault.chance:
            return False
        elif isinstance(fault, Throttle | ServerError):
            self.burst = fault.burst - 1
        self.struck += 1
        return True


class Faults:
    """The faults that are in force, by the ids that they were given."""

    def __init__(self, faults: Iterable[Fault] = (), *, seed: int | None = None) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._active: dict[str, _Active] = {}
        self._added = 0
        #: how often each kind has struck since the start, whatever became of the fault
        self.struck: Counter[str] = Counter()
        #: (request's number, kind) of the newest strikes
        self.log: deque[tuple[int, str]] = deque(maxlen=_KEPT)
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> str:
        """Put a fault in force; its id."""
        self._added += 1
        name = f"f{self._added}"
        self._active[name] = _Active(fault)
        return name

    def remove(self, name: str) -> bool:
        """Whether there was one of this id."""
        return self._active.pop(name, None) is not None

    def clear(self) -> None:
        self._active.clear()

    def strike(self, facts: RequestFacts, strike: Strike) -> None:
        """Put into `strike` what goes wrong with this request."""
        for active in self._active.values():
            if active.strikes(facts, self._dice):
                strike.add(active.fault)
                self.struck[active.fault.kind] += 1
                self.log.append((facts.number, active.fault.kind))

    def as_json(self) -> dict[str, Any]:
        """Those in force with how often each has struck, and the totals by kind."""
        return {
            "active": {
                name: {**one.fault.model_dump(exclude_unset=True), "struck": one.struck}
                for name, one in self._active.items()
            },
            "struck": dict(sorted(self.struck.items())),
        }


def _is_for(fault: Fault, facts: RequestFacts) -> bool:
    return (
        (fault.operation is None or fault.operation in facts.operations)
        and (fault.learner is None or fault.learner.lower() == facts.learner)
        and (fault.containing is None or fault.containing in facts.text)
    )
