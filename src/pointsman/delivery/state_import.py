"""`import-state`: what the platform already knows counts as delivered, so history is not resent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from pointsman.delivery.batching import plan_reading
from pointsman.delivery.budget.base import Budget, send_paid
from pointsman.delivery.comparison import Judgement, compare, place_of
from pointsman.domain.clock import Clock, micros
from pointsman.domain.desired_state import Desired
from pointsman.domain.errors import NoToken, TokenDelayed
from pointsman.domain.targets import (
    CourseStatus,
    ReadBackPlace,
    Recipient,
    Target,
    TargetKind,
)
from pointsman.platforms.base import PlatformState, ReadBackClient, RequestOutcome, TokenProvider
from pointsman.store.base import KnownDelivered, Store

_NEVER = float("inf")
#: a request is tried so often, with a pause of so many seconds in between
_TRIES, _PAUSE = 5, 2.0


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """A course of a learner to read; `course_key` is how the rules name it, as in a `Target`."""

    learner: str
    course_id: str
    course_key: str


@dataclass(frozen=True, slots=True)
class ImportStep:
    """One learner done: how many records changed, and what could not be read and why."""

    learner: str
    taken: int
    unread: Mapping[ReadBackPlace, str]


class StateImport:
    """Reads learner by learner; what was read is in the store before the next one is asked for."""

    def __init__(
        self,
        store: Store,
        reader: ReadBackClient,
        tokens: TokenProvider,
        budget: Budget,
        clock: Clock,
        *,
        points_per_request: int,
    ) -> None:
        self._store = store
        self._reader = reader
        self._tokens = tokens
        self._budget = budget
        self._clock = clock
        self._points_per_request = points_per_request

    async def of_courses(self, targets: Sequence[ImportTarget]) -> AsyncIterator[ImportStep]:
        """Complete topics and completed courses, whether anybody wants them yet or not."""
        by_learner: dict[str, dict[ReadBackPlace, ImportTarget]] = {}
        for target in targets:
            place = ReadBackPlace.course(target.course_id)
            by_learner.setdefault(target.learner, {})[place] = target
        for learner, theirs in by_learner.items():
            shown, unread = await self._read(learner, list(theirs))
            known = [
                delivered
                for place, state in shown.items()
                for delivered in _of_course(theirs[place], state)
            ]
            yield await self._take(learner, known, unread)

    async def of_desired(
        self, desired: Mapping[str, Sequence[Desired]]
    ) -> AsyncIterator[ImportStep]:
        """Desired state that is not delivered and that the platform already shows."""
        for learner, rows in desired.items():
            shown, unread = await self._read(learner, sorted({place_of(row) for row in rows}))
            known = []
            for row in rows:
                place = place_of(row)
                if place in shown:
                    comparison = compare(row.target, row.value, shown[place])
                    if comparison.judgement is Judgement.AGREES and comparison.known is not None:
                        known.append(
                            KnownDelivered(row.recipient, row.target, comparison.known, place)
                        )
            yield await self._take(learner, known, unread)

    async def _take(
        self, learner: str, known: Sequence[KnownDelivered], unread: Mapping[ReadBackPlace, str]
    ) -> ImportStep:
        taken = 0
        if known:
            taken = await self._store.mark_delivered(known, now=micros(self._clock.now()))
        return ImportStep(learner, taken, unread)

    async def _read(
        self, learner: str, places: Sequence[ReadBackPlace]
    ) -> tuple[dict[ReadBackPlace, PlatformState], dict[ReadBackPlace, str]]:
        """What is shown, and why the rest could not be read."""
        try:
            token = await self._tokens.token(learner)
        except (NoToken, TokenDelayed) as error:
            return {}, dict.fromkeys(places, str(error))
        shown: dict[ReadBackPlace, PlatformState] = {}
        unread: dict[ReadBackPlace, str] = {}
        left = list(places)
        tries = 0
        while left:
            portion = plan_reading(
                left, max_points=self._points_per_request, price=self._reader.price
            )
            reading = await send_paid(
                self._budget,
                self._reader.price(portion),
                lambda portion=portion: self._reader.read(token, portion),  # type: ignore[misc]
                give_up_at=_NEVER,
            )
            places_read = reading.places if reading is not None else {}
            for place, state in places_read.items():
                if isinstance(state, PlatformState):
                    shown[place] = state
                else:
                    unread[place] = state
            left = [place for place in left if place not in places_read]
            if not places_read:
                tries += 1
                message, refused = "", False
                if reading is not None:
                    message = reading.answer.message
                    refused = reading.answer.outcome is RequestOutcome.TOKEN_REFUSED
                if tries == _TRIES or refused:
                    return shown, {**unread, **dict.fromkeys(left, message)}
                await self._clock.sleep(_PAUSE)
        return shown, unread


def _of_course(course: ImportTarget, shown: PlatformState) -> list[KnownDelivered]:
    place = ReadBackPlace.course(course.course_id)
    recipient = Recipient.learner(course.learner)
    known = [
        KnownDelivered(recipient, Target(TargetKind.TOPIC_PROGRESS, topic), 100, place)
        for topic in sorted(shown.completed_topics)
    ]
    if shown.completed:
        target = Target(TargetKind.COURSE_STATUS, course.course_key)
        known.append(KnownDelivered(recipient, target, CourseStatus.COMPLETED.value, place))
    return known
