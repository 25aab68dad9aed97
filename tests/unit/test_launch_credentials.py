"""A learner's credential writes for no other learner, activity or registration, and not for ever.

By hypothesis, over statements and over requests; the browser that holds it is not trusted.
"""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from pointsman.domain.errors import Forbidden
from pointsman.domain.launch import Launch, PlayerKind, covers, same_actor
from pointsman.domain.records import Actor
from pointsman.sources.batch import BatchReader
from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.lrs.endpoint import LrsRequest
from pointsman.sources.http.lrs.launch_scope import limit_to_launch
from pointsman.sources.http.lrs.parameters import AgentParameter, Parameters
from pointsman.sources.http.lrs.resources import TABLE, Resource
from pointsman.sources.players import (
    CredentialIssuer,
    CredentialRefused,
    Purpose,
    add_launch_context,
    authorize_statements,
)
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.statements import Limits, Valid, actor_of, identity_of, parse
from pointsman.statements.activities import Activity
from tests.support.cmi5_statements import LAUNCH
from tests.support.launch_factory import launch as launched

ANA, BEN = LAUNCH.actor, Actor("mbox", "mailto:ben@example.com")
MINE, OTHER = LAUNCH.registration, "39b0aaf8-0000-4000-8000-000000000001"
ACTIVITIES = [
    LAUNCH.activity,
    f"{LAUNCH.activity}/page",
    f"{LAUNCH.activity}-2",
    LAUNCH.activity[:-1],
    "https://content.example.com/other",
    "https://content.example.com/extra/1",
]
LAUNCHES = st.builds(
    replace,
    st.just(LAUNCH),
    actor=st.sampled_from([ANA, BEN]),
    kind=st.sampled_from([PlayerKind.CMI5, *PlayerKind]),
    activities=st.sampled_from([(), ("https://content.example.com/extra",)]),
)


def shown(actor: Actor) -> dict[str, Any]:
    if actor.kind == "account":
        return {"account": {"homePage": actor.home_page, "name": actor.value}}
    return {"mbox": actor.value}


def about(activity: str) -> dict[str, Any]:
    return {"id": activity}


ACTORS = st.sampled_from([shown(ANA), shown(BEN), {"objectType": "Group", **shown(ANA)}])
OBJECTS = st.sampled_from(
    [
        *map(about, ACTIVITIES),
        {"objectType": "Agent", **shown(ANA)},
        {"objectType": "StatementRef", "id": OTHER},
        {
            "objectType": "SubStatement",
            "actor": shown(BEN),
            "verb": {"id": vocabulary.PASSED},
            "object": about(LAUNCH.activity),
        },
    ]
)
STATEMENTS = st.fixed_dictionaries(
    {
        "actor": ACTORS,
        "verb": st.sampled_from([{"id": vocabulary.COMPLETED}, {"id": vocabulary.SATISFIED}]),
        "object": OBJECTS,
    },
    optional={
        "context": st.fixed_dictionaries(
            {}, optional={"registration": st.sampled_from([MINE, MINE.upper(), OTHER])}
        )
    },
)


@given(LAUNCHES, st.lists(STATEMENTS, min_size=1, max_size=3))
def test_what_may_be_said_is_of_its_own_learner_activity_and_registration(
    launch: Launch, statements: list[dict[str, Any]]
) -> None:
    items = valid(orjson.dumps(statements))
    try:
        authorize_statements(launch, items)
    except Forbidden:
        assert not all(is_own(launch, one) for one in items)
        return
    assert all(is_own(launch, one) for one in items)
    batch = add_launch_context(BatchReader().request("launch", orjson.dumps(statements)), launch)
    # what was stamped is as if it had been parsed and validated again
    assert batch.items == tuple(valid(batch.body))
    for item in batch.items:
        context = item.statement.context
        assert context is not None
        assert context.registration is not None
        assert context.registration.lower() == MINE


def valid(body: bytes) -> list[Valid]:
    ids = (f"39b0aaf8-0000-4000-8000-0000000001{number:02}" for number in range(99))
    items = parse(body, Limits(), new_id=lambda: next(ids)).items
    assert all(isinstance(one, Valid) for one in items)
    return [one for one in items if isinstance(one, Valid)]


def is_own(launch: Launch, item: Valid) -> bool:
    statement = item.statement
    actor = actor_of(statement.actor)
    context = statement.context
    registration = context.registration if context is not None else None
    return (
        actor is not None
        and same_actor(actor, launch.actor)
        and isinstance(statement.object, Activity)
        and covers(launch, statement.object.id)
        and (registration is None or registration.lower() == MINE)
    )


def agent(actor: Actor) -> AgentParameter:
    return AgentParameter(shown(actor), identity_of(actor), actor)


async def nothing() -> bytes:
    return b""


def mostly(own: Any, others: list[Any]) -> st.SearchStrategy[Any]:
    """So that one foreign part among own ones is tried too."""
    return st.just(own) | st.just(own) | st.sampled_from(others)


@st.composite
def calls(draw: st.DrawFn) -> LrsRequest:
    """Requests with all that their resource requires, and any of what it allows."""
    launch = draw(LAUNCHES)
    resource = draw(st.sampled_from([Resource.STATE, Resource.STATE, *Resource]))
    method = draw(st.sampled_from(sorted(TABLE[resource])))
    takes = TABLE[resource][method]
    texts = {
        "activityId": ("activity_id", mostly(launch.activity, ACTIVITIES)),
        "activity": ("activity", mostly(launch.activity, ACTIVITIES)),
        "agent": ("agent", mostly(agent(launch.actor), [agent(ANA), agent(BEN)])),
        "registration": ("registration", mostly(MINE, [OTHER])),
        "stateId": ("state_id", st.sampled_from(["bookmark", vocabulary.LAUNCH_DATA])),
        "profileId": ("profile_id", st.sampled_from(["p", vocabulary.PREFERENCES])),
        "related_agents": ("related_agents", st.booleans()),
    }
    found: dict[str, Any] = {
        field: draw(values)
        for name, (field, values) in texts.items()
        if name in takes.required or (name in takes.optional and draw(st.booleans()))
    }
    parameters = Parameters({}, **found)
    return LrsRequest(resource, method, "launch", "1.0.3", parameters, {}, nothing, launch=launch)


@settings(max_examples=400)
@given(calls())
def test_what_a_request_reaches_is_of_its_own_learner_activity_and_registration(
    call: LrsRequest,
) -> None:
    launch = call.launch
    assert launch is not None
    try:
        narrowed = limit_to_launch(launch, call.resource, call.method, call.parameters)
    except RequestRefused:
        return
    mine = identity_of(launch.actor)
    assert narrowed.agent is None or narrowed.agent.identity == mine
    assert narrowed.registration in {None, MINE}
    assert narrowed.activity_id is None or covers(launch, narrowed.activity_id)
    assert narrowed.activity is None or covers(launch, narrowed.activity)
    if call.resource is Resource.STATEMENTS and call.method == "GET":
        assert narrowed.agent is not None
        assert not narrowed.related_agents
    if call.method == "GET":
        return
    assert call.resource is not Resource.ACTIVITY_PROFILE
    if call.resource is Resource.STATE:
        assert narrowed.state_id is not None or narrowed.registration == MINE
        if launch.kind is PlayerKind.CMI5:
            assert narrowed.state_id not in {None, vocabulary.LAUNCH_DATA}


class Still:
    """A clock that shows one time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


KEY = "a-key-of-tests-that-is-long-enough"
SECONDS = st.integers(1, 2**32)


@given(SECONDS, SECONDS, st.sampled_from(Purpose), st.sampled_from(Purpose))
def test_a_credential_is_good_for_its_purpose_until_it_expires(
    expires: int, now: int, purpose: Purpose, asked: Purpose
) -> None:
    credentials = CredentialIssuer([SecretStr(KEY)], Still(now))
    token = credentials.issue(replace(LAUNCH, expires_at=expires * 1_000_000), purpose)
    if now < expires and asked is purpose:
        found = credentials.check(token, asked)
        assert (found.registration, found.learner, found.session) == (MINE, LAUNCH.learner, "s1")
        return
    with pytest.raises(CredentialRefused):
        credentials.check(token, asked)


@given(st.data())
def test_a_credential_with_one_character_changed_is_none(data: st.DataObject) -> None:
    credentials = CredentialIssuer([SecretStr(KEY)], Still(0))
    token = credentials.issue(replace(LAUNCH, expires_at=2**40), Purpose.XAPI)
    # the last character of each part has bits that mean nothing
    ends = {place - 1 for place, one in enumerate(f"{token}.") if one == "."}
    place = data.draw(st.integers(0, len(token) - 1).filter(lambda one: one not in ends))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_."))
    assume(other != token[place])
    with pytest.raises(CredentialRefused):
        credentials.check(token[:place] + other + token[place + 1 :], Purpose.XAPI)


@pytest.mark.parametrize(
    ("written", "is_learner"),
    [
        (Actor("account", "ana", "HTTPS://SSO.example.com:443/"), True),
        (Actor("account", "ana", "http://sso.example.com"), False),
    ],
)
def test_a_player_that_writes_its_learner_otherwise_finds_the_documents_of_its_launch(
    written: Actor, is_learner: bool
) -> None:
    launch = launched(actor=Actor("account", "ana", "https://sso.example.com"))
    asked = Parameters({}, activity_id="HTTPS://Content.example.com/intro", agent=agent(written))
    if not is_learner:
        with pytest.raises(RequestRefused, match="the agent is not the learner"):
            limit_to_launch(launch, Resource.STATE, "GET", asked)
        return
    narrowed = limit_to_launch(launch, Resource.STATE, "GET", asked)
    assert narrowed.agent is not None
    assert narrowed.agent.identity == identity_of(launch.actor)
    assert narrowed.activity_id == launch.activity
