"""Names an agent or group by one text for each inverse functional identifier.

xAPI Part 2 section 2.4.2.3. Two agents are the same where these texts are. A mailbox is compared in
lower case, as people are mapped to learners; an anonymous group is nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from pointsman.domain.records import Actor
from pointsman.statements.actors import (
    GROUPS,
    AgentByAccount,
    AgentByMbox,
    AgentByOpenid,
    AgentBySha1,
    AnonymousGroup,
    GroupByAccount,
    GroupByMbox,
    GroupByOpenid,
    GroupBySha1,
    ObjectAgentByAccount,
    ObjectAgentByMbox,
    ObjectAgentByOpenid,
    ObjectAgentBySha1,
    ThreeLeggedOAuth,
)

#: people whose statements come now
_LATEST_PERSONS = 16_384


def account_identity(home_page: str, name: str) -> str:
    # An IRI holds no space, so the two can't be taken for others.
    return f"account {home_page} {name}"


def _mbox(actor: Any) -> str:
    return f"mbox {actor.mbox.lower()}"


def _account(actor: Any) -> str:
    return account_identity(actor.account.home_page, actor.account.name)


def _sha1(actor: Any) -> str:
    return f"mbox_sha1sum {actor.mbox_sha1sum.lower()}"


def _openid(actor: Any) -> str:
    return f"openid {actor.openid}"


#: by the very class: asking whether it is one of many takes pydantic long
_IDENTITIES: dict[type[BaseModel], Callable[[Any], str]] = {
    **dict.fromkeys((AgentByMbox, GroupByMbox, ObjectAgentByMbox), _mbox),
    **dict.fromkeys((AgentByAccount, GroupByAccount, ObjectAgentByAccount), _account),
    **dict.fromkeys((AgentBySha1, GroupBySha1, ObjectAgentBySha1), _sha1),
    **dict.fromkeys((AgentByOpenid, GroupByOpenid, ObjectAgentByOpenid), _openid),
}
_NOBODY = frozenset({AnonymousGroup, ThreeLeggedOAuth})
_WITH_MEMBERS = frozenset({*GROUPS, *_NOBODY})
ACTORS = frozenset({*_IDENTITIES, *_NOBODY})


@lru_cache(_LATEST_PERSONS)
def _by_mailbox(mailbox: str) -> Actor:
    """The very same record for each statement, which is then found quickly where it is known."""
    return Actor("mbox", mailbox)


_PERSONS: dict[type[BaseModel], Callable[[Any], Actor]] = {
    AgentByMbox: lambda agent: _by_mailbox(agent.mbox),
    AgentByAccount: lambda agent: Actor("account", agent.account.name, agent.account.home_page),
    AgentBySha1: lambda agent: Actor("mbox_sha1sum", agent.mbox_sha1sum.lower()),
    AgentByOpenid: lambda agent: Actor("openid", agent.openid),
}


def identity(actor: BaseModel) -> str:
    """Of an actor itself; an empty text for one who has none."""
    write = _IDENTITIES.get(type(actor))
    return "" if write is None else write(actor)


def identity_of(actor: Actor) -> str:
    """The same text, of a person that is known already."""
    match actor.kind:
        case "account":
            return account_identity(actor.home_page, actor.value)
        case "mbox" | "mbox_sha1sum":
            return f"{actor.kind} {actor.value.lower()}"
        case _:
            return f"{actor.kind} {actor.value}"


def identities(actor: BaseModel) -> list[str]:
    """Its own, and those of a group's members."""
    own = identity(actor)
    named = [own] if own else []
    if type(actor) in _WITH_MEMBERS:
        named += map(identity, getattr(actor, "member", None) or ())
    return named


def actor_of(actor: BaseModel) -> Actor | None:
    """The one person that an actor is; None for a group."""
    person = _PERSONS.get(type(actor))
    return None if person is None else person(actor)
