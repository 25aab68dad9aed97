"""Shows completions by place and source, and what each source cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pointsman.cli.output import PlainTable
from pointsman.cli.times import iso_time
from pointsman.domain.platform_events import FactSource
from pointsman.store.completion_tally import PlaceTally
from pointsman.store.confirmation import Confirmation
from pointsman.store.confirmation_records import FeedPlace


def completions_table(places: Sequence[PlaceTally]) -> PlainTable:
    """A row for each course and path."""
    table = PlainTable(
        "completions of",
        "all",
        *(f"by {source.value}" for source in FactSource),
        "not yet",
        "unconfirmed",
        "contradicted",
        "certificates",
        "within 5 min",
    )
    for place in places:
        counts = (
            place.completions,
            *(place.by[source] for source in FactSource),
            place.states[Confirmation.WAITING] + place.states[Confirmation.UNDELIVERED],
            place.states[Confirmation.UNCONFIRMED],
            place.states[Confirmation.CONTRADICTED],
            place.certificates,
        )
        share = f"{place.in_time / place.judged:.1%}" if place.judged else ""
        table.add_row(str(place.place), *(f"{count:,}" for count in counts), share)
    return table


def completions_json(place: PlaceTally) -> dict[str, object]:
    return {
        "place": str(place.place),
        "completions": place.completions,
        "by": {source.value: place.by[source] for source in FactSource},
        "states": {state.value: place.states[state] for state in Confirmation},
        "certificates": place.certificates,
        "inTime": place.in_time,
        "judged": place.judged,
    }


def cost_lines(feeds: Mapping[str, FeedPlace]) -> Iterator[str]:
    """What asking cost so far. A webhook is sent to us, and costs nothing."""
    for name, place in feeds.items():
        if name == FactSource.AUDIT:
            yield f"The audit took {place.requests:,} requests and {place.points:,} points."
        elif " " not in name:
            until = f", read until {iso_time(place.read_until)}" if place.read_until else ""
            yield f"The feed of {name} took {place.requests:,} requests and no points{until}."


def cost_json(feeds: Mapping[str, FeedPlace]) -> dict[str, object]:
    return {
        name: {"requests": place.requests, "points": place.points} for name, place in feeds.items()
    }
