"""Which of a learner's undelivered state goes into the next request, and in which order. Pure.

Started courses and paths, then topics, then completed courses, then what is archived. A completed
course only goes when every topic of its observation stands on the platform or goes before it in
the same request (promise 5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import Desired
from pointsman.domain.targets import Archived, CourseStatus, TargetKind
from pointsman.platforms.base import Mutation
from pointsman.store.base import Settlement


@dataclass(frozen=True, slots=True)
class RequestBatch:
    """One request's worth. `held` are settled without being sent; `rest` waits for the next."""

    rows: tuple[Desired, ...]
    mutations: tuple[Mutation, ...]
    points: int
    held: tuple[Settlement, ...] = ()
    rest: int = 0


def plan_batch(
    desired: Sequence[Desired],
    *,
    max_points: int,
    price: Callable[[Sequence[Mutation]], int],
) -> RequestBatch:
    """The next request for a learner or a meeting, of at most `max_points`.

    `desired` is all that is not delivered, parked ones included: they are not sent, but hold back
    what comes after them.
    """
    parked = {one.target: one for one in desired if one.parked}
    sendable: list[Desired] = []
    held: list[Settlement] = []
    for one in sorted(desired, key=_order):
        if one.parked:
            continue
        obstacle = next((parked[target] for target in one.after if target in parked), None)
        if obstacle is None:
            sendable.append(one)
        else:
            reason = f"waits for topic {obstacle.target.key}, which is parked: {obstacle.parked}"
            held.append(Settlement(one.target, one.version, "parked", reason, ParkCode.WAITS_FOR))
    rows: list[Desired] = []
    mutations: list[Mutation] = []
    points = 0
    for one in sendable:
        mutation = _mutation(one)
        cost = price([mutation])
        if rows and points + cost > max_points:
            break
        rows.append(one)
        mutations.append(mutation)
        points += cost
    return RequestBatch(
        tuple(rows), tuple(mutations), points, tuple(held), len(sendable) - len(rows)
    )


def _mutation(one: Desired) -> Mutation:
    return Mutation(
        one.target,
        one.value,
        occurred_at=one.occurred_at,
        again=one.failures > 0,
        meeting_id=one.recipient.id if one.recipient.is_meeting else "",
    )


def _order(one: Desired) -> tuple[int, int, str]:
    return _place(one), one.since, one.target.key


def _place(one: Desired) -> int:
    if one.value == CourseStatus.COMPLETED.value:
        return 2
    if one.value == Archived.ARCHIVED.value:
        return 3
    return 1 if one.target.kind is TargetKind.TOPIC_PROGRESS else 0
