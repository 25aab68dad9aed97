"""Decides which statements match a query, and makes the keys of the index (Part 3 section 2.1.3).

An index has a statement under every agent, activity, verb and registration in it, whatever their
part. So it gives candidates; `matches` decides. Keys are 64-bit hashes: an index of numbers is
small, and a collision costs a candidate, not a wrong answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import attrgetter

from pointsman.statements.activities import Activity
from pointsman.statements.actor_identity import ACTORS, account_identity, identities
from pointsman.statements.statement import Context, Statement, StatementRef, SubStatement


@dataclass(frozen=True, slots=True)
class Query:
    """The filters; `agent` is an `identity`, `registration` in lower case."""

    agent: str | None = None
    verb: str | None = None
    activity: str | None = None
    registration: str | None = None
    related_activities: bool = False
    related_agents: bool = False

    def keys(self) -> tuple[int, ...]:
        """What each match is indexed under, the rarest first."""
        named = (
            ("registration", self.registration),
            ("agent", self.agent),
            ("activity", self.activity),
            ("verb", self.verb),
        )
        return tuple(key(kind, value) for kind, value in named if value is not None)


def key(kind: str, value: str) -> int:
    """A signed 64-bit hash."""
    return _KEYS[kind](value)


def _hash(kind: str, value: str) -> int:
    content = f"{kind} {value}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big", signed=True)


#: what statements name comes again and again; one text is found faster than a kind and a text
_KEYS = {
    kind: lru_cache(maxsize=16_384)(partial(_hash, kind))
    for kind in ("verb", "registration", "agent", "activity")
}
_verb_key, _registration_key, _agent_key, _activity_key = _KEYS.values()


def authority_key(home_page: str, source: str) -> int:
    """Of the authority of all that a source sends."""
    return key("agent", account_identity(home_page, source))


def index_keys(statement: Statement) -> list[int]:
    """What a statement is found by, its authority aside; some may come twice."""
    keys = [_verb_key(statement.verb.id)]
    context = statement.context
    if context is not None and context.registration is not None:
        keys.append(_registration_key(context.registration.lower()))
    for part in _parts(statement):
        keys += map(_agent_key, _agents(part, related=True))
        keys += map(_activity_key, _activities(part, related=True))
    return keys


def referenced_statement(statement: Statement) -> str | None:
    """The id of the statement that this one is about."""
    target = statement.object
    return target.id.lower() if type(target) is StatementRef else None


def matches(query: Query, statement: Statement, authority: str) -> bool:
    """Whether the statement itself fits; `authority` is the identity of who vouches for it."""
    if query.verb is not None and statement.verb.id != query.verb:
        return False
    if query.registration is not None and not _is_of(statement.context, query.registration):
        return False
    if query.agent is not None:
        parts = _parts(statement) if query.related_agents else (statement,)
        is_related = any(
            query.agent in _agents(part, related=query.related_agents) for part in parts
        )
        if not is_related and not (query.related_agents and query.agent == authority):
            return False
    if query.activity is not None:
        related = query.related_activities
        parts = _parts(statement) if related else (statement,)
        return any(query.activity in _activities(part, related=related) for part in parts)
    return True


def _is_of(context: Context | None, registration: str) -> bool:
    return (
        context is not None
        and context.registration is not None
        and context.registration.lower() == registration
    )


def _parts(statement: Statement) -> tuple[Statement | SubStatement, ...]:
    inner = statement.object
    return (statement, inner) if type(inner) is SubStatement else (statement,)


def _agents(part: Statement | SubStatement, *, related: bool) -> list[str]:
    agents = identities(part.actor)
    if type(part.object) in ACTORS:
        agents += identities(part.object)
    context = part.context
    if not related or context is None:
        return agents
    for actor in (context.instructor, context.team):
        if actor is not None:
            agents += identities(actor)
    for agent in context.context_agents or ():
        agents += identities(agent.agent)
    for group in context.context_groups or ():
        agents += identities(group.group)
    return agents


_id_of: Callable[[Activity], str] = attrgetter("id")


def _activities(part: Statement | SubStatement, *, related: bool) -> list[str]:
    ids = [part.object.id] if type(part.object) is Activity else []
    context = part.context
    if not related or context is None or context.context_activities is None:
        return ids
    related_activities = context.context_activities
    for activities in (
        related_activities.parent,
        related_activities.grouping,
        related_activities.category,
        related_activities.other,
    ):
        if isinstance(activities, list):
            ids += map(_id_of, activities)
        elif activities is not None:
            ids.append(activities.id)
    return ids
