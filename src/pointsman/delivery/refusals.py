"""Whose fault it is when one learner after another is refused with the same words.

One refusal is the learner's own, and is parked. A run of them, without a success in between, is the
platform's trouble: nothing is parked then, one learner at a time tries, and when one succeeds,
whoever was refused is tried once more. So are a few in a row, which are parked until one succeeds.
Who is refused again has deserved it. What is in between is what was sent in between. No I/O.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from pointsman.delivery.bounded_memory import remember
from pointsman.delivery.refusal_runs import RefusalRuns, Run
from pointsman.domain.backoff import Backoff
from pointsman.domain.clock import MICROSECONDS
from pointsman.domain.frozen import record
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.targets import Recipient, Target
from pointsman.store.base import Settlement

#: so many different recipients in a row
RUN = 5
#: so many in a row are tried once more when it is over
_FEW = 2
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
#: of those, the learner's credential, and not what is to be set
_OF_THE_LEARNER = frozenset({ParkCode.TOKEN_REFUSED, ParkCode.USER_ID_REFUSED})
#: while in doubt somebody tries in so many seconds
_PACE = Backoff(0.5, 1.5)
#: one of those who were refused tries again after so many seconds, the others only when nobody is
#: left who has not tried
_FIRST_AGAIN, _OTHERS_AGAIN, _EACH = 2.0, 300.0, 10.0
#: who was refused in a run that is over tries again after so many seconds
_AGAIN = 0.5
#: who tries again is another one when the first was not heard of for so many seconds
_LOST = 60.0
#: what an answer's words begin with, after ours
_CODE = re.compile(r"^[^:]*: (\w{4,})(?=:|$| \()")


@record
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
        self._runs = RefusalRuns()
        #: when the first request of the run was sent that there is a doubt about
        self._began_at = 0.0
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
        self,
        recipient: Recipient,
        settlements: Sequence[Settlement],
        *,
        sent_at: float,
        at: float,
        now: int,
    ) -> Review:
        """What to store of one turn, whose newest request was sent at `sent_at`.

        `sent_at` and `at` are on the monotonic clock, `now` is in microseconds.
        """
        freed: tuple[Recipient, ...] = ()
        refused = [one for one in settlements if one.code in DOUBTFUL]
        if any(one.result == "delivered" for one in settlements):
            self._tried_again.pop(recipient, None)
            freed = self._succeeded(recipient, sent_at)
        elif refused and not self._is_own(recipient, refused):
            run = self._runs.refused(recipient, sent_at, _same_words(refused[0]))
            if not self.active and run.is_over and run.recipients >= _FEW:
                freed = self._let_try_again(run)
                return Review(_held_back(settlements, now, _AGAIN), _others(freed, recipient))
            if not self.active and not run.is_over and run.recipients >= RUN:
                freed = _others(self._begin(run, refused[0]), recipient)
            if self.active:
                self._tries += 1
                self.paused_until = at + _PACE.seconds(self._tries, self._jitter)
                remember(self._held, recipient)
                pause = self._pause(recipient, at)
                return Review(_held_back(settlements, now, pause), freed)
        if refused:
            self._park(recipient, refused)
        return Review(list(settlements), freed)

    def _is_own(self, recipient: Recipient, refused: Sequence[Settlement]) -> bool:
        if self.active:
            return False
        return recipient in self._tried_again or all(
            one.target in self._confirmed and one.code not in _OF_THE_LEARNER for one in refused
        )

    def _begin(self, run: Run, refusal: Settlement) -> tuple[Recipient, ...]:
        """From now on there is a doubt; who was refused in the run."""
        self._tries = 0
        self._began_at = run.began_at
        self.reason = (
            f"the platform refuses one learner after another: {refusal.reason}; nothing is parked "
            "until one succeeds"
        )
        freed = self._runs.free(run)
        for one in freed:
            remember(self._held, one)
        return freed

    def _let_try_again(self, run: Run) -> tuple[Recipient, ...]:
        """Who was refused in a run that is over, each once."""
        freed = self._runs.free(run)
        for recipient in freed:
            remember(self._tried_again, recipient)
        return freed

    def _succeeded(self, recipient: Recipient, sent_at: float) -> tuple[Recipient, ...]:
        """Who tries again because of it; of what was sent before the run it says nothing."""
        ended = self._runs.succeeded(recipient, sent_at)
        if not self.active:
            few = ended is not None and ended.recipients >= _FEW
            return self._let_try_again(ended) if ended is not None and few else ()
        if sent_at < self._began_at:
            return ()
        if ended is not None:
            self._runs.free(ended)
        self.reason, self.paused_until, self._probing = "", 0.0, None
        held, self._held = self._held, {}
        for one in held:
            remember(self._tried_again, one)
        return tuple(held)

    def _park(self, recipient: Recipient, refused: Sequence[Settlement]) -> None:
        if recipient in self._tried_again:
            del self._tried_again[recipient]
            for one in refused:
                if one.code not in _OF_THE_LEARNER:
                    remember(self._confirmed, one.target)

    def _pause(self, recipient: Recipient, at: float) -> float:
        """Seconds until a recipient who was refused in doubt tries again."""
        if self._probing is None or at - self._probing[1] > _LOST:
            self._probing = recipient, at
        if self._probing[0] != recipient:
            return max(_OTHERS_AGAIN, _EACH * len(self._held))
        self._probing = recipient, at
        return _FIRST_AGAIN


def _others(recipients: Sequence[Recipient], recipient: Recipient) -> tuple[Recipient, ...]:
    return tuple(one for one in recipients if one != recipient)


def _held_back(settlements: Sequence[Settlement], now: int, pause: float) -> list[Settlement]:
    """What is in doubt is tried again after so many seconds; `now` in microseconds."""
    retry_at = now + round(pause * MICROSECONDS)
    return [
        replace(one, result="untried", code=None, retry_at=retry_at)
        if one.code in DOUBTFUL
        else one
        for one in settlements
    ]


def _same_words(refusal: Settlement) -> str:
    """The code, where there is one: what is named beside it differs from learner to learner."""
    code = _CODE.match(refusal.reason)
    if refusal.code in _OF_THE_LEARNER:
        return refusal.code.value
    return f"{refusal.code} {code[1] if code else refusal.reason.partition(' (next: ')[0]}"
