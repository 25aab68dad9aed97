"""Finds under which names and identifiers the store knows a person."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from pointsman.domain.launch import Launch, launch_from_json
from pointsman.domain.person import Person
from pointsman.domain.records import Actor
from pointsman.domain.targets import Recipient
from pointsman.privacy.identity_rules import IdentityRules, actor_of_json, sha1_of
from pointsman.privacy.person_matcher import PersonMatcher
from pointsman.store.base import PersonalDataStore

#: how often what was found leads to more: a spelling to its SHA-1, a launch to an account
_MOST_ROUNDS = 4


async def find_person(store: PersonalDataStore, text: str, rules: IdentityRules) -> Person:
    """The person that an operator means by an address, an account, or another identifier.

    Reads all statements. Raises `StoreUnavailable`.
    """
    learner = rules.learner(text)
    person = Person(learner, frozenset(rules.actors_of(learner)))
    launches = await _launches(store)
    for _ in range(_MOST_ROUNDS):
        before = person
        person = _with_launches(person, launches, rules)
        person = await _with_statements(store, person, rules)
        if person == before:
            break
    return person


async def _launches(store: PersonalDataStore) -> list[Launch]:
    rows = await store.rows_where("documents", "resource", ["launch"])
    return [launch_from_json(bytes(row["content"])) for row in rows]


def _with_launches(person: Person, launches: list[Launch], rules: IdentityRules) -> Person:
    """With the actors that launches of this learner were known as.

    An actor that another learner was launched as, or that is another learner by itself, is this
    person within their registrations alone.
    """
    matcher = PersonMatcher(person, rules, "")
    learners_of: defaultdict[Actor, set[str]] = defaultdict(set)
    for launch in launches:
        learners_of[launch.actor].add(rules.learner(launch.learner))
    actors, shared = set(person.actors), set(person.shared)
    names, registrations = set(person.names), set(person.registrations)
    for launch in launches:
        learner = rules.learner(launch.learner)
        if learner not in matcher.learners:
            continue
        registrations.add(launch.registration)
        names.update(filter(None, [launch.name]))
        if matcher.is_theirs(launch.actor):
            actors.add(launch.actor)
        elif len(learners_of[launch.actor]) > 1 or _is_a_learner(launch.actor, rules):
            shared.add((launch.registration, launch.actor))
        else:
            actors.add(launch.actor)
    return replace(
        person,
        actors=frozenset(actors),
        names=frozenset(names),
        registrations=frozenset(registrations),
        shared=frozenset(shared),
    )


def _is_a_learner(actor: Actor, rules: IdentityRules) -> bool:
    """Whether the rules make a learner of it by themselves, who may be another one."""
    unmapped = Recipient.learner(f"{actor.home_page}|{actor.value}").id
    return actor.kind == "mbox" or (
        actor.kind == "account" and rules.resolver.resolve(actor) != unmapped
    )


async def _with_statements(
    store: PersonalDataStore, person: Person, rules: IdentityRules
) -> Person:
    """With the spellings of their identifiers, and their names, in statements."""
    matcher = PersonMatcher(person, rules, "")
    actors, names = set(person.actors), set(person.names)

    def look(_block: int, bodies: bytes) -> None:
        if not matcher.may_name(bodies):
            return
        for body in bodies_in(bodies):
            for agent in agents_in(body):
                if not matcher.is_agent(agent):
                    continue
                actor = actor_of_json(agent)
                if actor is not None:
                    actors.add(actor)
                    if actor.kind == "mbox":
                        actors.add(sha1_of(actor.value))
                if isinstance(name := agent.get("name"), str) and name.strip():
                    names.add(name.strip())

    await store.scan_blocks(look)
    return replace(person, actors=frozenset(actors), names=frozenset(names))


def bodies_in(bodies: bytes) -> Iterator[Any]:
    """The JSON texts of a commit, which stand one after the other."""
    try:
        yield orjson.loads(bodies)
    except orjson.JSONDecodeError:
        text, at = bodies.decode("utf-8", "replace"), 0
        decoder = json.JSONDecoder()
        while at < len(text):
            if text[at].isspace():
                at += 1
                continue
            content, at = decoder.raw_decode(text, at)
            yield content


def agents_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in it that has an identifier, wherever it stands."""
    if isinstance(value, list):
        for item in value:
            yield from agents_in(item)
    elif isinstance(value, dict):
        if actor_of_json(value) is not None:
            yield value
        for inner in value.values():
            yield from agents_in(inner)
