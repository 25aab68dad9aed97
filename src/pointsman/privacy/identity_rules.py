"""Which actors are one person, by the product's own rules of identity. Pure.

Two actors are the same person where `[learners]` makes the same learner of them, and where xAPI
says so: a mailbox and its SHA-1 (Part 2 section 2.4.2.3). Launched players know a learner by an
account on the platform.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.domain.iri import is_mailbox, mailbox_address
from pointsman.domain.records import Actor
from pointsman.domain.targets import Recipient
from pointsman.mapping.identity import UNMAPPED, AccountTemplate, IdentityResolver

_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_MAILTO = "mailto:"


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """`home_page` is the platform's, under which launched players have accounts."""

    resolver: IdentityResolver
    accounts: Sequence[AccountTemplate]
    home_page: str

    def learner(self, text: str) -> str:
        """The platform's learner that an operator means: an address, `home page|name`, an IRI."""
        text = text.strip()
        if text[: len(_MAILTO)].lower() == _MAILTO:
            return self.resolver.resolve(Actor("mbox", text))
        if "://" in text and UNMAPPED in text:
            home_page, _, name = text.partition(UNMAPPED)
            return self.resolver.resolve(Actor("account", name, home_page))
        if _SHA1.fullmatch(text):
            return text.lower()
        return Recipient.learner(text.lower() if is_mailbox(text) else text).id

    def actors_of(self, learner: str) -> Iterator[Actor]:
        """How statements may name this learner, as far as that can be told without looking."""
        name = learner.removeprefix("actor:")
        yield Actor("account", name, self.home_page)
        for account in self.accounts:
            before, _, after = account.learner.text.partition("{name}")
            if name.startswith(before) and name.endswith(after):
                inner = name[len(before) : len(name) - len(after)]
                if inner:
                    yield Actor("account", inner, account.home_page)
        if is_mailbox(name):
            yield Actor("mbox", f"{_MAILTO}{name}")
            yield sha1_of(f"{_MAILTO}{name}")
        elif "://" in name and UNMAPPED in name:
            home_page, _, account_name = name.partition(UNMAPPED)
            yield Actor("account", account_name, home_page)
        elif "://" in name:
            yield Actor("openid", name)
        elif _SHA1.fullmatch(name):
            yield Actor("mbox_sha1sum", name.lower())


def sha1_of(mailbox: str) -> Actor:
    """The same mailbox by its SHA-1, which differs with the case of its letters."""
    digest = hashlib.sha1(mailbox.encode("utf-8", "surrogatepass"), usedforsecurity=False)
    return Actor("mbox_sha1sum", digest.hexdigest())


def actor_of_json(value: Mapping[str, Any]) -> Actor | None:
    """The identifier in a JSON object that looks like an agent or group; None without one."""
    account = value.get("account")
    if isinstance(value.get("mbox"), str):
        return Actor("mbox", value["mbox"])
    if isinstance(value.get("mbox_sha1sum"), str):
        return Actor("mbox_sha1sum", value["mbox_sha1sum"].lower())
    if isinstance(value.get("openid"), str):
        return Actor("openid", value["openid"])
    if isinstance(account, Mapping):
        home_page, name = account.get("homePage"), account.get("name")
        if isinstance(home_page, str) and isinstance(name, str):
            return Actor("account", name, home_page)
    return None


def actor_of_identity(text: str) -> Actor | None:
    """Of the text that documents are kept under (`statements/actor_identity.py`)."""
    kind, _, rest = text.partition(" ")
    match kind:
        case "mbox":
            return Actor("mbox", rest)
        case "mbox_sha1sum":
            return Actor("mbox_sha1sum", rest)
        case "openid":
            return Actor("openid", rest)
        case "account":
            home_page, _, name = rest.partition(" ")
            return Actor("account", name, home_page)
        case _:
            return None


def address_of(actor: Actor) -> str:
    """The mail address in lower case; "" for other identifiers."""
    return mailbox_address(actor.value).lower() if actor.kind == "mbox" else ""
