"""Hashes by which a refused person is known again: keyed, one for each identifier. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pointsman.domain.person import Person
from pointsman.domain.pseudonyms import Pseudonyms
from pointsman.domain.records import Actor
from pointsman.statements import identity_of


def hashes_of(person: Person, learners: Iterable[str], pseudonyms: Pseudonyms) -> list[str]:
    """Of all their identifiers, and of the learners that the rules make of them."""
    return sorted(
        {
            *(hash_of_learner(learner, pseudonyms) for learner in learners),
            *(hash_of_actor(actor, pseudonyms) for actor in person.actors),
        }
    )


def hash_of_learner(learner: str, pseudonyms: Pseudonyms) -> str:
    return pseudonyms.of(learner)


def hash_of_actor(actor: Actor, pseudonyms: Pseudonyms) -> str:
    return pseudonyms.of(f"actor {identity_of(actor)}")
