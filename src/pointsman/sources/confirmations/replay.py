"""Reads dead letters of the platform's events again, with the paths and meanings of now."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import InputRefused
from pointsman.sources.confirmations.event_reader import EventReader
from pointsman.store.base import Store, StoredDeadLetter

#: by the source and the origin of their dead letters
EventReaders = Mapping[tuple[str, str], EventReader]


async def replay_event(
    store: Store,
    clock: Clock,
    readers: EventReaders,
    shown_only: frozenset[str],
    letter: StoredDeadLetter,
    *,
    dry_run: bool = False,
) -> str | None:
    """What became of the letter, or would, in words; None where it is no event of the platform."""
    reader = readers.get((letter.source, letter.origin))
    if reader is None:
        return None
    try:
        event = reader.read(orjson.loads(letter.body))
    except (InputRefused, orjson.JSONDecodeError) as error:
        return f"still dead: {error}"
    words = "an event that says nothing here"
    if event is not None:
        words = event.fact.value.replace("_", " ")
    if dry_run:
        return f"would be {words}"
    if event is not None:
        now = micros(clock.now())
        (taken,) = await store.confirm([event], now=now, shown_only=shown_only)
        words = f"{words}: {taken.outcome.value.replace('_', ' ')}"
    await store.drop_dead_letters([letter.id])
    return words
