"""What a statement may be and what not: 1.0.3 Part 2 section 2, 2.0 sections 4.2.2 to 4.2.7."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.http_endpoint import STATEMENTS, Endpoint
from tests.support.xapi_factory import ANA, BEN, LESSON, SOME_ID, attachment, statement, sub

IDENTIFIERS: dict[str, Any] = {
    "mbox": "mailto:team@example.com",
    "mbox_sha1sum": "cd9b00a5611f94eaa7b1661edab976068e364975",
    "openid": "http://openid.example.org/12345",
    "account": {"homePage": "http://www.example.com", "name": "team"},
}
AGENTS = [{name: value} for name, value in IDENTIFIERS.items()]
GROUPS = [{"objectType": "Group", **one} for one in AGENTS]
ANONYMOUS = {"objectType": "Group", "member": [ANA, BEN]}

Role = Callable[[dict[str, Any]], dict[str, Any]]
#: where an agent or group may stand
ROLES: dict[str, Role] = {
    "actor": lambda one: statement(actor=one),
    "object": lambda one: statement(object={"objectType": "Agent", **one}),
    "instructor": lambda one: statement(context={"instructor": one}),
    "inner actor": lambda one: statement(object=sub(actor=one)),
    "inner object": lambda one: statement(object=sub(object={"objectType": "Agent", **one})),
    "inner instructor": lambda one: statement(object=sub(context={"instructor": one})),
}
TEAMS: dict[str, Role] = {
    "team": lambda one: statement(context={"team": one}),
    "inner team": lambda one: statement(object=sub(context={"team": one})),
}


async def sent(endpoint: Endpoint, one: dict[str, Any]) -> int:
    """The status; what is refused has to leave no trace."""
    before = await endpoint.snapshot()
    answer = await endpoint.send("POST", STATEMENTS, data=one)
    if answer.status != 200:
        assert await endpoint.snapshot() == before
    return answer.status


@pytest.mark.parametrize("role", [*ROLES, *TEAMS])
async def test_whoever_is_identified_by_one_thing_may_stand_there(
    endpoint: Endpoint, role: str
) -> None:
    """2.4.2, 2.4.4.2 and 2.4.6; whoever it is comes back as they came."""
    place = {**ROLES, **TEAMS}[role]
    named = [{**one, "name": "x"} for one in (*AGENTS, *GROUPS)]
    for one in (*named, ANONYMOUS, {**GROUPS[0], "member": [ANA]}):
        if role in TEAMS and "objectType" not in one:
            continue
        made = place(one)
        assert await sent(endpoint, made) == 200, one
        found = await endpoint.send("GET", STATEMENTS, statementId=made["id"])
        shown = await found.json()
        assert {name: shown[name] for name in made} == made


@pytest.mark.parametrize("role", [*ROLES, *TEAMS])
async def test_nobody_else_may(endpoint: Endpoint, role: str) -> None:
    """2.4.2: exactly one identifier, of the right form; a group's members are agents."""
    place = {**ROLES, **TEAMS}[role]
    wrong: list[dict[str, Any]] = [
        {"objectType": "agent", **ANA},
        {"objectType": "group", **ANA},
        {"objectType": "Group"},
        {"objectType": "Group", "member": ANA},
        {"objectType": "Group", "member": [ANONYMOUS]},
        {**ANA, "member": [BEN]},
        {"mbox": "http://should.fail.com"},
        {"mbox": "mailto:should.fail.com"},
        {"mbox_sha1sum": {"key": "value"}},
        {"openid": "ab=c://should.fail.com"},
        {"account": {"homePage": "ab=c://should.fail.com", "name": "x"}},
        {"account": {"homePage": "http://www.example.com"}},
        {"account": {"name": "x"}},
        {"account": {"homePage": "http://www.example.com", "name": {}}},
        {**ANA, "name": 123},
        {**ANA, "name": None},
        {},
    ]
    wrong += [{**AGENTS[i], **AGENTS[i - 1]} for i in range(len(AGENTS))]
    wrong += [{"objectType": "Group", **one} for one in wrong[-4:]]
    if role in TEAMS:
        wrong += AGENTS
    for one in wrong:
        assert await sent(endpoint, place(one)) == 400, one


OAUTH = {"account": {"homePage": "http://example.com/OAuth/Token", "name": "consumer"}}


@pytest.mark.parametrize(
    ("authority", "status"),
    [
        (ANA, 200),
        ({"objectType": "Group", "member": [OAUTH, ANA]}, 200),
        ({"objectType": "Group", "member": [ANA]}, 400),
        ({"objectType": "Group", "member": [OAUTH, ANA, BEN]}, 400),
        ({"objectType": "Group"}, 400),
        *[({**one, "member": [OAUTH, ANA]}, 400) for one in GROUPS],
        *[(one, 400) for one in GROUPS],
    ],
)
async def test_an_authority_is_an_agent_or_an_application_with_its_user(
    endpoint: Endpoint, authority: dict[str, Any], status: int
) -> None:
    """2.4.9."""
    assert await sent(endpoint, statement(authority=authority)) == status


REF = {"objectType": "StatementRef", "id": SOME_ID}


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ({"id": LESSON}, 200),
        ({"objectType": "Activity", "id": LESSON}, 200),
        ({"objectType": "Agent", **ANA}, 200),
        ({"objectType": "Group", "member": [ANA]}, 200),
        (REF, 200),
        (ANA, 400),
        ({"objectType": "activity", "id": LESSON}, 400),
        ({"objectType": "statementref", "id": SOME_ID}, 400),
        ({"objectType": "StatementRef", "id": "should fail"}, 400),
        ({"id": SOME_ID}, 400),
    ],
)
async def test_an_object_says_what_it_is_unless_it_is_an_activity(
    endpoint: Endpoint, target: dict[str, Any], status: int
) -> None:
    """2.4.4; the same inside a sub-statement."""
    assert await sent(endpoint, statement(object=target)) == status
    assert await sent(endpoint, statement(object=sub(object=target))) == status


@pytest.mark.parametrize("name", ["revision", "platform"])
@pytest.mark.parametrize(
    ("target", "status"),
    [({"id": LESSON}, 200), (REF, 400), ({"objectType": "Agent", **ANA}, 400), (ANONYMOUS, 400)],
)
async def test_revision_and_platform_are_an_activity_s(
    endpoint: Endpoint, name: str, target: dict[str, Any], status: int
) -> None:
    """2.4.6."""
    context = {name: "x"}
    for one in (statement, lambda **changes: statement(object=sub(**changes))):
        assert await sent(endpoint, one(object=target, context=context)) == status
    assert await sent(endpoint, statement(object=sub(), context=context)) == 400


COMPONENT = [{"id": "a", "description": {"en-US": "A", "sr-Latn-RS": "U redu je"}}, {"id": "b"}]
INTERACTIONS: dict[str, tuple[str, ...]] = {
    "true-false": (),
    "fill-in": (),
    "long-fill-in": (),
    "numeric": (),
    "other": (),
    "choice": ("choices",),
    "sequencing": ("choices",),
    "likert": ("scale",),
    "matching": ("source", "target"),
    "performance": ("steps",),
}


@pytest.mark.parametrize(("kind", "components"), INTERACTIONS.items(), ids=INTERACTIONS)
async def test_interactions(endpoint: Endpoint, kind: str, components: tuple[str, ...]) -> None:
    """2.4.4.1: which components each has, and what one of them is."""

    async def status(definition: dict[str, Any]) -> int:
        target = {"id": LESSON, "definition": definition}
        statuses = {
            await sent(endpoint, statement(object=target)),
            await sent(endpoint, statement(object=sub(object=target))),
        }
        assert len(statuses) == 1
        return statuses.pop()

    good: dict[str, Any] = {
        "interactionType": kind,
        "correctResponsesPattern": ["a[,]b"],
        **dict.fromkeys(components, COMPONENT),
    }
    assert await status(good) == 200
    assert await status({name: good[name] for name in good if name != "interactionType"}) == 400
    assert await status({**good, "interactionType": kind.title()}) == 400
    for pattern in ({"a": "b"}, [{"a": "b"}], [12345], "a"):
        assert await status({**good, "correctResponsesPattern": pattern}) == 400
    for name in {"choices", "scale", "source", "target", "steps"} - set(components):
        assert await status({**good, name: COMPONENT}) == 400
    wrong: list[Any] = [
        COMPONENT[0],
        [{"id": {"test": "value"}}],
        [{"description": {"en": "A"}}],
        [{"id": "a", "description": "A"}],
        [{"id": "a", "description": {"test": "A"}}],
        [{"id": "a"}, {"id": "a"}],
    ]
    for name in components:
        for one in wrong:
            assert await status({**good, name: one}) == 400


async def test_text_is_utf_8_and_numbers_keep_their_precision(endpoint: Endpoint) -> None:
    """Part 3 section 1.4, Part 2 section 2.2."""
    made = statement(
        verb={
            "id": "http://e.com/v",
            "display": {"ja-JP": "出席した", "ar-EG": "حضر", "und": "🎓"},
        },
        result={"score": {"scaled": 0.12123434, "raw": 12.125, "min": 0.12123434, "max": 45.45}},
    )
    assert await sent(endpoint, made) == 200
    answer = await endpoint.send("GET", STATEMENTS, statementId=made["id"])
    shown = await answer.json(encoding="utf-8")
    assert (shown["verb"], shown["result"]) == (made["verb"], made["result"])


@pytest.mark.parametrize("value", [None, "", {}, [], True, 12345, "x", {"key": None}])
async def test_an_extension_may_be_anything_even_nothing(endpoint: Endpoint, value: Any) -> None:
    """2.2 and 4.1; its key is an IRI."""
    for key, status in (("http://e.com/x", 200), ("should fail", 400), ("e.com/x", 400)):
        extended = {"extensions": {key: value}}
        target = {"id": LESSON, "definition": extended}
        for changes in ({"object": target}, {"result": extended}, {"context": extended}):
            assert await sent(endpoint, statement(**changes)) == status
            assert await sent(endpoint, statement(object=sub(**copy.deepcopy(changes)))) == status


FILE = attachment(b"x", fileUrl="http://e.com/file", description={"es-MX": "una foto"})


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"usageType": "should fail"}, 400),
        ({"usageType": None}, 400),
        ({"contentType": 12345}, 400),
        ({"length": "should fail"}, 400),
        ({"length": 1.5}, 400),
        ({"sha2": 12345}, 400),
        ({"fileUrl": "should fail"}, 400),
        ({"display": "should fail"}, 400),
        ({"display": {"something": "x"}}, 400),
        ({"description": 12345}, 400),
        ({"extra": 1}, 400),
    ],
)
async def test_attachments(endpoint: Endpoint, changes: dict[str, Any], status: int) -> None:
    """2.4.11."""
    assert await sent(endpoint, statement(attachments=[{**FILE, **changes}])) == status


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        *[({"timestamp": text}, 200) for text in ("2099-01-01T00:00:00Z", "20130518T053234Z")],
        ({"timestamp": "2008-09-15T15:53:00.601+00:00"}, 200),
        *[({"timestamp": f"2008-09-15T15:53:00.601{zone}"}, 400) for zone in ("-00", "-0000")],
        *[({"timestamp": text}, 400) for text in ("01/011/2015", "should fail", "")],
        *[({"result": {"duration": text}}, 200) for text in ("PT4H35M59.14S", "P3Y", "P4W")],
        *[({"result": {"duration": text}}, 400) for text in ("PA1H0M0S", "P4W1D", "", 12345)],
        *[({"version": text}, 200) for text in ("1.0", "1.0.9", "2.0.0")],
        *[({"version": text}, 400) for text in ("0.9.9", "1.1.0", "should fail")],
    ],
)
async def test_times_and_versions(endpoint: Endpoint, changes: dict[str, Any], status: int) -> None:
    """2.4.7, 2.4.10, 4.5 and 4.6."""
    assert await sent(endpoint, statement(**changes)) == status
