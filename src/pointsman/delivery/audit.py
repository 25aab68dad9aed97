"""The audit: reads back what was delivered, with what delivery leaves over of the quota.

Where the platform disagrees the state is sent once more, and parked as drift, with both values,
when it disagrees again. Where the platform also says by itself what happens there, it is looked at
once more before it is sent: somebody may have changed it on purpose. What a reading confirms is
kept like an event of the platform.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from pointsman.delivery.batching import plan_reading
from pointsman.delivery.breaker import Breaker
from pointsman.delivery.budget.base import Budget, send_paid
from pointsman.delivery.comparison import Comparison, Judgement, compare, place_of
from pointsman.delivery.settings import AuditSettings
from pointsman.domain.clock import Clock, micros
from pointsman.domain.desired_state import Desired
from pointsman.domain.errors import NoToken, Retry, TokenDelayed
from pointsman.domain.log_steps import STORE_AWAY
from pointsman.domain.platform_events import FactSource, PlatformEvent, PlatformFact
from pointsman.domain.targets import CourseStatus, PathAccess, ReadBackPlace
from pointsman.platforms.base import PlatformState, ReadBackClient, RequestOutcome, TokenProvider
from pointsman.store.base import Audited, AuditFinding, Store
from pointsman.store.confirmation_records import FeedPlace, TakenEvent

log = structlog.get_logger(__name__)

#: one of several replicas audits; it has the duty for so long without renewing it, seconds
DUTY, _DUTY_TTL = "audit", 120.0
#: so much of the quota stays for what may have to be delivered any moment
_RESERVE = 0.5
#: seconds
_HOUR = 3_600.0
#: how long to wait where there is nothing to audit, seconds
_IDLE_PAUSE = 5.0
#: a read that the budget can't pay within so many seconds is not made
_PAY_WITHIN = 5.0

#: how far this clock may be ahead of the platform's, microseconds: what is read must not look newer
#: than a change that came after it
_SKEW = 5_000_000
#: values of state whose place may be complete
_ASKED_FOR = frozenset({CourseStatus.COMPLETED, *PathAccess})

_NEXT = {
    Audited.RESENT: "it is sent once more",
    Audited.DRIFT: "it is parked; see pointsman audit",
    Audited.CONTRADICTED: "somebody changed it on the platform on purpose, and it is not sent "
    "again; see pointsman explain",
}
_NO_TOKEN = "the learner has no authToken that reads it"  # noqa: S105 - a message


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One comparison, for the metrics: where, and what became of it."""

    place: ReadBackPlace
    result: Audited


@dataclass(frozen=True, slots=True)
class Confirming:
    """What the audit has to do with what the platform says by itself.

    - feeds: the names of those that are read; None where the platform says nothing by itself
    - on_taken: what became of what a reading confirms
    - on_read: requests and points of a reading
    """

    feeds: Sequence[str] | None = None
    on_taken: Callable[[str, Sequence[TakenEvent]], None] = lambda *_: None
    on_read: Callable[[int, int], None] = lambda *_: None


class Auditor:
    """Runs until cancelled. `on_resent` says that there is something to send again.

    `requests_per_window` is our part of the quota when nothing of it is spent.
    """

    def __init__(
        self,
        store: Store,
        reader: ReadBackClient,
        tokens: TokenProvider,
        budget: Budget,
        breaker: Breaker,
        clock: Clock,
        settings: AuditSettings,
        on_record: Callable[[AuditRecord], None],
        on_resent: Callable[[], None],
        *,
        points_per_request: int,
        requests_per_window: int,
        confirming: Confirming | None = None,
    ) -> None:
        self._store = store
        self._confirming = confirming or Confirming()
        self._reader = reader
        self._tokens = tokens
        self._budget = budget
        self._breaker = breaker
        self._clock = clock
        self._settings = settings
        self._points_per_request = points_per_request
        self._requests_per_window = requests_per_window
        self._on_record = on_record
        self._on_resent = on_resent

    def reconfigure(self, *, points_per_request: int, requests_per_window: int) -> None:
        """Other limits of the platform from now on."""
        self._points_per_request = points_per_request
        self._requests_per_window = requests_per_window

    async def run(self) -> None:
        """Audit one learner after another, as slowly as is set."""
        pause = 60 / self._settings.requests_per_minute
        while True:
            try:
                audited = await self._may_read() and await self.audit_next()
            except Retry as error:
                log.warning("the audit waits for the store", reason=str(error), next=STORE_AWAY)
                audited = False
            await self._clock.sleep(pause if audited else max(pause, _IDLE_PAUSE))

    async def audit_next(self) -> bool:
        """Audit the learner who has waited longest; False when there is none."""
        now = self._now()
        suspected_before = await self._suspected_before(now)
        sample = await self._store.delivered_sample(
            limit=1,
            settled_before=now - micros(self._settings.settle_seconds),
            again_before=now - micros(self._settings.again_after_hours * _HOUR),
            suspected_before=suspected_before or 0,
        )
        for learner, rows in sample.items():
            shown = await self._read(learner, sorted({place_of(row) for row in rows}))
            if shown is not None:
                await self._settle(learner, rows, shown, suspected_before)
                await self._confirm(learner, rows, shown, now)
        return bool(sample)

    async def _suspected_before(self, now: int) -> int | None:
        """What was suspected before this is drift if it differs still; None: nothing is suspected.

        Every feed was read past it, for it may tell of a change on purpose.
        """
        if self._confirming.feeds is None:
            return None
        places = await self._store.feeds() if self._confirming.feeds else {}
        read = [places.get(name, FeedPlace()).read_until for name in self._confirming.feeds]
        return min([now - micros(self._settings.suspect_seconds), *read])

    async def _confirm(
        self,
        learner: str,
        rows: Sequence[Desired],
        shown: Mapping[ReadBackPlace, PlatformState | str],
        at: int,
    ) -> None:
        """Keep what the reading shows of completions and certificates."""
        wanted = {place_of(row) for row in rows if row.value in _ASKED_FOR}
        events = [
            PlatformEvent((learner,), place, fact, at - _SKEW, FactSource.AUDIT)
            for place in sorted(wanted)
            for fact in facts_shown(shown[place])
        ]
        if events:
            taken = await self._store.confirm(events, now=self._now())
            self._confirming.on_taken(DUTY, taken)

    async def _may_read(self) -> bool:
        """Whether delivery has nothing to do, half of the quota is left, and the audit is ours."""
        if self._breaker.tripped:
            return False
        if not await self._store.acquire_duty(DUTY, now=self._now(), ttl=micros(_DUTY_TTL)):
            return False
        ready_at = await self._store.next_ready_at()
        if ready_at is not None and ready_at <= self._now():
            return False
        left = self._budget.left().requests
        return left >= _RESERVE * self._requests_per_window

    async def _read(
        self, learner: str, places: Sequence[ReadBackPlace]
    ) -> Mapping[ReadBackPlace, PlatformState | str] | None:
        """What is shown at each place; None when this is not the time to ask."""
        try:
            token = await self._tokens.token(learner)
        except (NoToken, TokenDelayed):
            return dict.fromkeys(places, _NO_TOKEN)
        shown: dict[ReadBackPlace, PlatformState | str] = {}
        left = list(places)
        while left:
            portion = plan_reading(
                left, max_points=self._points_per_request, price=self._reader.price
            )
            reading = await send_paid(
                self._budget,
                self._reader.price(portion),
                lambda portion=portion: self._reader.read(token, portion),  # type: ignore[misc]
                give_up_at=self._clock.monotonic() + _PAY_WITHIN,
            )
            if reading is None:
                return None
            await self._count(self._reader.price(portion))
            if reading.answer.outcome is RequestOutcome.TOKEN_REFUSED:
                await self._tokens.refused(learner, token)
                return dict.fromkeys(places, _NO_TOKEN)
            if reading.answer.outcome is not RequestOutcome.ANSWERED or not reading.places:
                log.info("the audit got no answer", reason=reading.answer.message)
                return None
            shown.update(reading.places)
            left = [place for place in left if place not in shown]
        return shown

    async def _count(self, points: int) -> None:
        """What the audit cost so far is kept beside what the feeds cost."""
        self._confirming.on_read(1, points)
        place = (await self._store.feeds()).get(DUTY, FeedPlace())
        more = replace(place, requests=place.requests + 1, points=place.points + points)
        await self._store.save_feed(DUTY, more)

    async def _settle(
        self,
        learner: str,
        rows: Sequence[Desired],
        shown: Mapping[ReadBackPlace, PlatformState | str],
        suspected_before: int | None,
    ) -> None:
        comparisons = {row.target: _compared(row, shown[place_of(row)]) for row in rows}
        outcomes = await self._store.audit(
            learner,
            [_finding(row, comparisons[row.target], shown[place_of(row)]) for row in rows],
            now=self._now(),
            suspected_before=suspected_before,
        )
        for row in rows:
            outcome = outcomes[row.target]
            self._on_record(AuditRecord(place_of(row), outcome))
            if (next_step := _NEXT.get(outcome)) is not None:
                log.warning(
                    "the platform disagrees",
                    learner=learner,
                    kind=row.target.kind.value,
                    key=row.target.key,
                    wanted=row.value,
                    shown=comparisons[row.target].shown,
                    next=next_step,
                )
        if Audited.RESENT in outcomes.values():
            self._on_resent()

    def _now(self) -> int:
        return micros(self._clock.now())


def facts_shown(shown: PlatformState | str) -> Iterator[PlatformFact]:
    """What a reading of a course or path confirms."""
    if isinstance(shown, str) or not shown.completed:
        return
    yield PlatformFact.COMPLETED
    if shown.certificate:
        yield PlatformFact.CERTIFICATE
    elif shown.certificate_pending:
        yield PlatformFact.CERTIFICATE_PENDING


def _compared(row: Desired, shown: PlatformState | str) -> Comparison:
    if isinstance(shown, str):
        return Comparison(Judgement.UNREADABLE, shown)
    return compare(row.target, row.value, shown)


def _finding(row: Desired, comparison: Comparison, shown: PlatformState | str) -> AuditFinding:
    reason = ""
    deadline = 0 if isinstance(shown, str) else shown.due_at
    if comparison.judgement is Judgement.DIFFERS:
        reason = (
            f"drift: wanted {row.value}, the platform shows {comparison.shown} at "
            f"{row.read_back}, also after it was sent again (next: see there why it does not stay, "
            f"then pointsman parked retry --learner {shlex.quote(str(row.recipient))})"
        )
    return AuditFinding(row.target, row.version, comparison.judgement.value, reason, deadline)
