"""The audit: reads back what was delivered, with what delivery leaves over of the quota.

Where the platform disagrees the state is sent once more, and parked as drift, with both values,
when it disagrees again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from pointsman.delivery.breaker import Breaker
from pointsman.delivery.budget.local import Budget
from pointsman.delivery.budget.paid import send_paid
from pointsman.delivery.comparison import Comparison, Judgement, compare, place_of
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import NoToken, StoreUnavailable, TokenDelayed
from pointsman.domain.records import Desired
from pointsman.domain.targets import ReadBackPlace
from pointsman.platforms.base import PlatformState, ReadBackClient, RequestOutcome, TokenProvider
from pointsman.store.base import Audited, AuditFinding, Store

log = structlog.get_logger(__name__)

#: what one of several replicas does, and for how long without a word, seconds
DUTY, _DUTY = "audit", 120.0
#: so much of the quota stays for what may have to be delivered any moment
_SPARED = 0.5
#: how long to wait where nothing is to be looked at, seconds
_REST = 5.0
#: a read that the budget can't pay within so many seconds is not made
_PATIENCE = 5.0

_NO_TOKEN = "the learner has no authToken that reads it"  # noqa: S105 - words


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """`[audit]`; times in seconds."""

    requests_per_minute: int
    #: how long a delivery is left alone before it is looked at
    settle: float
    again_after: float
    points_per_request: int
    #: what our part of the quota is when it is whole
    requests_per_window: int


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One comparison, for the metrics: where, and what became of it."""

    place: ReadBackPlace
    result: Audited


class Auditor:
    """Runs until cancelled. `on_resent` says that there is something to send again."""

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
    ) -> None:
        self._store = store
        self._reader = reader
        self._tokens = tokens
        self._budget = budget
        self._breaker = breaker
        self._clock = clock
        self._settings = settings
        self._on_record = on_record
        self._on_resent = on_resent

    async def run(self) -> None:
        """Look at one learner after another, as slowly as is set."""
        pause = 60 / self._settings.requests_per_minute
        while True:
            try:
                looked = await self._idle() and await self.turn()
            except StoreUnavailable as error:
                log.warning("the audit waits for the store", reason=str(error))
                looked = False
            await self._clock.sleep(pause if looked else max(pause, _REST))

    async def turn(self) -> bool:
        """Look at the learner whose turn it is; False when there is none."""
        now = self._now()
        sample = await self._store.delivered_sample(
            limit=1,
            settled_before=now - micros(self._settings.settle),
            again_before=now - micros(self._settings.again_after),
        )
        for learner, rows in sample.items():
            shown = await self._read(learner, sorted({place_of(row) for row in rows}))
            if shown is not None:
                await self._settle(learner, rows, shown)
        return bool(sample)

    async def _idle(self) -> bool:
        """Whether delivery has nothing to do, half of the quota is left, and the audit is ours."""
        if self._breaker.tripped:
            return False
        if not await self._store.acquire_duty(DUTY, now=self._now(), ttl=micros(_DUTY)):
            return False
        ready_at = await self._store.next_ready_at()
        if ready_at is not None and ready_at <= self._now():
            return False
        left = self._budget.spent().requests_left
        return left >= _SPARED * self._settings.requests_per_window

    async def _read(
        self, learner: str, places: Sequence[ReadBackPlace]
    ) -> Mapping[ReadBackPlace, PlatformState | str] | None:
        """What is shown at each place; None when this is not the time to ask."""
        try:
            token = await self._tokens.token(learner)
        except (NoToken, TokenDelayed):
            return dict.fromkeys(places, _NO_TOKEN)
        found: dict[ReadBackPlace, PlatformState | str] = {}
        left = list(places)
        while left:
            asked = self._portion(left)
            answer = await send_paid(
                self._budget,
                self._reader.price(asked),
                lambda asked=asked: self._reader.read(token, asked),  # type: ignore[misc]
                give_up_at=self._clock.monotonic() + _PATIENCE,
            )
            if answer is None:
                return None
            if answer.delivery.answer is RequestOutcome.TOKEN_REFUSED:
                await self._tokens.refused(learner, token)
                return dict.fromkeys(places, _NO_TOKEN)
            if answer.delivery.answer is not RequestOutcome.ANSWERED or not answer.places:
                log.info("the audit got no answer", reason=answer.delivery.words)
                return None
            found.update(answer.places)
            left = [place for place in left if place not in found]
        return found

    def _portion(self, places: Sequence[ReadBackPlace]) -> list[ReadBackPlace]:
        """As many of them, at least one, as one request can pay."""
        portion: list[ReadBackPlace] = []
        for place in places:
            if portion and (
                self._reader.price([*portion, place]) > self._settings.points_per_request
            ):
                break
            portion.append(place)
        return portion

    async def _settle(
        self,
        learner: str,
        rows: Sequence[Desired],
        shown: Mapping[ReadBackPlace, PlatformState | str],
    ) -> None:
        comparisons = {row.target: _compared(row, shown[place_of(row)]) for row in rows}
        outcomes = await self._store.audit(
            learner,
            [_finding(row, comparisons[row.target]) for row in rows],
            now=self._now(),
        )
        for row in rows:
            outcome = outcomes[row.target]
            self._on_record(AuditRecord(place_of(row), outcome))
            if outcome in {Audited.RESENT, Audited.DRIFT}:
                log.warning(
                    "the platform disagrees",
                    learner=learner,
                    kind=row.target.kind.value,
                    key=row.target.key,
                    wanted=row.value,
                    shown=comparisons[row.target].shown,
                    next="it is sent once more"
                    if outcome is Audited.RESENT
                    else "it is parked; see pointsman audit",
                )
        if Audited.RESENT in outcomes.values():
            self._on_resent()

    def _now(self) -> int:
        return micros(self._clock.now())


def _compared(row: Desired, shown: PlatformState | str) -> Comparison:
    if isinstance(shown, str):
        return Comparison(Judgement.UNREADABLE, shown)
    return compare(row, shown)


def _finding(row: Desired, comparison: Comparison) -> AuditFinding:
    reason = ""
    if comparison.judgement is Judgement.DIFFERS:
        reason = (
            f"drift: wanted {row.value}, the platform shows {comparison.shown} at "
            f"{row.read_back}, also after it was sent again (next: see there why it does not stay, "
            f"then pointsman parked retry --learner {row.recipient})"
        )
    return AuditFinding(row.target, row.version, comparison.judgement.value, reason)
