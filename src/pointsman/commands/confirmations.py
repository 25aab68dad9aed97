"""What the platform said of completions, and a span of its feed that is to be read again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from pointsman.commands.beside import CLOCK, with_store
from pointsman.config import Settings
from pointsman.domain.clock import micros
from pointsman.domain.errors import ConfigError
from pointsman.domain.operator_actions import OperatorAction
from pointsman.domain.targets import ReadBackPlace
from pointsman.operations import recorded
from pointsman.store.base import Store
from pointsman.store.completion_tally import Expectations, PlaceTally, Stuck, stuck, tally
from pointsman.store.confirmation_records import CompletionState, FeedPlace, Span
from pointsman.store.confirmation_store import FIRST, cursor_of

#: completions that are read at once
_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class ConfirmationReport:
    """By place, what is stuck (up to a limit), and what each source cost so far."""

    places: tuple[PlaceTally, ...]
    stuck: tuple[Stuck, ...]
    feeds: dict[str, FeedPlace]


def expectations(settings: Settings) -> Expectations:
    return Expectations(
        unconfirmed_after=micros(settings.audit.unconfirmed_after_minutes * 60),
        certificate_after=micros(settings.audit.certificate_after_hours * 3_600),
        with_certificate=frozenset(rule.name for rule in settings.rules if rule.certificate),
    )


async def confirmation_report(settings: Settings, *, limit: int) -> ConfirmationReport:
    """It looks through all completions."""

    async def use(store: Store) -> ConfirmationReport:
        now, expected = micros(CLOCK.now()), expectations(settings)
        places: dict[ReadBackPlace, PlaceTally] = {}
        found: list[Stuck] = []
        async for page in _pages(store):
            for place, part in tally(page, expected, now).items():
                _add(places.setdefault(place, PlaceTally(place)), part)
            late = (stuck(state, expected, now) for state in page)
            found += [one for one in late if one is not None][: max(0, limit - len(found))]
        order = sorted(places.values(), key=lambda one: one.place)
        return ConfirmationReport(tuple(order), tuple(found), await store.feeds())

    return await with_store(settings, use)


async def backfill_feed(settings: Settings, action: OperatorAction, name: str, span: Span) -> str:
    """Have the daemon read this span of a feed; the name under which it waits."""
    feeds = [entry.name for entry in settings.confirmations if entry.feed is not None]
    if name not in feeds:
        there = ", ".join(feeds) or "none"
        raise ConfigError(
            f"no [[confirmations]] with a feed has the name {name!r}; there is {there}"
        )
    place = f"{name} {span.since}-{span.until}"

    async def use(store: Store) -> str:
        await store.save_feed(place, FeedPlace(current=span))
        return place

    return await with_store(settings, recorded(action, use, lambda _name: "asked for"))


async def _pages(store: Store) -> AsyncIterator[list[CompletionState]]:
    after = FIRST
    while page := await store.completions(after=after, limit=_PAGE):
        yield page
        after = cursor_of(page[-1])


def _add(total: PlaceTally, part: PlaceTally) -> None:
    total.completions += part.completions
    total.states.update(part.states)
    total.by.update(part.by)
    total.certificates += part.certificates
    total.judged += part.judged
    total.in_time += part.in_time
