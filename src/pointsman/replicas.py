"""The replicas' own list in the store: which configuration each runs, and a wish to read it again.

One document, which every replica changes at its own entry. Functions over it are pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol, TypeVar

import orjson

from pointsman.store.document_records import Document, DocumentKey

T = TypeVar("T")

KEY = DocumentKey("replicas")
#: microseconds between two signs of life, and after which a replica without one is gone
SIGN_EVERY, GONE_AFTER = 5_000_000, 20_000_000


@dataclass(frozen=True, slots=True)
class Replica:
    """What one replica says of itself. Times in microseconds."""

    name: str
    #: of the configuration that it runs
    hash: str
    #: since when it runs that
    since: int
    seen_at: int
    #: the newest request that it has dealt with
    answered: str = ""
    #: why the file is not what it runs; "" when it is
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Replicas:
    """All of them by name, and the newest request to read the configuration again."""

    asked: str = ""
    of: Mapping[str, Replica] = field(default_factory=dict)

    def with_sign_of(self, replica: Replica) -> Replicas:
        """After its sign of life; those that are gone are dropped."""
        alive = {one.name: one for one in self.of.values() if is_alive(one, replica.seen_at)}
        return replace(self, of={**alive, replica.name: replica})

    def without(self, name: str) -> Replicas:
        return replace(self, of={key: one for key, one in self.of.items() if key != name})

    def alive(self, now: int) -> list[Replica]:
        """In the order of their names."""
        return sorted(
            (one for one in self.of.values() if is_alive(one, now)), key=lambda one: one.name
        )


class ReplicaStore(Protocol):
    """The store, as far as this list goes."""

    async def document(self, key: DocumentKey) -> Document | None: ...

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T: ...


def is_alive(replica: Replica, now: int) -> bool:
    return replica.seen_at > now - GONE_AFTER


async def read(store: ReplicaStore) -> Replicas:
    """Raises `StoreUnavailable`."""
    return _decoded(await store.document(KEY))


async def change(store: ReplicaStore, now: int, decide: Callable[[Replicas], Replicas]) -> Replicas:
    """The list of after. Raises `StoreUnavailable`."""

    def changed(old: Document | None) -> tuple[Document | None, Replicas]:
        replicas = decide(_decoded(old))
        return Document("", _encoded(replicas), "", now), replicas

    return await store.change_document(KEY, changed)


def _encoded(replicas: Replicas) -> bytes:
    return orjson.dumps(
        {"asked": replicas.asked, "of": [asdict(one) for one in replicas.of.values()]}
    )


def _decoded(document: Document | None) -> Replicas:
    if document is None:
        return Replicas()
    content = orjson.loads(document.content)
    return Replicas(content["asked"], {one["name"]: Replica(**one) for one in content["of"]})
