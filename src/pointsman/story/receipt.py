"""Says to a learner what became of a launch: what was received, is on its way, and is shown.

It reads what the store has committed, and nothing else: what it says was received is durable. It
speaks of the launch's own learner and of what its statements asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pointsman.domain.clock import Clock, micros
from pointsman.domain.launch import Launch
from pointsman.domain.targets import Recipient, Target, TargetKind, Value
from pointsman.statements.actor_identity import identity_of
from pointsman.statements.query import key
from pointsman.store.base import Search, SearchPage
from pointsman.store.history_records import LearnerHistory, StoredState
from pointsman.story.words import target_words, time_words, value_words

#: statements that are counted, and rows of the history that say what they asked for
_STATEMENTS, _ROWS = 100, 200


class ReceiptState(StrEnum):
    """How far something is, in the order in which a learner has to know of it."""

    #: something has to be corrected first; the learner can't
    HELD = "held"
    ON_ITS_WAY = "on_its_way"
    #: stored, and it changes nothing on the platform
    RECEIVED = "received"
    #: the platform has taken it
    DELIVERED = "delivered"
    NOTHING_RECEIVED = "nothing_received"


_SENTENCES = {
    ReceiptState.HELD: "Your progress is saved. Something has to be repaired before the learning "
    "platform can show it; nothing is lost, and you need not do it again.",
    ReceiptState.ON_ITS_WAY: "Your progress is saved, and on its way to the learning platform.",
    ReceiptState.RECEIVED: "What you did is saved.",
    ReceiptState.DELIVERED: "Your progress is saved, and the learning platform has it.",
    ReceiptState.NOTHING_RECEIVED: "Nothing has been received yet.",
}


@dataclass(frozen=True, slots=True)
class ReceiptItem:
    """One thing on the platform. Times in microseconds."""

    target: Target
    words: str
    wanted: Value
    #: what the platform was sent and took last; None for nothing
    on_platform: Value | None
    state: ReceiptState
    since: int
    delivered_at: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one launch."""

    registration: str
    activity: str
    now: int
    #: statements that are stored, at most `_STATEMENTS`, and when the newest was
    received: int
    newest: int | None
    items: tuple[ReceiptItem, ...]

    @property
    def state(self) -> ReceiptState:
        """The one of its items that matters most."""
        states = {item.state for item in self.items}
        for state in ReceiptState:
            if state in states:
                return state
        return ReceiptState.RECEIVED if self.received else ReceiptState.NOTHING_RECEIVED

    def as_json(self) -> dict[str, Any]:
        return {
            "registration": self.registration,
            "activity": self.activity,
            "now": time_words(self.now),
            "state": self.state.value,
            "sentence": _SENTENCES[self.state],
            "received": {
                "statements": self.received,
                "newest": None if self.newest is None else time_words(self.newest),
            },
            "items": [
                {
                    "kind": item.target.kind.value,
                    "key": item.target.key,
                    "words": item.words,
                    "wanted": item.wanted,
                    "onPlatform": item.on_platform,
                    "state": item.state.value,
                    "since": time_words(item.since),
                    "deliveredAt": None
                    if item.delivered_at is None
                    else time_words(item.delivered_at),
                }
                for item in self.items
            ],
        }


class ReceiptStore(Protocol):
    """The store, as receipts see it."""

    async def search(self, search: Search, *, limit: int) -> SearchPage: ...

    async def learner_history(self, learner: str, *, limit: int) -> LearnerHistory: ...


class Receipts:
    """Makes receipts from one store."""

    def __init__(self, store: ReceiptStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of(self, launch: Launch) -> Receipt:
        """What became of this launch. Raises `StoreUnavailable`."""
        theirs = key("agent", identity_of(launch.actor))
        search = Search((key("registration", launch.registration), theirs))
        # statements before state: what arrives in between is then shown as a state at least
        page = await self._store.search(search, limit=_STATEMENTS)
        history = await self._store.learner_history(launch.learner, limit=_ROWS)
        times = {stored.statement_id: stored.received_at for _, stored in page.found}
        return receipt_of(launch, times, history, micros(self._clock.now()))


def receipt_of(
    launch: Launch, received: dict[str, int], history: LearnerHistory, now: int
) -> Receipt:
    """`received` are the times at which the launch's statements came, by their ids. Pure."""
    asked = {move.target for move in history.moves if move.statement_id in received}
    asked |= _named_by(launch)
    items = [_item(stored) for stored in history.states if stored.desired.target in asked]
    return Receipt(
        registration=launch.registration,
        activity=launch.activity,
        now=now,
        received=len(received),
        newest=max(received.values(), default=None),
        items=tuple(_in_order(items)) if received else (),
    )


def _named_by(launch: Launch) -> set[Target]:
    """What the launch itself says that it is."""
    named = set()
    if launch.topic_id:
        named.add(Target(TargetKind.TOPIC_PROGRESS, launch.topic_id))
    if launch.course:
        named.add(Target(TargetKind.COURSE_STATUS, f"{launch.course_by}:{launch.course}"))
    return named


def _item(stored: StoredState) -> ReceiptItem:
    desired = stored.desired
    if desired.version == desired.delivered_version:
        state = ReceiptState.DELIVERED
    else:
        state = ReceiptState.HELD if desired.parked else ReceiptState.ON_ITS_WAY
    return ReceiptItem(
        target=desired.target,
        words=_words(desired.target, desired.recipient, desired.value),
        wanted=desired.value,
        on_platform=desired.delivered_value,
        state=state,
        since=desired.since,
        delivered_at=stored.delivered_at,
    )


def _words(target: Target, recipient: Recipient, value: Value) -> str:
    return f"{target_words(target, recipient)}: {value_words(value)}"


def _in_order(items: Sequence[ReceiptItem]) -> list[ReceiptItem]:
    order = list(ReceiptState)
    return sorted(items, key=lambda item: (order.index(item.state), item.target))
