"""One recipient's turn: what became of it, and when what is left may be sent again. No I/O."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

from pointsman.domain.backoff import Backoff
from pointsman.domain.clock import micros
from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import Recipient, Target, TargetKind
from pointsman.platforms.base import RequestOutcome, Verdict
from pointsman.store.base import Lease, Settlement
from pointsman.store.history_records import SentRequest

#: what is waited for by all, not by this recipient
_WAITED_FOR_BY_ALL = frozenset({RequestOutcome.THROTTLED, RequestOutcome.KEY_REFUSED})
#: what nobody can be sent is waited for by the breaker; a recipient then waits at most so long more
_LONGEST_GENERAL = 30.0
#: recipients that are remembered
_MOST = 10_000


@dataclass(slots=True)
class DeliveryOutcome:
    """What became of one lease. `answer` is the last one, None when nothing was sent."""

    learner: str
    settlements: list[Settlement] = field(default_factory=list)
    answer: RequestOutcome | None = None
    #: the platform's, or why there is no authToken
    message: str = ""
    requests: int = 0
    points: int = 0
    #: when the last one was sent, on the monotonic clock
    sent_at: float = 0.0
    #: seconds in which the platform answered, one for each request
    seconds: list[float] = field(default_factory=list)
    verdicts: Counter[tuple[TargetKind, Verdict]] = field(default_factory=Counter)
    #: more is waiting that did not fit, or was not run because of another
    more: bool = False
    #: exceptions of ours
    faults: int = 0
    #: each request with what it said of each mutation, for the history
    sent: list[SentRequest] = field(default_factory=list)

    def results(self) -> set[str]:
        """The kinds of results that its settlements have."""
        return {settlement.result for settlement in self.settlements}


def given_back(lease: Lease) -> DeliveryOutcome:
    """Of a lease under which nothing is sent: its turn comes again at once."""
    untried = [
        Settlement(row.target, row.version, "untried") for row in lease.desired if not row.parked
    ]
    return DeliveryOutcome(str(lease.recipient), untried, more=True)


class Pauses:
    """Gives each state that was not sent its own time to be sent again; they grow."""

    def __init__(self, backoff: Backoff, jitter: random.Random) -> None:
        self.reconfigure(backoff)
        self._jitter = jitter
        #: turns in a row that came to nothing, for a reason that is no state's own
        self._stalls: dict[Recipient, int] = {}

    def reconfigure(self, backoff: Backoff) -> None:
        """Other times from now on."""
        self._own = backoff
        self._general = replace(backoff, longest=min(backoff.longest, _LONGEST_GENERAL))

    def apply(self, outcome: DeliveryOutcome, lease: Lease, now: int) -> None:
        """Put the times into the settlements; `now` in microseconds."""
        if outcome.results() <= {"delivered"}:
            self._stalls.pop(lease.recipient, None)
            return
        waits = any(one.result == "retry" and not one.is_own_failure for one in outcome.settlements)
        comes_to_nothing = (
            outcome.requests > 0
            and outcome.results() == {"untried"}
            and outcome.answer not in _WAITED_FOR_BY_ALL
        )
        stalls = self._stalls.pop(lease.recipient, 0) + 1 if waits or comes_to_nothing else 0
        if stalls and len(self._stalls) < _MOST:
            self._stalls[lease.recipient] = stalls
        general = self._after(now, self._general, stalls if waits else stalls - 1)
        failures = {row.target: row.failures for row in lease.desired}
        own = {count: self._after(now, self._own, count + 1) for count in set(failures.values())}

        def timed(one: Settlement) -> Settlement:
            if one.retry_at or one.result not in {"retry", "untried"}:
                return one
            if one.counts:
                return replace(one, retry_at=own[failures[one.target]])
            return replace(one, retry_at=general) if stalls else one

        outcome.settlements = [timed(one) for one in outcome.settlements]

    def _after(self, now: int, backoff: Backoff, failures: int) -> int:
        """0, which is at once, after none."""
        return now + micros(backoff.seconds(failures, self._jitter)) if failures > 0 else 0


def is_unmet(row: Desired, settlements: list[Settlement]) -> bool:
    """Whether it comes after something that this turn could not deliver."""
    undelivered: set[Target] = {one.target for one in settlements if one.result != "delivered"}
    return not undelivered.isdisjoint(row.after)
