"""Who an actor is on the platform, for every kind of identifier."""

from __future__ import annotations

import pytest

from pointsman.domain.records import Actor
from pointsman.domain.targets import Recipient
from pointsman.mapping import AccountTemplate, ConfiguredIdentity, Template

LMS = "https://lms.example.com"
SHA1 = "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"
HR = "https://hr.example.com/people"
IDENTITY = ConfiguredIdentity(
    [AccountTemplate(LMS, Template("{name}")), AccountTemplate(HR, Template("{name}@example.com"))]
)


@pytest.mark.parametrize(
    ("actor", "learner"),
    [
        (Actor("mbox", "mailto:ana@example.com"), "ana@example.com"),
        (Actor("mbox", "mailto:Ana.Lima@Example.COM"), "ana.lima@example.com"),
        (Actor("mbox", "mailto:mailto:x@example.com"), "mailto:x@example.com"),
        (Actor("account", "ana@example.com", LMS), "ana@example.com"),
        (Actor("account", "4711", HR), "4711@example.com"),
        (Actor("account", "{name}", HR), "{name}@example.com"),
        (Actor("account", "4711", "https://other.example.com"), "https://other.example.com|4711"),
        # one home page, however it is written (RFC 3986 sections 6.2.2.1 and 6.2.3)
        (Actor("account", "4711", LMS + "/"), "4711"),
        (Actor("account", "4711", LMS.upper()), "4711"),
        (Actor("account", "4711", LMS + ":443/"), "4711"),
        (Actor("account", "4711", HR.replace("people", "p%65ople")), "4711@example.com"),
        (Actor("account", "4711", HR + "/"), "https://hr.example.com/people/|4711"),
        (Actor("account", "4711", LMS.replace("https", "http")), "http://lms.example.com|4711"),
        (Actor("account", "4711", LMS + ":8443"), "https://lms.example.com:8443|4711"),
        # RFC 6068 section 2
        (Actor("mbox", "mailto:ana%2Bx@example.com"), "ana+x@example.com"),
        (Actor("mbox", "mailto:ana%2bX@example.com"), "ana+x@example.com"),
        (Actor("mbox", "mailto:ana+x@example.com"), "ana+x@example.com"),
        (Actor("mbox_sha1sum", SHA1), SHA1),
        (Actor("openid", "https://ana.openid.example.com/"), "https://ana.openid.example.com/"),
    ],
)
def test_an_actor_is_known_by_its_identifier(actor: Actor, learner: str) -> None:
    assert IDENTITY.resolve(actor) == learner


def test_without_accounts_an_account_stands_for_itself() -> None:
    one = Actor("account", "4711", LMS)
    other = Actor("account", "4711", HR)
    assert ConfiguredIdentity().resolve(one) != ConfiguredIdentity().resolve(other)


def test_a_mailbox_is_one_learner_however_it_is_spelled() -> None:
    spellings = ["mailto:ana@example.com", "mailto:ANA@example.com", "mailto:ana@EXAMPLE.com"]
    assert {IDENTITY.resolve(Actor("mbox", one)) for one in spellings} == {"ana@example.com"}


def test_the_same_actor_is_worked_out_once() -> None:
    identity = ConfiguredIdentity([AccountTemplate(HR, Template("{name}@example.com"))])
    first = identity.resolve(Actor("account", "4711", HR))
    assert identity.resolve(Actor("account", "4711", HR)) is first


@pytest.mark.parametrize(
    "actor",
    [
        Actor("openid", "meeting:mtg-1"),
        Actor("account", "meeting:mtg-1", LMS),
    ],
)
def test_no_actor_is_taken_for_a_meeting(actor: Actor) -> None:
    assert not Recipient.from_text(IDENTITY.resolve(actor)).is_meeting
