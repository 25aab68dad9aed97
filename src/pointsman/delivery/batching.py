"""What goes into the next request, and in which order. Pure.

In the order that the table of target kinds says: started courses and paths, then topics, then
completed courses, then what is archived. A completed course only goes when every topic of its
observation is on the platform or goes before it in the same request (promise 5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pointsman.domain.desired_state import Desired
from pointsman.domain.frozen import record
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.target_kinds import TARGET_KINDS
from pointsman.domain.targets import ReadBackPlace
from pointsman.platforms.base import Mutation
from pointsman.store.base import Settlement


@record
class RequestBatch:
    """One request's worth. `held` are settled without being sent; `rest` waits for the next."""

    rows: tuple[Desired, ...]
    mutations: tuple[Mutation, ...]
    points: int
    held: tuple[Settlement, ...] = ()
    rest: int = 0
    #: a fault of ours keeps these from being sent
    broken: tuple[tuple[Desired, Exception], ...] = ()


def plan_batch(
    desired: Sequence[Desired],
    *,
    now: int,
    max_points: int,
    price: Callable[[Sequence[Mutation]], int],
) -> RequestBatch:
    """The next request for a learner or a meeting, of at most `max_points`; `now` in microseconds.

    `desired` is all that is not delivered. What is parked, or has its own time to be sent again, is
    not sent, but holds back what comes after it.
    """
    parked = {row.target: row for row in desired if row.parked}
    later = {row.target: row for row in desired if row.retry_at > now and not row.parked}
    sendable: list[Desired] = []
    held: list[Settlement] = []
    for row in sorted(desired, key=_order):
        if row.parked or row.target in later:
            continue
        obstacle = next((parked[target] for target in row.after if target in parked), None)
        awaited = [later[target].retry_at for target in row.after if target in later]
        if obstacle is None and awaited:
            held.append(Settlement(row.target, row.version, "untried", retry_at=max(awaited)))
        elif obstacle is None:
            sendable.append(row)
        else:
            reason = f"waits for topic {obstacle.target.key}, which is parked: {obstacle.parked}"
            held.append(Settlement(row.target, row.version, "parked", reason, ParkCode.WAITS_FOR))
    everything = tuple(map(_mutation, sendable))
    points = _points(everything, price)
    if points is not None and points <= max_points:
        return RequestBatch(tuple(sendable), everything, points, tuple(held))
    rows: list[Desired] = []
    mutations: list[Mutation] = []
    broken: list[tuple[Desired, Exception]] = []
    points = 0
    for row, mutation in zip(sendable, everything, strict=True):
        try:
            cost = price([mutation])
        except Exception as error:  # noqa: BLE001 - whatever it is, the rest is not harmed
            broken.append((row, error))
            continue
        if rows and points + cost > max_points:
            break
        rows.append(row)
        mutations.append(mutation)
        points += cost
    rest = len(sendable) - len(rows) - len(broken)
    return RequestBatch(tuple(rows), tuple(mutations), points, tuple(held), rest, tuple(broken))


def plan_reading(
    places: Sequence[ReadBackPlace],
    *,
    max_points: int,
    price: Callable[[Sequence[ReadBackPlace]], int],
) -> list[ReadBackPlace]:
    """As many of the places, at least one, as one request of at most `max_points` can read."""
    count = 1
    while count < len(places) and price(places[: count + 1]) <= max_points:
        count += 1
    return list(places[:count])


def _points(
    mutations: Sequence[Mutation], price: Callable[[Sequence[Mutation]], int]
) -> int | None:
    """What they cost together; None where a fault of ours keeps one of them from being priced."""
    try:
        return price(mutations)
    except Exception:  # noqa: BLE001 - each is then priced by itself
        return None


def _mutation(row: Desired) -> Mutation:
    return Mutation(
        row.target,
        row.value,
        occurred_at=row.occurred_at,
        again=row.failures > 0 or row.retry_at > 0,
        meeting_id=row.recipient.id if row.recipient.is_meeting else "",
    )


def _order(row: Desired) -> tuple[int, int, str]:
    return TARGET_KINDS[row.target.kind].order_at(row.value), row.since, row.target.key
