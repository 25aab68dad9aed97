"""Merges a change into desired state. Pure; the result does not depend on the order of arrival.

But for the deadline, which only says what goes first: it stays where a change has none.

Newest wins by `occurred_at`, ties by statement id. Unless the rule says otherwise a value never
falls, so for `Falls.NEVER` the highest wins and time has no say.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pointsman.domain.desired_state import Attempt, Desired
from pointsman.domain.records import Change, Falls
from pointsman.domain.targets import Value, is_further, rank
from pointsman.store.records import KnownDelivered

#: the statement and rule of what was read from the platform
IMPORTED = "import-state"
#: the statement of what somebody changed on the platform on purpose
PLATFORM = "platform"
#: attempts remembered for one target; the oldest go first
MAX_ATTEMPTS = 32


def merge(current: Desired | None, change: Change, arrived_at: int, source: str = "") -> Desired:
    """Desired state after `change`, which arrived at `arrived_at` from `source`.

    `version` moves only when the value does; when nothing at all is learned, the very record
    `current` comes back.
    """
    if current is None:
        # by position, as in `_move`
        return Desired(
            change.recipient,
            change.target,
            change.value,
            1,  # version
            change.occurred_at,
            change.statement_id,
            change.rule,
            arrived_at,  # since
            arrived_at,  # changed_at
            change.after,
            _attempts((), change),
            0,  # delivered_version
            None,  # delivered_value
            0,  # failures
            0,  # retry_at
            "",  # parked
            None,  # park_code
            change.read_back,
            source,
            change.fresh_within,
            change.deadline,
        )
    if is_before_reset(current, change):
        return current
    if change.falls is Falls.NEW_ATTEMPT:
        attempts = _attempts(current.attempts, change)
        if attempts == current.attempts:
            return current
        best = attempts[0]
        known = replace(current, attempts=attempts)
        return _move(known, change, best.value, best.occurred_at, arrived_at, source)
    if change.falls is Falls.ALWAYS:
        newest = (current.occurred_at, current.statement_id)
        wins = (change.occurred_at, change.statement_id) > newest
    else:
        # whatever comes first after a change on the platform begins again
        wins = current.statement_id == PLATFORM or is_further(
            current.target, change.value, current.value
        )
    if not wins:
        return current
    return _move(current, change, change.value, change.occurred_at, arrived_at, source)


def is_before_reset(current: Desired, change: Change) -> bool:
    """Whether it happened before somebody changed the state on the platform on purpose."""
    return 0 < current.reset_at >= change.occurred_at


def _move(
    current: Desired, change: Change, value: Value, occurred_at: int, arrived_at: int, source: str
) -> Desired:
    if value == current.value:
        return replace(current, occurred_at=occurred_at, statement_id=change.statement_id)
    clean = current.version == current.delivered_version
    # by position: `replace` takes many times as long, and names five times, of so many fields
    return Desired(
        current.recipient,
        current.target,
        value,
        current.version + 1,
        occurred_at,
        change.statement_id,
        change.rule,
        arrived_at if clean else current.since,
        arrived_at,  # changed_at
        change.after,
        current.attempts,
        current.delivered_version,
        current.delivered_value,
        current.failures,
        current.retry_at,
        current.parked,
        current.park_code,
        change.read_back,
        source,
        change.fresh_within,
        # the platform may have said when it is due, where nobody says so now
        change.deadline or current.deadline,
    )


def _attempts(known: tuple[Attempt, ...], change: Change) -> tuple[Attempt, ...]:
    """Attempts with `change` counted in, the newest first; each keeps its best value."""
    if change.falls is not Falls.NEW_ATTEMPT:
        return known
    mine = Attempt(change.registration or "", change.value, change.occurred_at)
    others = []
    for attempt in known:
        if attempt.registration == mine.registration:
            best = max(attempt.value, mine.value, key=partial(rank, change.target))
            mine = Attempt(mine.registration, best, max(attempt.occurred_at, mine.occurred_at))
        else:
            others.append(attempt)
    newest_first = sorted(
        [*others, mine],
        key=lambda attempt: (attempt.occurred_at, attempt.registration),
        reverse=True,
    )
    return tuple(newest_first[:MAX_ATTEMPTS])


def merge_delivered(current: Desired | None, known: KnownDelivered, now: int) -> Desired | None:
    """Desired state, delivered, once the platform is known to show a value; None for no news.

    What is desired and further along stays, and is sent.
    """
    if current is None:
        return Desired(
            recipient=known.recipient,
            target=known.target,
            value=known.value,
            version=1,
            occurred_at=now,
            statement_id=IMPORTED,
            rule=IMPORTED,
            since=now,
            changed_at=now,
            delivered_version=1,
            delivered_value=known.value,
            read_back=known.read_back,
        )
    clean = current.version == current.delivered_version
    further = is_further(current.target, current.value, known.value)
    if further or (clean and current.value == known.value):
        return None
    lifted = current.value != known.value
    version = current.version + 1 if lifted else current.version
    return replace(
        current,
        value=known.value,
        version=version,
        occurred_at=now if lifted else current.occurred_at,
        statement_id=IMPORTED if lifted else current.statement_id,
        rule=IMPORTED if lifted else current.rule,
        changed_at=now if lifted else current.changed_at,
        delivered_version=version,
        delivered_value=known.value,
        failures=0,
        retry_at=0,
        parked="",
        park_code=None,
    )
