"""Names an agent or group by one text for each inverse functional identifier.

xAPI Part 2 section 2.4.2.3. Two agents are the same where these texts are. A mailbox is compared in
lower case, as people are mapped to learners; an anonymous group is nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

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

_BY_MBOX = (AgentByMbox, GroupByMbox, ObjectAgentByMbox)
_BY_ACCOUNT = (AgentByAccount, GroupByAccount, ObjectAgentByAccount)
_BY_SHA1 = (AgentBySha1, GroupBySha1, ObjectAgentBySha1)
_BY_OPENID = (AgentByOpenid, GroupByOpenid, ObjectAgentByOpenid)
_GROUPS = (GroupByMbox, GroupByAccount, GroupBySha1, GroupByOpenid)
_NOBODY = (AnonymousGroup, ThreeLeggedOAuth)
ACTORS = (*_BY_MBOX, *_BY_ACCOUNT, *_BY_SHA1, *_BY_OPENID, *_NOBODY)


def account_identity(home_page: str, name: str) -> str:
    # An IRI holds no space, so the two can't be taken for others.
    return f"account {home_page} {name}"


def identity(actor: BaseModel) -> str:
    """Of an actor itself; an empty text for one who has none."""
    if isinstance(actor, _BY_MBOX):
        return f"mbox {actor.mbox.lower()}"
    if isinstance(actor, _BY_ACCOUNT):
        return account_identity(actor.account.home_page, actor.account.name)
    if isinstance(actor, _BY_SHA1):
        return f"mbox_sha1sum {actor.mbox_sha1sum.lower()}"
    if isinstance(actor, _BY_OPENID):
        return f"openid {actor.openid}"
    return ""


def identity_of(actor: Actor) -> str:
    """The same text, of a person that is known already."""
    match actor.kind:
        case "account":
            return account_identity(actor.home_page, actor.value)
        case "mbox" | "mbox_sha1sum":
            return f"{actor.kind} {actor.value.lower()}"
        case _:
            return f"{actor.kind} {actor.value}"


def identities(actor: BaseModel) -> Iterator[str]:
    """Its own, and those of a group's members."""
    if own := identity(actor):
        yield own
    if isinstance(actor, _GROUPS + _NOBODY):
        for member in actor.member or ():
            yield identity(member)


def actor_of(actor: BaseModel) -> Actor | None:
    """The one person that an actor is; None for a group."""
    if isinstance(actor, GROUPS):
        return None
    if isinstance(actor, AgentByMbox):
        return Actor("mbox", actor.mbox)
    if isinstance(actor, AgentByAccount):
        return Actor("account", actor.account.name, actor.account.home_page)
    if isinstance(actor, AgentBySha1):
        return Actor("mbox_sha1sum", actor.mbox_sha1sum.lower())
    return Actor("openid", actor.openid) if isinstance(actor, AgentByOpenid) else None
