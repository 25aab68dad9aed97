"""Takes events of the platform to the store, and tells what became of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pointsman.domain.clock import Clock, micros
from pointsman.domain.platform_events import FactSource, PlatformEvent
from pointsman.store.confirmation_records import FeedPage, FeedPlace, TakenEvent
from pointsman.store.confirmation_store import ConfirmationStore

#: keeps an input that was not understood: source, body, reason, origin
KeepDeadLetter = Callable[[str, bytes, str, str], Awaitable[None]]


class RefusedEvent(StrEnum):
    """Why a webhook is turned away; a label of metrics."""

    #: it shows no signature
    UNSIGNED = "unsigned"
    #: no known secret made its signature
    FORGED = "forged"
    #: it is older than `tolerance_seconds`
    OLD = "old"
    #: its sender tried too many signatures
    SLOWED = "slowed"


@dataclass(frozen=True, slots=True)
class ConfirmationHooks:
    """What is told of events.

    - taken: of which [[confirmations]], and what became of each
    - ignored, dead: of which, by what; events that say nothing here, and that make no sense
    - refused: of which, and why
    - feed_read: of which, requests since it was told last, and how far it is read (microseconds)
    """

    taken: Callable[[str, Sequence[TakenEvent]], None] = lambda *_: None
    ignored: Callable[[str, FactSource], None] = lambda *_: None
    dead: Callable[[str, FactSource], None] = lambda *_: None
    refused: Callable[[str, RefusedEvent], None] = lambda *_: None
    feed_read: Callable[[str, int, FeedPlace], None] = lambda *_: None


class ConfirmationIntake:
    """`shown_only` are the rules whose state takes over nothing from the platform."""

    def __init__(
        self,
        store: ConfirmationStore,
        clock: Clock,
        keep_dead_letter: KeepDeadLetter,
        shown_only: frozenset[str],
        hooks: ConfirmationHooks,
    ) -> None:
        self._store = store
        self._clock = clock
        self._keep_dead_letter = keep_dead_letter
        self._shown_only = shown_only
        self.hooks = hooks

    def reconfigure(self, shown_only: frozenset[str]) -> None:
        """Other rules from now on."""
        self._shown_only = shown_only

    async def take(
        self, name: str, events: Sequence[PlatformEvent], page: FeedPage | None = None
    ) -> None:
        """Learn these events; returns after the commit. Raises `StoreUnavailable`."""
        if not events and page is None:
            return
        taken = await self._store.confirm(
            events, now=micros(self._clock.now()), shown_only=self._shown_only, page=page
        )
        self.hooks.taken(name, taken)

    async def keep(
        self, name: str, source: FactSource, body: bytes, reason: str, origin: str
    ) -> None:
        """Keep an event that makes no sense as a dead letter. Raises `StoreUnavailable`."""
        await self._keep_dead_letter(name, body, reason, origin)
        self.hooks.dead(name, source)
