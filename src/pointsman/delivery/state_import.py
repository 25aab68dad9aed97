"""`import-state`: what the platform already knows counts as delivered, so history is not resent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from pointsman.delivery.budget.local import Budget
from pointsman.delivery.budget.paid import send_paid
from pointsman.delivery.comparison import Judgement, compare, place_of
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import NoToken, TokenDelayed
from pointsman.domain.records import Desired
from pointsman.domain.targets import (
    CourseStatus,
    ReadBackPlace,
    Recipient,
    Target,
    TargetKind,
)
from pointsman.platforms.base import PlatformState, ReadBackClient, RequestOutcome, TokenProvider
from pointsman.store.base import KnownDelivered, Store

_FOR_EVER = float("inf")
#: a request is tried so often, each time after so many seconds
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

    async def of_wishes(self, wishes: Sequence[ImportTarget]) -> AsyncIterator[ImportStep]:
        """Complete topics and completed courses, whether anybody wants them yet or not."""
        by_learner: dict[str, dict[ReadBackPlace, ImportTarget]] = {}
        for wish in wishes:
            place = ReadBackPlace.course(wish.course_id)
            by_learner.setdefault(wish.learner, {})[place] = wish
        for learner, theirs in by_learner.items():
            shown, unread = await self._read(learner, list(theirs))
            known = [
                one for place, what in shown.items() for one in _of_course(theirs[place], what)
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
                    comparison = compare(row, shown[place])
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
            asked = [left[0]]
            for place in left[1:]:
                if self._reader.price([*asked, place]) > self._points_per_request:
                    break
                asked.append(place)
            answer = await send_paid(
                self._budget,
                self._reader.price(asked),
                lambda asked=asked: self._reader.read(token, asked),  # type: ignore[misc]
                give_up_at=_FOR_EVER,
            )
            places_read = answer.places if answer is not None else {}
            for place, what in places_read.items():
                if isinstance(what, PlatformState):
                    shown[place] = what
                else:
                    unread[place] = what
            left = [place for place in left if place not in places_read]
            if not places_read:
                tries += 1
                words = answer.delivery.words if answer is not None else ""
                gone = answer is not None and answer.delivery.answer is RequestOutcome.TOKEN_REFUSED
                if tries == _TRIES or gone:
                    return shown, {**unread, **dict.fromkeys(left, words)}
                await self._clock.sleep(_PAUSE)
        return shown, unread


def _of_course(wish: ImportTarget, shown: PlatformState) -> list[KnownDelivered]:
    place = ReadBackPlace.course(wish.course_id)
    recipient = Recipient.learner(wish.learner)
    known = [
        KnownDelivered(recipient, Target(TargetKind.TOPIC_PROGRESS, topic), 100, place)
        for topic in sorted(shown.completed_topics)
    ]
    if shown.completed:
        target = Target(TargetKind.COURSE_STATUS, wish.course_key)
        known.append(KnownDelivered(recipient, target, CourseStatus.COMPLETED.value, place))
    return known
