"""Agents and groups of a context: 2.0 sections 4.2.5.5 and 4.2.5.6; taken in every version."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http_endpoint import STATEMENTS, Endpoint
from tests.support.xapi_factory import ANA, BEN, statement, sub

PLAYER = {"objectType": "contextAgent", "agent": ANA}
TEAM = {
    "objectType": "contextGroup",
    "group": {"objectType": "Group", "mbox": "mailto:team@example.com", "member": [ANA, BEN]},
}
TYPES = ["https://example.com/types/player", "https://example.com/types/quarterback"]


@pytest.mark.parametrize(("name", "one"), [("contextAgents", PLAYER), ("contextGroups", TEAM)])
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"relevantTypes": TYPES}, 200),
        ({"relevantTypes": []}, 400),
        ({"relevantTypes": ["abc"]}, 400),
        ({"relevantTypes": TYPES[0]}, 400),
        ({"relevantTypes": None}, 400),
        ({"objectType": "should fail"}, 400),
        ({"objectType": None}, 400),
        ({"agent": {"key": "should fail"}}, 400),
        ({"group": {"key": "should fail"}}, 400),
        ({"member": [ANA]}, 400),
    ],
)
async def test_what_each_of_them_is(
    endpoint: Endpoint, name: str, one: dict[str, Any], changes: dict[str, Any], status: int
) -> None:
    """The same inside a sub-statement; what is taken comes back as it came."""
    context = {name: [{**one, **changes}]}
    for made in (statement(context=context), statement(object=sub(context=context))):
        answer = await endpoint.send("POST", STATEMENTS, data=made)
        assert answer.status == status
        if status == 200:
            answer = await endpoint.send("GET", STATEMENTS, statementId=made["id"])
            shown = await answer.json()
            assert {key: shown[key] for key in made} == made


@pytest.mark.parametrize(
    "context",
    [
        {"contextAgents": PLAYER},
        {"contextGroups": TEAM},
        {"contextAgents": [TEAM]},
        {"contextGroups": [PLAYER]},
        {"contextAgents": [{"objectType": "contextAgent"}]},
        {"contextAgents": [{"agent": ANA}]},
        {"contextGroups": [{"objectType": "contextGroup", "group": ANA}]},
    ],
)
async def test_they_are_arrays_of_their_kind(endpoint: Endpoint, context: dict[str, Any]) -> None:
    answer = await endpoint.send("POST", STATEMENTS, data=statement(context=context))
    assert answer.status == 400
    assert "context" in await answer.text()
