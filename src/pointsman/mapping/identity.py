"""Finds who an actor is on the platform.

A mailbox is its address in lower case; escapes are characters of it (RFC 6068 section 2). An
account is what the operator's template for its home page makes of its name, however that page is
written. Any other identifier is taken as the learner's name, so that the learner is counted and
shown, and a token can be given for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from pointsman.domain.iri import comparable, mailbox_address
from pointsman.domain.records import Actor
from pointsman.domain.targets import Recipient
from pointsman.domain.uri_template import Template

#: between home page and name, in a learner whose account nobody has mapped
UNMAPPED = "|"


class IdentityResolver(Protocol):
    """Turns an xAPI actor into the platform's learner."""

    def resolve(self, actor: Actor) -> str: ...


@dataclass(frozen=True, slots=True)
class AccountTemplate:
    """`learner` is a template with `{name}`, for accounts of `home_page`."""

    home_page: str
    learner: Template


class ConfiguredIdentity:
    """The resolver that `[learners]` describes."""

    def __init__(self, accounts: Sequence[AccountTemplate] = ()) -> None:
        self._accounts = {comparable(account.home_page): account.learner for account in accounts}
        self.resolve = lru_cache(maxsize=65_536)(self._resolve)

    def _resolve(self, actor: Actor) -> str:
        return Recipient.learner(self._name(actor)).id

    def _name(self, actor: Actor) -> str:
        if actor.kind == "mbox":
            return mailbox_address(actor.value).lower()
        if actor.kind == "account":
            template = self._accounts.get(comparable(actor.home_page))
            if template is not None:
                return template.fill({"name": actor.value})
            # as it was sent: state, and tokens that were given for it, go by this text
            return f"{actor.home_page}{UNMAPPED}{actor.value}"
        return actor.value
