"""What a valid statement says about one learner and one activity."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.domain.records import Actor, LeftOut, Observation, Reading
from pointsman.statements import Limits, NoEffect, Valid, observe, parse
from pointsman.statements.left_out_readings import EXTENSION, as_extension
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


def test_what_has_no_effect_has_none_of_its_readings_looked_at() -> None:
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
    [
        *[-1, -0.01, 101, 1e300, 100.001, "", "almost", "40%", "100%", "nan", "inf"],
        *["-1", True, False, None, [], {}],
    ],
)
def test_progress_that_makes_no_sense_is_left_out_by_name_and_the_completion_is_not(
    name: str, value: Any
) -> None:
    found = seen(result={"completion": True, "extensions": {name: value}})
    assert (found.completion, found.progress) == (True, None)
    (left_out,) = found.left_out
    assert left_out.reading is Reading.PROGRESS
    assert f"result.extensions[{name}]" in left_out.reason


@pytest.mark.parametrize(
    ("extensions", "percentage"),
    [
        ({CMI5: "much", CMI5_HTTP: 40}, 40),
        ({CMI5: 170, VIDEO: 0.4}, 40),
        ({CMI5: "much", CMI5_HTTP: [], VIDEO: 0}, 0),
    ],
)
def test_the_next_spelling_is_read_where_the_first_makes_no_sense(
    extensions: dict[str, Any], percentage: float
) -> None:
    found = seen(result={"extensions": extensions})
    assert found.progress == percentage
    assert len(found.left_out) == len(extensions) - 1


@pytest.mark.parametrize(("name", "value", "most"), [(CMI5, 100.01, 100), (VIDEO, 1.000349, 1)])
def test_the_reason_says_how_much_is_the_most(name: str, value: float, most: int) -> None:
    (left_out,) = seen(result={"extensions": {name: value}}).left_out
    assert f"a number from 0 to {most}, not '{value}'" in left_out.reason


def test_the_reason_shows_only_the_beginning_of_a_long_value() -> None:
    (left_out,) = seen(result={"extensions": {CMI5: "x" * 5_000}}).left_out
    assert len(left_out.reason) < 250


def test_what_was_left_out_when_the_statement_was_made_is_known_from_it() -> None:
    noted = LeftOut(Reading.SCORE, "score.scaled must be a number from 0 to 100, not '101'")
    found = seen(result={"extensions": as_extension([noted])})
    assert found.left_out == (noted,)


@pytest.mark.parametrize(
    "written", [None, 1, "score", [], {"score": 1}, {"score": None}, {"other": "x"}, {"": ""}]
)
def test_what_a_stranger_writes_in_its_place_says_nothing(written: Any) -> None:
    assert seen(result={"extensions": {EXTENSION: written}}).left_out == ()


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
def test_a_reading_is_a_percentage_or_is_left_out(name: str, value: Any) -> None:
    found = seen(result={"extensions": {name: value}})
    assert (found.progress is None) == bool(found.left_out)
    assert found.progress is None or 0 <= found.progress <= 100


@settings(max_examples=150)
@given(
    st.datetimes().map(lambda at: at.isoformat()), st.sampled_from(["", "Z", "+23:59", "-23:59"])
)
def test_any_time_of_the_calendar_can_be_observed(at: str, offset: str) -> None:
    assert seen(timestamp=at + offset).occurred_at <= NOW
