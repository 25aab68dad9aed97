"""What a valid statement says about one learner and one activity."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.domain.records import Actor, Observation
from pointsman.statements import Limits, NoEffect, ReadingRefused, Valid, observe, parse
from tests.support.malformed_bodies import GOOD

ID = "0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11"
ACTIVITY = "http://example.com/course/1"
#: 2026-01-05T00:00:00Z, in microseconds
NOW = 1_767_571_200_000_000
CMI5 = "https://w3id.org/xapi/cmi5/result/extensions/progress"
CMI5_HTTP = "http://w3id.org/xapi/cmi5/result/extensions/progress"
VIDEO = "https://w3id.org/xapi/video/extensions/progress"


def valid(**changes: Any) -> Valid:
    (item,) = parse(json.dumps({**GOOD, **changes}).encode(), Limits(), new_id=lambda: ID).items
    assert isinstance(item, Valid), item
    return item


def seen(**changes: Any) -> Observation:
    found = observe(valid(**changes), NOW)
    assert isinstance(found, Observation), found
    return found


def progress(**extensions: Any) -> float | None:
    return seen(result={"extensions": extensions}).progress


def test_a_bare_statement_is_observed_with_nothing_said() -> None:
    assert seen() == Observation(
        statement_id=ID,
        actor=Actor("mbox", "mailto:ana@example.com"),
        verb="http://adlnet.gov/expapi/verbs/completed",
        activity=ACTIVITY,
        registration=None,
        occurred_at=NOW,
    )


def test_everything_that_is_said_is_observed() -> None:
    found = seen(
        object={
            "id": ACTIVITY,
            "definition": {"type": "http://adlnet.gov/expapi/activities/course"},
        },
        context={"registration": ID.upper()},
        timestamp="2026-01-04T23:00:00Z",
        result={
            "completion": True,
            "success": False,
            "score": {"scaled": -0.5},
            "extensions": {CMI5: 40},
        },
    )
    assert found.registration == ID
    assert found.occurred_at == NOW - 3_600_000_000
    assert (found.completion, found.success, found.score, found.progress) == (True, False, -0.5, 40)
    assert found.activity_type == "http://adlnet.gov/expapi/activities/course"


@pytest.mark.parametrize(
    ("actor", "known"),
    [
        ({"mbox": "mailto:Ana@Example.com"}, Actor("mbox", "mailto:Ana@Example.com")),
        (
            {"account": {"homePage": "https://lms.example.com", "name": "4711"}},
            Actor("account", "4711", "https://lms.example.com"),
        ),
        ({"mbox_sha1sum": "EBD3" + "a" * 36}, Actor("mbox_sha1sum", "ebd3" + "a" * 36)),
        ({"openid": "https://ana.example.com/"}, Actor("openid", "https://ana.example.com/")),
    ],
)
def test_an_agent_is_its_identifier_and_not_its_name(actor: dict[str, Any], known: Actor) -> None:
    assert seen(actor=actor).actor == known
    assert seen(actor={**actor, "name": "Ana", "objectType": "Agent"}).actor == known


@pytest.mark.parametrize(
    ("changes", "words", "activity"),
    [
        (
            {
                "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
                "object": {"objectType": "StatementRef", "id": ID},
            },
            "voids",
            "",
        ),
        ({"object": {"objectType": "StatementRef", "id": ID}}, "not an activity", ""),
        ({"object": {"objectType": "Agent", "mbox": "mailto:a@b.c"}}, "not an activity", ""),
        ({"object": {"objectType": "Group", "mbox": "mailto:a@b.c"}}, "not an activity", ""),
        ({"object": {"objectType": "SubStatement", **GOOD}}, "not an activity", ""),
        ({"actor": {"objectType": "Group", "mbox": "mailto:a@b.c"}}, "group", ACTIVITY),
        (
            {"actor": {"objectType": "Group", "member": [{"mbox": "mailto:a@b.c"}]}},
            "group",
            ACTIVITY,
        ),
    ],
)
def test_what_is_about_no_learner_or_no_activity_has_no_effect_and_says_why(
    changes: dict[str, Any], words: str, activity: str
) -> None:
    found = observe(valid(**changes), NOW)
    assert isinstance(found, NoEffect)
    assert words in found.reason
    assert found.activity == activity


def test_what_has_no_effect_is_not_refused_for_its_reading() -> None:
    group = {"objectType": "Group", "mbox": "mailto:a@b.c"}
    found = observe(valid(actor=group, result={"extensions": {CMI5: "much"}}), NOW)
    assert isinstance(found, NoEffect)


@pytest.mark.parametrize(
    ("timestamp", "before"),
    [
        ("2026-01-04T23:59:59Z", 1),
        ("2026-01-04T23:59:59.5Z", 0.5),
        ("2026-01-04T23:59:59,5z", 0.5),
        ("2026-01-05T00:59:59+01:00", 1),
        ("2026-01-04T18:29:59-0530", 1),
        ("2026-01-04T23:59:59", 1),
        ("20260104T235959Z", 1),
        ("2026-01-04T23", 3600),
        ("2026-01-04T23:59", 60),
        ("2026-01-04T23:59:60Z", 1),
        ("2026-01-05T00:00:00Z", 0),
        # a fast clock
        ("2026-01-05T00:00:01Z", 0),
        ("9999-12-31T23:59:59-23:59", 0),
    ],
)
def test_a_statement_is_as_old_as_it_says_and_never_from_the_future(
    timestamp: str, before: float
) -> None:
    assert seen(timestamp=timestamp).occurred_at == NOW - round(before * 1_000_000)


def test_the_oldest_time_there_is_can_be_observed() -> None:
    assert seen(timestamp="0001-01-01T00:00:00+23:59").occurred_at < 0


@pytest.mark.parametrize(
    ("extensions", "percentage"),
    [
        ({}, None),
        ({"http://e.com/progress": 40}, None),
        ({CMI5: 40}, 40),
        ({CMI5: 0}, 0),
        ({CMI5: 100}, 100),
        ({CMI5: 40.5}, 40.5),
        ({CMI5: "40"}, 40),
        ({CMI5: "40.5"}, 40.5),
        ({CMI5_HTTP: 40}, 40),
        ({CMI5_HTTP: 40, CMI5: 60}, 60),
        ({VIDEO: 0.4}, 40),
        ({VIDEO: 0.29}, 29),
        ({VIDEO: "0.57"}, 57),
        ({VIDEO: 1}, 100),
        ({VIDEO: 0.9, CMI5: 10}, 10),
        ({VIDEO: "nonsense", CMI5: 10}, 10),
    ],
)
def test_progress_is_read_in_both_of_its_spellings_cmi5_before_video(
    extensions: dict[str, Any], percentage: float | None
) -> None:
    assert progress(**extensions) == percentage


@pytest.mark.parametrize("name", [CMI5, CMI5_HTTP, VIDEO])
@pytest.mark.parametrize(
    "value",
    [-1, -0.01, 101, 1e300, "", "almost", "40%", "nan", "inf", "-1", True, False, None, [], {}],
)
def test_progress_that_makes_no_sense_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ReadingRefused, match=re.escape(f"result.extensions[{name}]")):
        progress(**{name: value})


@pytest.mark.parametrize(("name", "value", "most"), [(CMI5, 100.01, 100), (VIDEO, 40, 1)])
def test_a_refusal_says_how_much_is_the_most(name: str, value: float, most: int) -> None:
    with pytest.raises(ReadingRefused, match=f"a number from 0 to {most}, not '{value}'"):
        progress(**{name: value})


def test_a_refusal_shows_only_the_beginning_of_a_long_value() -> None:
    with pytest.raises(ReadingRefused) as refused:
        progress(**{CMI5: "x" * 5_000})
    assert len(str(refused.value)) < 250


@settings(max_examples=150)
@given(
    st.sampled_from([CMI5, CMI5_HTTP, VIDEO]),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
    | st.lists(st.integers(), max_size=2),
)
def test_a_reading_is_a_percentage_or_is_refused(name: str, value: Any) -> None:
    try:
        found = progress(**{name: value})
    except ReadingRefused:
        return
    assert found is not None
    assert 0 <= found <= 100


@settings(max_examples=150)
@given(
    st.datetimes().map(lambda at: at.isoformat()), st.sampled_from(["", "Z", "+23:59", "-23:59"])
)
def test_any_time_of_the_calendar_can_be_observed(at: str, offset: str) -> None:
    assert seen(timestamp=at + offset).occurred_at <= NOW
