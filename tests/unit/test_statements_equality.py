"""When two statements are the same: 1.0.3 Part 2 sections 2.3.1 (exceptions, comparison), 4.6."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.statement_digest import is_same
from pointsman.statements.equality import digest, pack
from tests.support.xapi_factory import ANA, BEN, LESSON, SOME_ID, attachment, statement, sub

NOON = "2026-01-01T12:00:00Z"
GROUP = {"objectType": "Group", "member": [ANA, BEN]}
OTHER = {"id": "http://example.com/course/2"}
DEFINED = {"definition": {"name": {"en": "A lesson"}, "type": "http://example.com/type"}}


def said(**changes: Any) -> dict[str, Any]:
    return statement(**{"id": None, **changes})


def activities(*listed: Any, kind: str = "parent") -> dict[str, Any]:
    return said(context={"contextActivities": {kind: listed[0] if len(listed) == 1 else listed}})


def are_same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    # the order in which they came, and how JSON was read, makes no difference
    digests = [digest(orjson.loads(orjson.dumps(sent))) for sent in (first, second)]
    assert is_same(*digests) == is_same(*reversed(digests))
    return is_same(*digests)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # potential or required assignments by an LRS
        (said(), said(id=SOME_ID)),
        (said(), said(stored=NOON)),
        (said(), said(version="1.0.0")),
        (said(version="1.0.0"), said(version="1.0.3")),
        (said(), said(authority=BEN)),
        (said(authority=ANA), said(authority=BEN)),
        (said(), said(timestamp=NOON)),
        # activity definitions
        (said(), said(object={"id": LESSON, **DEFINED})),
        (activities({"id": LESSON}), activities({"id": LESSON, **DEFINED})),
        (said(object=sub()), said(object=sub(object={"id": LESSON, **DEFINED}))),
        # displays of verbs
        (said(verb={"id": "http://e.com/v"}), said(verb={"id": "http://e.com/v", "display": {}})),
        (
            said(verb={"id": "http://e.com/v", "display": {"en": "a"}}),
            said(verb={"id": "http://e.com/v", "display": {"de": "b"}}),
        ),
        (said(object=sub()), said(object=sub(verb={**said()["verb"], "display": {"en": "x"}}))),
        # timestamps
        (said(timestamp=NOON), said(timestamp="2026-01-01T13:00:00+01:00")),
        (said(timestamp=NOON), said(timestamp="2026-01-01T07:30:00-04:30")),
        (said(timestamp=NOON), said(timestamp="2026-01-01T12:00:00.000Z")),
        (said(timestamp=NOON), said(timestamp="2026-01-01T12Z")),
        (said(timestamp=NOON), said(timestamp="20260101T120000Z")),
        (said(timestamp=NOON), said(timestamp="2026-01-01T12:00:00")),
        (
            said(timestamp="2026-01-01T12:00:00.123Z"),
            said(timestamp="2026-01-01T12:00:00.123456Z"),
        ),
        (said(timestamp="0001-01-01T01:00:00+02:00"), said(timestamp="0001-01-01T01:00+02")),
        (said(object=sub(timestamp=NOON)), said(object=sub(timestamp="2026-01-01T13:00+01"))),
        # unordered lists
        (said(actor=GROUP), said(actor={**GROUP, "member": [BEN, ANA]})),
        (said(object=GROUP), said(object={**GROUP, "member": [BEN, ANA]})),
        (said(context={"team": GROUP}), said(context={"team": {**GROUP, "member": [BEN, ANA]}})),
        (activities({"id": LESSON}, OTHER), activities(OTHER, {"id": LESSON})),
        (activities(OTHER), said(context={"contextActivities": {"parent": [OTHER]}})),
        # attachments
        (said(), said(attachments=[attachment(b"x")])),
        (said(attachments=[attachment(b"x")]), said(attachments=[attachment(b"y")])),
        (said(object=sub()), said(object=sub(attachments=[attachment(b"x")]))),
        # case
        (said(), said(actor={"mbox": "mailto:ana@EXAMPLE.com"})),
        (said(), said(actor={"mbox": "MAILTO:ana@example.com"})),
        (said(actor={"mbox_sha1sum": "a" * 40}), said(actor={"mbox_sha1sum": "A" * 40})),
        (said(context={"registration": SOME_ID}), said(context={"registration": SOME_ID.upper()})),
        (said(context={"language": "en-gb"}), said(context={"language": "en-GB"})),
        (
            said(object={"objectType": "StatementRef", "id": SOME_ID}),
            said(object={"objectType": "StatementRef", "id": SOME_ID.upper()}),
        ),
        (
            said(context={"statement": {"objectType": "StatementRef", "id": SOME_ID}}),
            said(context={"statement": {"objectType": "StatementRef", "id": SOME_ID.upper()}}),
        ),
        # numbers are numbers however JSON writes them
        *(
            (said(result={"score": {"raw": whole}}), said(result={"score": {"raw": float(whole)}}))
            for whole in (0, -5, 10**15, 2**53, 10**16, -(10**16), 3 * 2**60, 2**63, 10**19)
        ),
        (
            said(result={"score": {"raw": 10**16, "max": 1e17}}),
            said(result={"score": {"raw": 1e16, "max": 10**17}}),
        ),
        (said(result={"score": {"raw": 1}}), said(result={"score": {"raw": 1.0}})),
        (
            said(result={"extensions": {"http://e.com/x": [2]}}),
            said(result={"extensions": {"http://e.com/x": [2.0]}}),
        ),
        # 2.0: agents and groups of a context
        (
            said(context={"contextAgents": [{"objectType": "contextAgent", "agent": ANA}]}),
            said(
                context={
                    "contextAgents": [
                        {"objectType": "contextAgent", "agent": {"mbox": "mailto:ana@Example.com"}}
                    ]
                }
            ),
        ),
        (
            said(context={"contextGroups": [{"objectType": "contextGroup", "group": GROUP}]}),
            said(
                context={
                    "contextGroups": [
                        {
                            "objectType": "contextGroup",
                            "group": {**GROUP, "member": [BEN, ANA]},
                        }
                    ]
                }
            ),
        ),
    ],
)
def test_what_the_specification_excepts_makes_no_difference(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert are_same(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (said(), said(actor=BEN)),
        (said(), said(actor={"mbox": "mailto:Ana@example.com"})),
        (said(), said(actor={**ANA, "name": "Ana"})),
        (said(), said(actor={**ANA, "objectType": "Agent"})),
        (said(actor=GROUP), said(actor={**GROUP, "member": [ANA]})),
        (said(actor=GROUP), said(actor={**GROUP, "member": [ANA, BEN, BEN]})),
        (said(), said(verb={"id": "http://adlnet.gov/expapi/verbs/Completed"})),
        (said(), said(object=OTHER)),
        (said(), said(object={"id": LESSON, "objectType": "Activity"})),
        (said(), said(object={"id": LESSON.replace("example.com", "EXAMPLE.com")})),
        (said(object=ANA | {"objectType": "Agent"}), said(object=GROUP)),
        (said(), said(object=sub())),
        (said(object=sub()), said(object=sub(actor=BEN))),
        (said(object=sub()), said(object=sub(timestamp=NOON))),
        (said(object=sub(timestamp=NOON)), said(object=sub(timestamp="2026-01-01T12:00:01Z"))),
        (said(timestamp=NOON), said(timestamp="2026-01-01T12:00:00.001Z")),
        (said(timestamp=NOON), said(timestamp="2026-01-01T12:00:00+01:00")),
        (said(timestamp=NOON), said(timestamp="2026-01-02T12:00:00Z")),
        (said(timestamp="2016-12-31T23:59:59Z"), said(timestamp="2016-12-31T23:59:60Z")),
        (said(), said(result={"completion": True})),
        (said(result={"success": True}), said(result={"success": False})),
        (said(result={"success": True}), said(result={"completion": True})),
        (said(result={"score": {"raw": 1}}), said(result={"score": {"raw": 1.5}})),
        (said(result={"response": "1.0,"}), said(result={"response": "1,"})),
        (said(result={"extensions": {}}), said(result={"extensions": {"http://e.com/x": None}})),
        (said(), said(context={"registration": SOME_ID})),
        (said(context={"platform": "a"}), said(context={"platform": "A"})),
        (activities(OTHER), activities(OTHER, kind="grouping")),
        (activities(OTHER), activities(OTHER, OTHER)),
        (activities(OTHER), activities({"objectType": "Activity", **OTHER})),
    ],
)
def test_every_other_difference_makes_another_statement(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert not are_same(first, second)


def lasting(duration: str) -> dict[str, Any]:
    return said(result={"duration": duration, "response": "0.12345S"})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("PT1.23S", "PT1.239S"),
        ("PT1.23S", "PT1.23000S"),
        ("P1DT12H36M0.1237S", "P1DT12H36M0.12S"),
        ("PT1,2345S", "PT1,23S"),
        ("PT1.5H1.239S", "PT1.5H1.23S"),
    ],
)
def test_seconds_finer_than_a_hundredth_make_no_difference(first: str, second: str) -> None:
    assert are_same(lasting(first), lasting(second))
    inner = [said(object=sub(result={"duration": text})) for text in (first, second)]
    assert are_same(*inner)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("PT1.23S", "PT1.24S"),
        ("PT1.2S", "PT1.3S"),
        ("PT1.239H", "PT1.23H"),
        ("PT1S", "PT2S"),
        ("PT60S", "PT1M"),
        ("PT1.239H5S", "PT1.23H5S"),
    ],
)
def test_all_else_of_a_duration_makes_another_statement(first: str, second: str) -> None:
    assert not are_same(lasting(first), lasting(second))


def test_a_digest_leaves_the_statement_as_it_is() -> None:
    sent = said(
        actor={**GROUP, "member": [BEN, {"mbox": "mailto:ana@EXAMPLE.com"}]},
        result={"duration": "PT1.23456S"},
        context={"registration": SOME_ID.upper(), "contextActivities": {"parent": OTHER}},
    )
    before = copy.deepcopy(sent)
    digest(sent)
    assert sent == before


@given(st.binary(), st.none() | st.integers(-(10**15), 10**15))
def test_a_digest_is_a_signed_number_of_64_bits_that_is_its_own(
    content: bytes, timestamp: int | None
) -> None:
    packed = pack(content, timestamp)
    assert -(2**63) <= packed < 2**63
    assert is_same(packed, packed)
    assert is_same(packed, pack(content, None))
    assert not is_same(packed, pack(content + b"x", timestamp))
