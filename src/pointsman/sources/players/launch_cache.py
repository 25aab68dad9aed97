"""Reads and saves launches, and remembers for a while what the store answered.

An input finds its launch by its registration. The store is asked once for many inputs, before the
first of them is decided about; `get` asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol, TypeVar

import orjson
from cachetools import LRUCache

from pointsman.domain.clock import Clock, micros
from pointsman.domain.launch import (
    Launch,
    PlayerKind,
    Revoked,
    covers,
    launch_from_json,
    launch_to_json,
    same_actor,
)
from pointsman.domain.records import Observation
from pointsman.sources.players.grouped_reads import GroupedReads
from pointsman.sources.players.revocations import (
    REVOCATION,
    revocation_names,
    revoked_in,
)
from pointsman.store.base import Document, DocumentKey, DocumentResource

T = TypeVar("T")

#: seconds that an answer of the store is good for; a launch that is ended is known to every replica
#: by then
_GOOD_FOR = 30.0
_MOST_ANSWERS = 50_000
#: also of JSON that is written as a text, whose quotation marks have a backslash in front
_REGISTRATION = re.compile(
    rb'"registration\\?"\s*:\s*\\?"([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\\?"'
)


class LaunchStore(Protocol):
    """The store, as launches see it."""

    async def named_documents(
        self, resources: Sequence[DocumentResource], names: Sequence[str]
    ) -> dict[tuple[DocumentResource, str], Document]: ...

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T: ...


@dataclass(slots=True)
class _Answer:
    """What the store said of a registration, and until when it is not asked again.

    Not a cache of its own expiry: between `prepare` and `get` an answer must not go. `content` is
    what the launch was read from, where it was.
    """

    good_until: float
    launch: Launch | None
    content: bytes | None


class LaunchCache:
    """Reads and saves launches. Every method but `get` raises `StoreUnavailable`."""

    def __init__(self, store: LaunchStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        # large inputs ask from threads of their own, and asking changes the order
        self._lock = Lock()
        self._documents = GroupedReads(
            lambda names: store.named_documents(("launch", REVOCATION), names)
        )
        #: by registration
        self._answers: LRUCache[str, _Answer] = LRUCache(_MOST_ANSWERS)
        #: whether any of the answers was the launch of a cmi5 player
        self.is_any_cmi5 = False

    def get(self, registration: str | None) -> Launch | None:
        """The launch, where `prepare` or `find` has asked for it."""
        answer = self._answer(registration) if registration is not None else None
        return None if answer is None else answer.launch

    def speaking(self, seen: Observation) -> Launch | None:
        """The launch of an observation's registration, where it is what that may speak of."""
        launch = self.get(seen.registration)
        if launch is None or not same_actor(seen.actor, launch.actor):
            return None
        return launch if covers(launch, seen.activity) else None

    async def prepare(self, bodies: Iterable[bytes]) -> None:
        """Know the launches of all registrations that these bodies name."""
        await self._ask(_registrations(bodies))

    async def prepare_registrations(self, registrations: Iterable[str]) -> None:
        """Know these launches; registrations in lower case."""
        await self._ask(set(registrations))

    def named_cmi5(self, bodies: Iterable[bytes]) -> list[Launch]:
        """The launches of cmi5 players that these bodies name, where they were asked for before."""
        if not self.is_any_cmi5:
            return []
        launches = (self.get(registration) for registration in sorted(_registrations(bodies)))
        return [launch for launch in launches if launch and launch.kind is PlayerKind.CMI5]

    async def find(self, registration: str) -> Launch | None:
        """The launch, where the store has it."""
        await self._ask({registration})
        return self.get(registration)

    async def newest(self, registration: str, learner: str) -> tuple[Launch | None, Revoked]:
        """The launch, and what was revoked of it and its learner, as the store has both now.

        Nothing of it is remembered from before, so that a launch that is revoked opens nothing
        from then on, whichever replica is asked.
        """
        names = [registration, *revocation_names(registration, learner)]
        documents = await self._documents.read(names)
        launch = self._take(registration, documents.get(("launch", registration)))
        return launch, revoked_in(documents, registration, learner)

    async def save(self, launch: Launch) -> Launch | None:
        """Save it; the other launch where one of this registration is somebody else's."""

        def decide(old: Document | None) -> tuple[Document | None, Launch | None]:
            saved = launch_from_json(old.content) if old is not None else None
            if saved is not None and not _is_same(saved, launch):
                return old, saved
            now = micros(self._clock.now())
            return Document("application/json", launch_to_json(launch), "", now), None

        other = await self._store.change_document(_key(launch.registration), decide)
        if other is None:
            self._remember(launch.registration, launch)
        return other

    async def describe(self, activity: str, definition: dict[str, Any]) -> None:
        """Say what an activity is, for everybody; the newest launch that does so is right."""
        content = orjson.dumps(definition)

        def decide(old: Document | None) -> tuple[Document | None, None]:
            if old is not None and old.content == content:
                return old, None
            return Document("application/json", content, "", micros(self._clock.now())), None

        await self._store.change_document(DocumentKey("activity", activity), decide)

    async def _ask(self, registrations: set[str]) -> None:
        if not registrations:
            return
        now = self._clock.monotonic()
        with self._lock:
            answers = [(name, self._answers.get(name)) for name in registrations]
        unknown = [name for name, answer in answers if answer is None or now >= answer.good_until]
        if not unknown:
            return
        documents = await self._documents.read(unknown)
        for name in unknown:
            self._take(name, documents.get(("launch", name)))

    def _take(self, registration: str, document: Document | None) -> Launch | None:
        """The launch that the store answers; what it answered before is not read again."""
        if document is None:
            self._remember(registration, None)
            return None
        answer = self._answer(registration)
        if answer is not None and answer.content == document.content:
            answer.good_until = self._clock.monotonic() + _GOOD_FOR
            return answer.launch
        launch = launch_from_json(document.content)
        self._remember(registration, launch, document.content)
        return launch

    def _remember(
        self, registration: str, launch: Launch | None, content: bytes | None = None
    ) -> None:
        good_until = self._clock.monotonic() + _GOOD_FOR
        if launch is not None and launch.kind is PlayerKind.CMI5:
            self.is_any_cmi5 = True
        with self._lock:
            self._answers[registration] = _Answer(good_until, launch, content)

    def _answer(self, registration: str) -> _Answer | None:
        with self._lock:
            return self._answers.get(registration)


def _registrations(bodies: Iterable[bytes]) -> set[str]:
    return {name.decode().lower() for body in bodies for name in _REGISTRATION.findall(body)}


def _key(registration: str) -> DocumentKey:
    return DocumentKey("launch", name=registration)


def _is_same(launch: Launch, saved: Launch) -> bool:
    return (launch.learner, launch.activity, launch.kind) == (
        saved.learner,
        saved.activity,
        saved.kind,
    )
