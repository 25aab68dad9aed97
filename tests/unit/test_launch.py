"""What a launch covers, who its learner is, and how it is written down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.launch import (
    LaunchMode,
    PlayerKind,
    covers,
    is_its_activity,
    launch_actor_json,
    launch_from_json,
    launch_to_json,
    same_actor,
)
from pointsman.domain.records import Actor
from tests.support.launch_factory import ACTIVITY, ANA, launch


@pytest.mark.parametrize(
    ("activity", "covered"),
    [
        (ACTIVITY, True),
        (f"{ACTIVITY}/", True),
        (f"{ACTIVITY}/page/1", True),
        (f"{ACTIVITY}?page=1", True),
        (f"{ACTIVITY}#1", True),
        (f"{ACTIVITY}2", False),
        (f"{ACTIVITY}-advanced/1", False),
        ("https://content.example.com", False),
        ("https://content.example.com/", False),
        (f"http{ACTIVITY}", False),
        ("urn:questions:1", False),
        ("urn:quiz/1", True),
        ("urn:quiz", True),
    ],
)
def test_a_player_may_speak_of_its_activity_what_lies_below_and_what_is_named(
    activity: str, covered: bool
) -> None:
    assert covers(launch(activities=("urn:quiz",)), activity) is covered


@pytest.mark.parametrize(
    ("activity", "covered"),
    [
        ("HTTPS://CONTENT.example.com:443/intro/page", True),
        ("https://content.example.com/%69ntro/page", True),
        (f"{ACTIVITY}/a/../b", True),
        (f"{ACTIVITY}/../other", False),
        (f"{ACTIVITY}/%2e%2E/other", False),
        (f"{ACTIVITY}/./../other/1", False),
        ("http://content.example.com/intro", False),
        ("https://content.example.com:8443/intro", False),
    ],
)
def test_a_launch_covers_an_activity_however_it_is_written(activity: str, covered: bool) -> None:
    assert ACTIVITY == "https://content.example.com/intro"
    assert covers(launch(), activity) is covered


@given(st.text(max_size=30).filter(lambda text: "." not in text and "%" not in text))
def test_whatever_else_a_player_speaks_of_begins_with_its_activity(rest: str) -> None:
    other = "https://content.example.com/other" + rest
    assert not covers(launch(), other)
    assert covers(launch(), ACTIVITY + "/" + rest)


@pytest.mark.parametrize(
    ("activity", "same"),
    [(ACTIVITY, True), (f"{ACTIVITY}/", True), (f"{ACTIVITY}/1", False), (f"{ACTIVITY}?", False)],
)
def test_a_slash_at_the_end_makes_no_other_activity(activity: str, same: bool) -> None:
    assert is_its_activity(launch(), activity) is same


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Actor("mbox", "mailto:ANA@example.com"), True),
        (Actor("mbox", "mailto:ben@example.com"), False),
        (Actor("account", "mailto:ana@example.com", ""), False),
    ],
)
def test_a_mailbox_is_the_same_in_any_case(other: Actor, same: bool) -> None:
    assert same_actor(ANA, other) is same


@pytest.mark.parametrize(
    ("actor", "other", "same"),
    [
        ("mailto:ana%2Bx@example.com", "mailto:ana+x@example.com", True),
        ("mailto:ana%2Bx@example.com", "mailto:ANA%2bX@Example.com", True),
        ("mailto:ana%25x@example.com", "mailto:ana%x@example.com", True),
        ("mailto:ana%2Fx@example.com", "mailto:ana%252Fx@example.com", False),
    ],
)
def test_a_mailbox_is_the_same_however_it_is_escaped(actor: str, other: str, same: bool) -> None:
    assert same_actor(Actor("mbox", actor), Actor("mbox", other)) is same


@pytest.mark.parametrize(
    ("home_page", "name", "same"),
    [
        ("https://sso.example.com/", "ana", True),
        ("HTTPS://SSO.example.com", "ana", True),
        ("https://sso.example.com:443", "ana", True),
        ("http://sso.example.com", "ana", False),
        ("https://sso.example.com/hr", "ana", False),
        ("https://sso.example.com", "Ana", False),
    ],
)
def test_an_account_is_the_same_however_its_home_page_is_written(
    home_page: str, name: str, same: bool
) -> None:
    account = Actor("account", "ana", "https://sso.example.com")
    assert same_actor(account, Actor("account", name, home_page)) is same
    openid = Actor("openid", "https://ana.example.com")
    assert same_actor(openid, Actor("openid", "HTTPS://ana.example.com/"))
    assert not same_actor(openid, account)


def test_the_learner_is_an_agent() -> None:
    assert launch_actor_json(launch()) == {
        "objectType": "Agent",
        "name": "Ana",
        "mbox": "mailto:ana@example.com",
    }
    account = Actor("account", "ana", "https://sso.example.com")
    assert launch_actor_json(launch(actor=account, name="")) == {
        "objectType": "Agent",
        "account": {"homePage": "https://sso.example.com", "name": "ana"},
    }


def test_what_is_written_down_is_read_again() -> None:
    made = launch(
        kind=PlayerKind.CMI5,
        mode=LaunchMode.REVIEW,
        activities=("urn:quiz",),
        mastery_score=0.8,
        course_by="id",
        course="course_1",
        player={"returnURL": "https://learn.example.com"},
    )
    assert launch_from_json(launch_to_json(made)) == made


def test_when_it_is_due_is_written_down_only_where_a_launch_says_so() -> None:
    due = launch(due=1_800_000_000_000_000)
    assert launch_from_json(launch_to_json(due)) == due
    # a replica of the version before can read it
    assert b"due" not in launch_to_json(launch())
