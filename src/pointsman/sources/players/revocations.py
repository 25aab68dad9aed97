"""Revokes launches: of one registration, or of one learner, at once and on every replica.

A revocation is a document with a number that only grows. A credential says which numbers were there
when it was issued, and opens nothing once there is a higher one. So no clock has to agree with
another, and a launch that is asked for after the revocation is good.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Protocol, TypeVar

from pointsman.domain.clock import Clock, micros
from pointsman.domain.launch import Launch, Revoked, launch_from_json
from pointsman.store.base import Document, DocumentKey, DocumentResource, Row

T = TypeVar("T")

REVOCATION: Literal["revocation"] = "revocation"


class RevocationStore(Protocol):
    """The store, as revocations see it."""

    async def document(self, key: DocumentKey) -> Document | None: ...

    async def scan_rows(self, table: str, take: Callable[[Row], None]) -> None: ...

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T: ...


async def revoke_registration(store: RevocationStore, registration: str, clock: Clock) -> None:
    """No credential of a launch of this registration opens anything from now on.

    Raises `StoreUnavailable`.
    """
    await _revoke(store, registration.lower(), clock)


async def revoke_learner(store: RevocationStore, learner: str, clock: Clock) -> None:
    """The same for every launch of this learner, in whatever case the name is written."""
    await _revoke(store, _of_learner(learner), clock)


async def is_revoked(store: RevocationStore, launch: Launch) -> bool:
    """Whether its credentials open nothing any longer. Raises `StoreUnavailable`."""
    documents: dict[tuple[DocumentResource, str], Document] = {}
    for name in revocation_names(launch.registration, launch.learner):
        document = await store.document(DocumentKey(REVOCATION, name=name))
        if document is not None:
            documents[REVOCATION, name] = document
    return revoked_in(documents, launch.registration, launch.learner).is_after(launch.revoked)


async def launches_of(store: RevocationStore, learner: str) -> list[Launch]:
    """All launches of a learner that are stored, ended ones too; it looks through all documents."""
    launches: list[Launch] = []

    def take(row: Row) -> None:
        if row["resource"] == "launch":
            launch = launch_from_json(bytes(row["content"]))
            if launch.learner.lower() == learner.lower():
                launches.append(launch)

    await store.scan_rows("documents", take)
    return launches


def revocation_names(registration: str, learner: str) -> tuple[str, str]:
    """The names of the documents that speak of such a launch."""
    return registration, _of_learner(learner)


def revoked_in(
    documents: Mapping[tuple[DocumentResource, str], Document], registration: str, learner: str
) -> Revoked:
    """What these documents say of such a launch."""
    numbers = [
        0 if document is None else int(document.content)
        for document in (
            documents.get((REVOCATION, name)) for name in revocation_names(registration, learner)
        )
    ]
    return Revoked(*numbers)


async def _revoke(store: RevocationStore, name: str, clock: Clock) -> None:
    now = micros(clock.now())

    def decide(old: Document | None) -> tuple[Document | None, None]:
        # the time, so that it is higher than one that was forgotten meanwhile
        number = now if old is None else max(now, int(old.content) + 1)
        return Document("text/plain", str(number).encode(), "", now), None

    await store.change_document(DocumentKey(REVOCATION, name=name), decide)


def _of_learner(learner: str) -> str:
    # no registration holds a space
    return f"learner {learner.lower()}"
