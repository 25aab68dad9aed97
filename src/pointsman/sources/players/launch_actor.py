"""Decides who a launch's player takes the learner for, and that it is nobody else. Pure.

The credential of a launch reads and writes as its actor. So an actor that is another learner would
let one learner act as another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pointsman.domain.errors import InputRefused
from pointsman.domain.iri import mailbox
from pointsman.domain.launch import PlayerKind, same_actor
from pointsman.domain.records import Actor
from pointsman.domain.targets import Recipient
from pointsman.statements import actor_of
from pointsman.statements.actors import Agent
from pointsman.statements.adapters.json_values import is_address

_AGENT: TypeAdapter[Any] = TypeAdapter(Agent)


@dataclass(frozen=True, slots=True)
class ActorRules:
    """Whom an actor may be."""

    #: of the accounts of learners who are no mailboxes
    home_page: str
    #: the learner that an actor is, by [learners]
    resolve: Callable[[Actor], str]
    #: `launches.any_actor`: whether it may be somebody else than the launch's learner
    any_actor: bool = False


def launch_actor(
    learner: str, kind: PlayerKind, agent: dict[str, Any] | None, rules: ActorRules
) -> Actor:
    """The learner as the player knows them; `agent` is what was asked for. Raises `InputRefused`.

    Without an `agent` it is a mailbox. A learner that is no mailbox, and every learner of a cmi5
    player (cmi5 section 9.2), is known to it as an account of `home_page`.
    """
    own = _own_actor(learner, kind, rules.home_page)
    if agent is None:
        return own
    actor = _actor(agent)
    if kind is PlayerKind.CMI5 and actor.kind != "account":
        raise InputRefused("actor: cmi5 players know learners by account (cmi5 section 9.2)")
    if not rules.any_actor and not _is_learner(actor, learner, own, rules):
        raise InputRefused(
            "actor: is another learner than `learner`, and the player would read and write as that "
            "one. Leave actor out, or map its account to the learner in [[learners.accounts]]; "
            "launches.any_actor = true allows any actor, which is safe only where no browser can "
            "say who the actor is"
        )
    return actor


def _own_actor(learner: str, kind: PlayerKind, home_page: str) -> Actor:
    if kind is not PlayerKind.CMI5 and is_address(learner):
        return Actor("mbox", mailbox(learner))
    return Actor("account", learner, home_page)


def _actor(agent: dict[str, Any]) -> Actor:
    try:
        actor = actor_of(_AGENT.validate_python(agent))
    except ValidationError:
        actor = None
    if actor is None:
        raise InputRefused(
            "actor: must be an agent with exactly one of mbox, mbox_sha1sum, openid and account"
        )
    return actor


def _is_learner(actor: Actor, learner: str, own: Actor, rules: ActorRules) -> bool:
    """Whether both are one person, by the same rules that decide whose a statement is."""
    if same_actor(actor, own):
        return True
    if actor.kind == "mbox_sha1sum":  # the learner's mailbox, hashed (xAPI Part 2 section 2.4.2.3)
        return is_address(learner) and actor.value in _sha1sums(learner)
    resolved, wanted = rules.resolve(actor), Recipient.learner(learner).id
    # an address is the same in any case, as it is in tables of learners
    return resolved.lower() == wanted.lower() if is_address(learner) else resolved == wanted


def _sha1sums(address: str) -> set[str]:
    """Of the address as it is written, and in lower case."""
    return {
        hashlib.sha1(mailbox(text).encode(), usedforsecurity=False).hexdigest()
        for text in (address, address.lower())
    }
