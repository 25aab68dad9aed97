"""Decides which faults hit a request; seeded, so the same requests meet the same faults."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pointsman.emulator.faults.facts import RequestFacts
from pointsman.emulator.faults.rules import (
    DropAfter,
    DropBefore,
    ExpireTokens,
    Fault,
    Latency,
    RefuseFault,
    ResetSkew,
    ServerError,
    Steal,
    Throttle,
)
from pointsman.emulator.limits import WINDOW

#: how many of the newest strikes are kept
_KEPT = 100_000


class Injected(Protocol):
    """Collects what strikes at one stage."""

    stage: ClassVar[str]

    def add(self, fault: Fault) -> None: ...


@dataclass(slots=True)
class InjectedFault:
    """All that strikes one request to `/helium`, put together."""

    stage: ClassVar[str] = "graphql"

    latency: float = 0.0
    #: seconds of `Retry-After` of a 429
    retry_after: float | None = None
    #: a 5xx
    status: int | None = None
    drop_before: bool = False
    drop_after: bool = False
    #: which of the document's fields are refused, by place, and with which code
    refused: dict[int, str] = field(default_factory=dict)
    expire_presented: bool = False
    expire_all: bool = False
    #: the place of the field before which the authToken expires
    expire_at: int | None = None
    stolen_requests: int = 0
    stolen_points: int = 0
    reset_skew: float = 0.0

    def add(self, fault: Fault) -> None:
        """Put another fault on top. One that refuses names the place."""
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
            case RefuseFault():
                self.refused[fault.place or 0] = fault.code
            case ExpireTokens():
                self._expire(fault)
            case Steal():
                self.stolen_requests += fault.requests
                self.stolen_points += fault.points
            case ResetSkew():
                self.reset_skew += fault.seconds

    def _expire(self, fault: ExpireTokens) -> None:
        if fault.place is not None:
            self.expire_at = fault.place
        elif fault.all:
            self.expire_all = True
        else:
            self.expire_presented = True


@dataclass(slots=True)
class _ActiveFault:
    """A fault that was added, and its books."""

    fault: Fault
    #: requests that it was for
    met: int = 0
    struck: int = 0
    #: requests that the running burst still strikes
    burst: int = 0
    #: of a thief by the minute: up to when it has come together, and what of it is not taken yet
    since: float | None = None
    requests: float = 0.0
    points: float = 0.0

    def hit(self, facts: RequestFacts, dice: random.Random) -> Fault | None:
        """The fault as it strikes this request, if it does."""
        fault = self.fault
        if not _is_for(fault, facts):
            return None
        self.met += 1
        if self.since is None:
            self.since = facts.at
        if fault.times is not None and self.struck >= fault.times:
            return None
        if self.burst:
            self.burst -= 1
        elif self.met % fault.every or dice.random() >= fault.chance:
            return None
        elif isinstance(fault, Throttle | ServerError):
            self.burst = fault.burst - 1
        elif isinstance(fault, Steal) and fault.per_minute:
            fault = self._stolen_since(fault, self.since, facts.at)
            if not fault.requests and not fault.points:
                return None
        elif isinstance(fault, RefuseFault):
            place = _refused_place(fault, facts)
            fault = fault.model_copy(update={"place": place, "argument": None})
        self.struck += 1
        return fault

    def _stolen_since(self, fault: Steal, since: float, at: float) -> Steal:
        """What has come together in whole requests and points; the fractions stay for later."""
        minutes = min(1.0, (at - since) / WINDOW)
        self.since = at
        self.requests += fault.requests * minutes
        self.points += fault.points * minutes
        requests, points = int(self.requests), int(self.points)
        self.requests -= requests
        self.points -= points
        return fault.model_copy(update={"requests": requests, "points": points})


class Faults:
    """The faults that are in force, by the ids that they were given."""

    def __init__(self, faults: Iterable[Fault] = (), *, seed: int | None = None) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._active: dict[str, _ActiveFault] = {}
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
        self._active[name] = _ActiveFault(fault)
        return name

    def remove(self, name: str) -> bool:
        """Whether there was one of this id."""
        return self._active.pop(name, None) is not None

    def clear(self) -> None:
        """None is in force any longer; what has struck stays counted."""
        self._active.clear()

    @property
    def in_force(self) -> bool:
        """Whether anything can strike at all."""
        return bool(self._active)

    def inject(self, facts: RequestFacts, injected: Injected) -> None:
        """Put into `injected` what goes wrong with this request, or event, at this stage."""
        for active in self._active.values():
            if active.fault.stage != injected.stage:
                continue
            fault = active.hit(facts, self._dice)
            if fault is not None:
                injected.add(fault)
                self.struck[fault.kind] += 1
                self.log.append((facts.number, fault.kind))

    def as_json(self) -> dict[str, Any]:
        """Those in force with how often each has struck, and the totals by kind."""
        return {
            "active": {
                name: {**active.fault.model_dump(exclude_unset=True), "struck": active.struck}
                for name, active in self._active.items()
            },
            "struck": dict(sorted(self.struck.items())),
        }


def _is_for(fault: Fault, facts: RequestFacts) -> bool:
    return (
        (fault.operation is None or fault.operation in facts.operations)
        and (fault.learner is None or fault.learner.lower() == facts.learner)
        and (fault.containing is None or fault.containing in facts.text)
        and _has_its_subject(fault, facts)
    )


def _has_its_subject(fault: Fault, facts: RequestFacts) -> bool:
    """Whether what it is about is there: what struck nothing would explain nothing."""
    if isinstance(fault, RefuseFault):
        return _refused_place(fault, facts) is not None
    if isinstance(fault, ExpireTokens) and not fault.all:
        return facts.learner is not None and (fault.place or 0) < len(facts.operations)
    return True


def _refused_place(fault: RefuseFault, facts: RequestFacts) -> int | None:
    """Where in the document the field is that is refused; None where there is none."""
    fields = len(facts.operations)
    if fault.argument is not None:
        named = (place for place in range(fields) if fault.argument in facts.arguments[place])
        return next(named, None)
    place = fields // 2 if fault.place is None else fault.place
    return place if place < fields else None
