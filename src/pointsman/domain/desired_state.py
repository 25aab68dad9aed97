"""The value wanted for each learner and target, and how far the platform has been told.

Times are whole microseconds since the Unix epoch, UTC. Progress is a whole percentage, 0-100.
"""

from __future__ import annotations

from pointsman.domain.frozen import record
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import FRESH_WITHIN
from pointsman.domain.targets import ReadBackPlace, Recipient, Target, Value


@record
class Attempt:
    """The best of one registration, for targets whose rule lets a new attempt start anew."""

    registration: str
    value: Value
    occurred_at: int


@record
class Desired:
    """The value wanted for (recipient, target), and how far the platform has been told.

    Dirty is `version > delivered_version`; parked is dirty with `parked` set. Each field is a
    column of the stores (`store/desired_codec.py`).
    """

    recipient: Recipient
    target: Target
    value: Value
    version: int
    occurred_at: int
    statement_id: str
    rule: str
    #: arrival of the first change that is not delivered
    since: int
    #: arrival of the newest change; while the learner is leased, of the first since then
    changed_at: int
    after: tuple[Target, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    delivered_version: int = 0
    delivered_value: Value | None = None
    failures: int = 0
    #: not to be sent before; 0 where it was not tried since it was last delivered
    retry_at: int = 0
    #: why it can't be sent, in words for a person; "" when it can
    parked: str = ""
    #: the same as a code, None when it can be sent
    park_code: ParkCode | None = None
    #: where the platform shows it, None where no operation does
    read_back: ReadBackPlace | None = None
    #: where the newest change came from
    source: str = ""
    #: how long its progress may wait, in microseconds
    fresh_within: int = FRESH_WITHIN
    #: when the learner's work is due, 0 for never
    deadline: int = 0
    #: when somebody changed it on the platform on purpose, and only what happens later counts; 0
    #: for never
    reset_at: int = 0
