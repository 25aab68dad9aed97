"""What every store can do with what the platform says by itself, and how its rows are read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import orjson

from pointsman.domain.desired_state import Desired
from pointsman.domain.platform_events import FactSource, KnownFact, PlatformEvent, PlatformFact
from pointsman.domain.targets import ReadBackPlace, Recipient, Target, TargetKind
from pointsman.store.confirmation_plan import ConfirmationPlan, Facts
from pointsman.store.confirmation_records import (
    CompletionState,
    FeedPage,
    FeedPlace,
    PlaceFacts,
    TakenEvent,
)

#: behind which completion a page begins
Cursor = tuple[str, str, str]
FIRST: Cursor = ("", "", "")


class ConfirmationStore(Protocol):
    """What the platform says of learners' courses and paths, and how far its feeds are read."""

    async def confirm(
        self,
        events: Sequence[PlatformEvent],
        *,
        now: int,
        shown_only: Collection[str] = (),
        page: FeedPage | None = None,
    ) -> list[TakenEvent]:
        """Learn these events, in order; what became of each, after the commit.

        Of learners and places of which nothing was ever wanted, nothing is stored. `shown_only`
        are the rules whose state takes over nothing. `page` is stored in the same transaction.
        """
        ...

    async def facts_of(self, learner: str) -> list[PlaceFacts]:
        """All that the platform said of a learner, by place."""
        ...

    async def completions(self, *, after: Cursor, limit: int) -> list[CompletionState]:
        """Completed courses, and paths of which the platform said something, behind `after`."""
        ...

    async def feeds(self) -> dict[str, FeedPlace]:
        """How far each feed is read."""
        ...

    async def save_feed(self, name: str, place: FeedPlace) -> None: ...

    async def drop_feed(self, name: str) -> None: ...


def new_plan(
    states: Sequence[tuple[Desired, int | None]],
    facts: Sequence[Mapping[str, Any]],
    now: int,
    shown_only: Collection[str],
) -> ConfirmationPlan:
    """A plan that knows this state, when it was delivered, and these rows of facts."""
    by_place: dict[tuple[str, str], list[Desired]] = {}
    for state, _ in states:
        by_place.setdefault((str(state.recipient), str(state.read_back)), []).append(state)
    known: dict[tuple[str, str], Facts] = {}
    for row in facts:
        fact = fact_of_row(row)
        known.setdefault((row["learner"], row["place"]), {})[fact.key] = fact
    delivered_at = {(state.recipient, state.target): at for state, at in states}
    return ConfirmationPlan(by_place, known, now, shown_only, delivered_at)


def fact_of_row(row: Mapping[str, Any]) -> KnownFact:
    names = ("fact", "at", "source", "seen_at", "value", "topic")
    return _fact(*(row[name] for name in names))


def fact_rows(plan: ConfirmationPlan) -> list[tuple[Any, ...]]:
    """In the order of the table's columns."""
    return [
        (
            learner,
            place,
            known.fact.value,
            known.topic,
            known.at,
            known.source.value,
            known.seen_at,
            known.value,
        )
        for (learner, place, _), known in plan.learned.items()
    ]


def by_place(rows: Sequence[Mapping[str, Any]]) -> list[PlaceFacts]:
    """One learner's rows."""
    facts: dict[str, list[KnownFact]] = {}
    for row in rows:
        facts.setdefault(row["place"], []).append(fact_of_row(row))
    return [
        PlaceFacts(ReadBackPlace.from_text(place), tuple(facts[place])) for place in sorted(facts)
    ]


def completion_of_row(row: Mapping[str, Any]) -> CompletionState:
    return CompletionState(
        learner=row["learner"],
        place=ReadBackPlace.from_text(row["place"]),
        target=Target(TargetKind(row["kind"]), row["key"]),
        rule=row["rule"],
        is_completed=bool(row["is_completed"]),
        finished_at=row["finished_at"],
        occurred_at=row["occurred_at"],
        delivered_at=row["delivered_at"],
        parked=row["parked"],
        audit=row["audit"],
        audited_at=row["audited_at"],
        facts=tuple(_fact(*values) for values in orjson.loads(row["facts"])),
    )


def cursor_of(state: CompletionState) -> Cursor:
    """Where the page behind this one begins."""
    recipient = Recipient.learner(state.learner)
    return str(recipient), state.target.kind.value, state.target.key


def _fact(fact: str, at: int, source: str, seen_at: int, value: str, topic: str) -> KnownFact:
    return KnownFact(PlatformFact(fact), at, FactSource(source), seen_at, value, topic)
