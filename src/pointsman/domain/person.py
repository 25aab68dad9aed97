"""A person: one learner, under all the names and identifiers that are known of them."""

from __future__ import annotations

from dataclasses import dataclass

from pointsman.domain.records import Actor


@dataclass(frozen=True, slots=True)
class Person:
    """One learner. What is shared with others is no identifier."""

    #: the platform's learner, as desired state and tokens name them
    learner: str
    #: identifiers that statements name them by (xAPI Part 2 section 2.4.2.3); mailboxes as written
    actors: frozenset[Actor] = frozenset()
    #: what players show; others may have the same name
    names: frozenset[str] = frozenset()
    #: of their launches
    registrations: frozenset[str] = frozenset()
    #: (registration, actor) of launches whose actor other learners were launched as, too
    shared: frozenset[tuple[str, Actor]] = frozenset()
