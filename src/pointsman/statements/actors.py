"""The models of agents and groups (xAPI Part 2 section 2.4.2).

One class for each inverse functional identifier, so that "exactly one" needs no code: the union
takes the one whose properties fit.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pointsman.statements.data_types import (
    NOT_NULL,
    Iri,
    JsonObject,
    Mailbox,
    OptionalText,
    Sha1,
    Text,
)


class Account(JsonObject):
    """Section 2.4.2.4."""

    home_page: Iri
    name: Text


class _Agent(JsonObject):
    object_type: Annotated[Literal["Agent"] | None, NOT_NULL] = None
    name: OptionalText = None


class AgentByMbox(_Agent):
    mbox: Mailbox


class AgentByAccount(_Agent):
    account: Account


class AgentBySha1(_Agent):
    mbox_sha1sum: Sha1 = Field(alias="mbox_sha1sum")


class AgentByOpenid(_Agent):
    openid: Iri


Agent = Annotated[
    AgentByMbox | AgentByAccount | AgentBySha1 | AgentByOpenid, Field(union_mode="left_to_right")
]


class _Group(JsonObject):
    object_type: Literal["Group"]
    name: OptionalText = None
    member: Annotated[list[Agent] | None, NOT_NULL] = None


class GroupByMbox(_Group):
    mbox: Mailbox


class GroupByAccount(_Group):
    account: Account


class GroupBySha1(_Group):
    mbox_sha1sum: Sha1 = Field(alias="mbox_sha1sum")


class GroupByOpenid(_Group):
    openid: Iri


class AnonymousGroup(JsonObject):
    """Without an identifier, so its members are all that it is."""

    object_type: Literal["Group"]
    name: OptionalText = None
    member: list[Agent]


Group = Annotated[
    GroupByMbox | GroupByAccount | GroupBySha1 | GroupByOpenid | AnonymousGroup,
    Field(union_mode="left_to_right"),
]
GROUPS = (GroupByMbox, GroupByAccount, GroupBySha1, GroupByOpenid, AnonymousGroup)

AnyActor = Annotated[
    AgentByMbox
    | AgentByAccount
    | AgentBySha1
    | AgentByOpenid
    | GroupByMbox
    | GroupByAccount
    | GroupBySha1
    | GroupByOpenid
    | AnonymousGroup,
    Field(union_mode="left_to_right"),
]


class ThreeLeggedOAuth(JsonObject):
    """An authority of two: the application and the user (section 2.4.9)."""

    object_type: Literal["Group"]
    name: OptionalText = None
    member: Annotated[list[Agent], Field(min_length=2, max_length=2)]


Authority = Annotated[
    AgentByMbox | AgentByAccount | AgentBySha1 | AgentByOpenid | ThreeLeggedOAuth,
    Field(union_mode="left_to_right"),
]


class _Typed(JsonObject):
    """As the object of a statement an agent has to say that it is one (section 2.4.4.2)."""

    object_type: Literal["Agent"]
    name: OptionalText = None


class ObjectAgentByMbox(_Typed):
    mbox: Mailbox


class ObjectAgentByAccount(_Typed):
    account: Account


class ObjectAgentBySha1(_Typed):
    mbox_sha1sum: Sha1 = Field(alias="mbox_sha1sum")


class ObjectAgentByOpenid(_Typed):
    openid: Iri
