"""Whose fault it is when one learner after another is refused with the same words.

A few refusals are the learners' own, and are parked. A run of them, without a success in between,
is the platform's trouble: nothing is parked then, one learner at a time tries, and when one
succeeds, whoever was refused is tried once more. Who is refused again has deserved it. No I/O.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pointsman.domain.backoff import Backoff
from pointsman.domain.clock import MICROSECONDS
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.targets import Recipient, Target
from pointsman.store.base import Settlement

#: so many different recipients in a row
RUN = 5
#: the reasons that the platform's trouble may look like
DOUBTFUL = frozenset(
    {
        ParkCode.TOKEN_REFUSED,
        ParkCode.USER_ID_REFUSED,
        ParkCode.REFUSED_BY_PLATFORM,
        ParkCode.FAILED_TOO_OFTEN,
        ParkCode.INTERNAL_ERROR,
    }
)
#: while in doubt somebody tries in so many seconds
_PACE = Backoff(0.5, 1.5)
#: one of those who were refused tries again after so many seconds, the others only when nobody is
#: left who has not tried
_FIRST_AGAIN, _OTHERS_AGAIN, _EACH = 2.0, 300.0, 10.0
#: who tries again is another one when the first was not heard of for so many seconds
_LOST = 60.0
#: recipients and targets that are remembered
_MOST = 10_000
#: what an answer's words begin with, after ours
_CODE = re.compile(r"^[^:]*: (\w{4,})(?=:|$| \()")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Review:
    """`settlements` to store in place of those reviewed.

    `freed` are others who may be parked wrongly, or wait for nothing: they are tried at once.
    """

    settlements: list[Settlement]
    freed: tuple[Recipient, ...] = ()


class RefusalDoubt:
    """Reviews what is about to be parked. `reason` is for a person, "" while there is no doubt."""

    def __init__(self, jitter: random.Random) -> None:
        self._jitter = jitter
        self._words = ""
        self._run: dict[Recipient, None] = {}
        self._tries = 0
        #: who was refused in doubt, and is tried once more when it is over
        self._held: dict[Recipient, None] = {}
        #: which of them tries again, and when it last did
        self._probing: tuple[Recipient, float] | None = None
        self._tried_again: dict[Recipient, None] = {}
        #: refused again although the platform was well: the mistake is in what names them
        self._confirmed: dict[Target, None] = {}
        self.paused_until = 0.0
        self.reason = ""

    @property
    def active(self) -> bool:
        return bool(self.reason)

    def review(
        self, recipient: Recipient, settlements: Sequence[Settlement], *, at: float, now: int
    ) -> Review:
        """What to store of one turn; `at` on the monotonic clock, `now` in microseconds."""
        freed: tuple[Recipient, ...] = ()
        refused = [one for one in settlements if one.code in DOUBTFUL]
        if any(one.result == "delivered" for one in settlements):
            self._tried_again.pop(recipient, None)
            freed = self._succeeded()
        elif refused and not self._is_own(recipient, refused):
            freed = self._refused(recipient, refused[0])
            if self.active:
                self._tries += 1
                self.paused_until = at + _PACE.seconds(self._tries, self._jitter)
                _remember(self._held, recipient)
                retry_at = now + round(self._pause(recipient, at) * MICROSECONDS)
                return Review([_held_back(one, retry_at) for one in settlements], freed)
        if refused:
            self._park(recipient, refused)
        return Review(list(settlements), freed)

    def _is_own(self, recipient: Recipient, refused: Sequence[Settlement]) -> bool:
        if self.active:
            return False
        return recipient in self._tried_again or all(
            one.target in self._confirmed for one in refused
        )

    def _refused(self, recipient: Recipient, refusal: Settlement) -> tuple[Recipient, ...]:
        """Count it; who is to be freed when that makes it a run."""
        if self.active:
            return ()
        words = _same_words(refusal)
        if words != self._words:
            self._words = words
            self._run.clear()
        self._run[recipient] = None
        if len(self._run) < RUN:
            return ()
        self._tries = 0
        self.reason = (
            f"the platform refuses one learner after another: {refusal.reason}; nothing is parked "
            "until one succeeds"
        )
        earlier = tuple(one for one in self._run if one != recipient)
        for one in earlier:
            _remember(self._held, one)
        return earlier

    def _succeeded(self) -> tuple[Recipient, ...]:
        self._run.clear()
        if not self.active:
            return ()
        self.reason, self.paused_until, self._probing = "", 0.0, None
        held, self._held = self._held, {}
        for recipient in held:
            _remember(self._tried_again, recipient)
        return tuple(held)

    def _park(self, recipient: Recipient, refused: Sequence[Settlement]) -> None:
        if recipient in self._tried_again:
            del self._tried_again[recipient]
            for one in refused:
                _remember(self._confirmed, one.target)

    def _pause(self, recipient: Recipient, at: float) -> float:
        """Seconds until a recipient who was refused in doubt tries again."""
        if self._probing is None or at - self._probing[1] > _LOST:
            self._probing = recipient, at
        if self._probing[0] != recipient:
            return max(_OTHERS_AGAIN, _EACH * len(self._held))
        self._probing = recipient, at
        return _FIRST_AGAIN


def _held_back(settlement: Settlement, retry_at: int) -> Settlement:
    if settlement.code not in DOUBTFUL:
        return settlement
    return replace(settlement, result="untried", code=None, retry_at=retry_at)


def _same_words(refusal: Settlement) -> str:
    """The code, where there is one: what is named beside it differs from learner to learner."""
    code = _CODE.match(refusal.reason)
    if refusal.code in {ParkCode.TOKEN_REFUSED, ParkCode.USER_ID_REFUSED}:
        return refusal.code.value
    return f"{refusal.code} {code[1] if code else refusal.reason.partition(' (next: ')[0]}"


def _remember(memory: dict[T, None], item: T) -> None:
    memory[item] = None
    if len(memory) > _MOST:
        del memory[next(iter(memory))]
