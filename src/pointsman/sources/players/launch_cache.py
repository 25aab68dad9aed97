"""Launches as the store keeps them, remembered for a while.

An input finds its launch by its registration. Looking is done once for many inputs, before the
first of them is decided about; `get` then only remembers.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from pointsman.domain.clock import Clock, micros
from pointsman.domain.launch import Launch, launch_from_json, launch_to_json
from pointsman.store.base import Document, DocumentKey

T = TypeVar("T")

#: seconds that an answer of the store is good for; a launch that is ended is known to every replica
#: by then
_GOOD_FOR = 30.0
_MOST = 50_000
_REGISTRATION = re.compile(
    rb'"registration"\s*:\s*"([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"'
)


class LaunchStore(Protocol):
    """The store, as launches see it."""

    async def named_documents(self, resource: Any, names: Sequence[str]) -> dict[str, Document]: ...

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T: ...


class LaunchCache:
    """Reads and keeps launches. Every method but `get` raises `StoreUnavailable`."""

    def __init__(self, store: LaunchStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        #: by registration: until when the answer is good, and the answer
        self._known: OrderedDict[str, tuple[float, Launch | None]] = OrderedDict()

    def get(self, registration: str | None) -> Launch | None:
        """The launch, where `prepare` or `find` has asked for it."""
        return None if registration is None else self._known.get(registration, (0.0, None))[1]

    async def prepare(self, bodies: Iterable[bytes]) -> None:
        """Know the launches of all registrations that these bodies name."""
        await self._ask(_registrations(bodies))

    def named(self, bodies: Iterable[bytes]) -> list[Launch]:
        """The launches that these bodies name, where `prepare` or `find` has asked for them."""
        found = (self.get(one) for one in sorted(_registrations(bodies)))
        return [launch for launch in found if launch is not None]

    async def find(self, registration: str, *, session: str | None = None) -> Launch | None:
        """The launch; with a `session` that it is not known to have, as the store has it now."""
        await self._ask({registration})
        launch = self.get(registration)
        if session is not None and launch is not None and launch.session != session:
            await self._ask({registration}, anew=True)
        return self.get(registration)

    async def save(self, launch: Launch) -> Launch | None:
        """Keep it; the other launch where one of this registration is somebody else's."""

        def decide(old: Document | None) -> tuple[Document | None, Launch | None]:
            known = launch_from_json(old.content) if old is not None else None
            if known is not None and not _is_same(known, launch):
                return old, known
            now = micros(self._clock.now())
            return Document("application/json", launch_to_json(launch), "", now), None

        other = await self._store.change_document(_key(launch.registration), decide)
        if other is None:
            self._remember(launch.registration, launch)
        return other

    async def _ask(self, registrations: set[str], *, anew: bool = False) -> None:
        now = self._clock.monotonic()
        unknown = [
            one for one in registrations if anew or self._known.get(one, (0.0, None))[0] <= now
        ]
        if not unknown:
            return
        found = await self._store.named_documents("launch", unknown)
        for one in unknown:
            self._remember(one, launch_from_json(found[one].content) if one in found else None)

    def _remember(self, registration: str, launch: Launch | None) -> None:
        self._known[registration] = (self._clock.monotonic() + _GOOD_FOR, launch)
        self._known.move_to_end(registration)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)


def _registrations(bodies: Iterable[bytes]) -> set[str]:
    return {found.decode().lower() for body in bodies for found in _REGISTRATION.findall(body)}


def _key(registration: str) -> DocumentKey:
    return DocumentKey("launch", name=registration)


def _is_same(one: Launch, other: Launch) -> bool:
    return (one.learner, one.activity, one.kind) == (other.learner, other.activity, other.kind)
