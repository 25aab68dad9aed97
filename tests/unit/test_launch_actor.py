"""Whom the `actor` of a launch may be: the launch's learner, however that is written."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from pointsman.domain.errors import InputRefused
from pointsman.domain.launch import PlayerKind
from pointsman.domain.records import Actor
from pointsman.mapping import AccountTemplate, ConfiguredIdentity, Template
from pointsman.sources.players.launch_actor import ActorRules, launch_actor

ANA = "ana@example.com"
PLATFORM = "https://learn.example.com"
SSO = AccountTemplate("https://sso.example.com", Template("{name}@example.com"))
RULES = ActorRules(PLATFORM, ConfiguredIdentity([SSO]).resolve)


def account(home_page: str, name: str) -> dict[str, Any]:
    return {"account": {"homePage": home_page, "name": name}}


def sha1(mailbox: str) -> dict[str, Any]:
    return {"mbox_sha1sum": hashlib.sha1(mailbox.encode(), usedforsecurity=False).hexdigest()}


@pytest.mark.parametrize(
    ("learner", "agent", "is_learner"),
    [
        (ANA, {"mbox": "mailto:ana@example.com"}, True),
        (ANA, {"mbox": "mailto:Ana@Example.com"}, True),
        (ANA, {"mbox": "mailto:%61na@example.com"}, True),
        ("Ana@example.com", {"mbox": "mailto:ana@example.com"}, True),
        (ANA, sha1("mailto:ana@example.com"), True),
        (ANA, account("https://sso.example.com", "ana"), True),
        (ANA, account("HTTPS://SSO.example.com:443/", "Ana"), True),
        (ANA, account(PLATFORM, ANA), False),
        ("user-7", account(PLATFORM, "user-7"), True),
        (ANA, {"mbox": "mailto:ben@example.com"}, False),
        (ANA, {"mbox": "mailto:%62en@example.com"}, False),
        (ANA, sha1("mailto:ben@example.com"), False),
        (ANA, account("https://sso.example.com", "ben"), False),
        (ANA, account("https://elsewhere.example.com", "ana"), False),
        (ANA, {"openid": "https://ana.example.com/"}, False),
        ("user-7", account(PLATFORM, "user-8"), False),
    ],
)
def test_an_actor_that_is_not_the_learner_is_refused(
    learner: str, agent: dict[str, Any], is_learner: bool
) -> None:
    anybody = replace(RULES, any_actor=True)
    actor = launch_actor(learner, PlayerKind.XAPI, agent, anybody)
    if is_learner:
        assert launch_actor(learner, PlayerKind.XAPI, agent, RULES) == actor
    else:
        with pytest.raises(InputRefused, match=r"launches\.any_actor"):
            launch_actor(learner, PlayerKind.XAPI, agent, RULES)


def test_a_cmi5_player_may_be_given_the_account_that_it_would_have_anyway() -> None:
    agent = account(PLATFORM, ANA)
    actor = launch_actor(ANA, PlayerKind.CMI5, agent, RULES)
    assert (
        actor == launch_actor(ANA, PlayerKind.CMI5, None, RULES) == Actor("account", ANA, PLATFORM)
    )
