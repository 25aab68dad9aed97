"""Any system's JSON as statements, by paths."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.errors import InputRefused
from pointsman.domain.records import Actor, Observation, Reading
from pointsman.statements import Limits, Valid, observe, parse
from pointsman.statements.adapters import Path, PathTemplate, Webhook
from tests.support.statement_ids import IDS
from tests.unit.test_adapters_json_values import JSON

ADL = "http://adlnet.gov/expapi/verbs/"
HOME = "https://lms.example.com"
NOW = 1_900_000_000_000_000
BODY: dict[str, Any] = {
    "user": "ana@example.com",
    "course": "c 1",
    "percent": 29,
    "state": "open",
    "grade": 80,
    "at": "2025-10-06T10:05:00Z",
}


def webhook(**paths: Any) -> Webhook:
    """With what every sender says, and these paths beside it."""
    made: dict[str, Any] = {
        "source": "lms",
        "ids": IDS,
        "learner": Path.parse("user"),
        "activity": PathTemplate.parse("https://lms.example.com/{course}"),
        "home_page": HOME,
    }
    for name, value in paths.items():
        is_path = isinstance(value, str) and not name.endswith("source")
        made[name] = Path.parse(value) if is_path else value
    return Webhook(**made)


def observations(adapter: Webhook, body: Any, message: str | None = None) -> list[Observation]:
    made = adapter.statements(json.dumps(body).encode(), message)
    parsed = parse(json.dumps(made).encode(), Limits(), new_id=lambda: pytest.fail("no id"))
    seen = []
    for item in parsed.items:
        assert isinstance(item, Valid), item
        observation = observe(item, NOW)
        assert isinstance(observation, Observation)
        seen.append(observation)
    return seen


def test_everything_that_has_a_path_is_in_the_observation() -> None:
    adapter = webhook(
        progress="percent",
        completed="state",
        completed_values=("done",),
        score="grade",
        passed="ok",
        time="at",
        registration="attempt",
    )
    attempt = "1F6B2C3A-0001-4c1e-9a11-000000000001"
    (seen,) = observations(adapter, {**BODY, "ok": True, "attempt": attempt})
    assert seen == Observation(
        statement_id=seen.statement_id,
        actor=Actor("mbox", "mailto:ana@example.com"),
        verb=ADL + "passed",
        activity="https://lms.example.com/c%201",
        registration=attempt.lower(),
        occurred_at=1_759_745_100_000_000,
        progress=29,
        completion=False,
        success=True,
        score=0.8,
    )


@pytest.mark.parametrize(
    ("settings", "changes", "field", "value"),
    [
        ({"progress": "percent"}, {"percent": 33.3}, "progress", 33.3),
        ({"progress": "percent", "progress_scale": 1}, {"percent": 0.29}, "progress", 29),
        ({"progress": "percent"}, {"percent": None}, "progress", None),
        ({"completed": "state"}, {"state": True}, "completion", True),
        ({"completed": "state"}, {"state": "false"}, "completion", False),
        ({"completed": "state", "completed_values": ("Done",)}, {"state": "done"}, "completion", 1),
        ({"passed": "state", "passed_values": ("A", "B")}, {"state": "C"}, "success", False),
        ({"score": "grade", "score_scale": 1}, {"grade": -0.5}, "score", -0.5),
        ({"score": "grade"}, {"grade": "80"}, "score", 0.8),
        ({"time": "at"}, {"at": 1_759_745_100_000}, "occurred_at", 1_759_745_100_000_000),
        ({"time": "at"}, {"at": None}, "occurred_at", NOW),
        ({}, {}, "occurred_at", NOW),
        ({}, {"user": "u-7"}, "actor", Actor("account", "u-7", HOME)),
        ({}, {"user": 7}, "actor", Actor("account", "7", HOME)),
        ({"activity": "url"}, {"url": "https://lms.example.com/x"}, "activity", None),
        ({"registration": "try"}, {"try": None}, "registration", None),
        ({}, {}, "verb", ADL + "progressed"),
    ],
)
def test_what_stands_at_a_path_is_read(
    settings: dict[str, Any], changes: dict[str, Any], field: str, value: Any
) -> None:
    (seen,) = observations(webhook(**settings), {**BODY, **changes})
    wanted = "https://lms.example.com/x" if field == "activity" else value
    assert getattr(seen, field) == wanted


@pytest.mark.parametrize(
    ("user", "actor"),
    [
        ("ana@example.com", Actor("mbox", "mailto:ana@example.com")),
        # RFC 6068 section 2: an escape is a character of the address
        ("mailto:ana%2Bx@example.com", Actor("mbox", "mailto:ana+x@example.com")),
        ("MAILTO:Ana@Example.com", Actor("mbox", "mailto:Ana@Example.com")),
        ("ana%2Bx@example.com", Actor("mbox", "mailto:ana%252Bx@example.com")),
        ("mailto:ana@example.com?cc=ben@example.com",) * 2,
        ("ana@example.com?subject=x",) * 2,
        ("mailto:ana",) * 2,
    ],
)
def test_a_learner_is_a_mailbox_however_it_is_written_or_an_account(
    user: str, actor: Actor | str
) -> None:
    if isinstance(actor, str):
        actor = Actor("account", actor, HOME)
    (seen,) = observations(webhook(), {**BODY, "user": user})
    assert seen.actor == actor


def test_an_attempt_of_another_name_is_the_same_for_the_same_name() -> None:
    def attempt(name: Any) -> str | None:
        (seen,) = observations(webhook(registration="try"), {**BODY, "try": name})
        return seen.registration

    assert attempt("first") == attempt("first") != attempt("second")
    assert attempt(1) == attempt("1")


ITEMS: dict[str, Any] = {
    "user": "ana@example.com",
    "id": "m",
    "list": [{"c": "a", "n": 1}, {"c": "b", "n": 2}],
}


def test_each_element_of_a_list_is_a_report_with_what_the_body_says_of_all() -> None:
    adapter = webhook(
        learner="$.user",
        activity=PathTemplate.parse("https://lms.example.com/{c}"),
        progress="n",
        items="list",
    )
    seen = observations(adapter, ITEMS)
    assert [(one.activity, one.progress) for one in seen] == [
        ("https://lms.example.com/a", 1),
        ("https://lms.example.com/b", 2),
    ]
    assert {one.actor.value for one in seen} == {"mailto:ana@example.com"}
    assert observations(adapter, {**ITEMS, "list": []}) == []


@pytest.mark.parametrize(
    ("event", "is_report"),
    [
        ("lesson.completed", True),
        ("Lesson.Completed", True),
        (" lesson.progressed ", True),
        ("user.created", False),
        ("ping", False),
        (None, False),
        ({}, False),
    ],
)
def test_an_event_of_another_kind_says_nothing_and_lacks_nothing(
    event: Any, is_report: bool
) -> None:
    """Senders disable an endpoint that refuses what they send, a ping too."""
    adapter = webhook(event="type", event_values=("lesson.completed", "lesson.progressed"))
    assert len(observations(adapter, {**BODY, "type": event})) == is_report
    if not is_report:
        assert observations(adapter, {"type": event, "zen": "Keep it logically awesome."}) == []


def test_of_a_list_only_the_reports_are_read() -> None:
    adapter = webhook(items="events", event="type", event_values=("done",))
    body = {"events": [{**BODY, "type": "done"}, {"type": "login"}, {"user": "ana"}]}
    assert len(observations(adapter, body)) == 1
    of_all = webhook(items="events", event="$.type", event_values=("done",))
    assert observations(of_all, {"type": "login", "events": [{}]}) == []


def ids(adapter: Webhook, body: Any, message: str | None = None) -> list[str]:
    return [one.statement_id for one in observations(adapter, body, message)]


def test_a_message_that_comes_again_has_the_same_ids() -> None:
    by_body = webhook()
    assert ids(by_body, BODY) == ids(by_body, BODY)
    assert ids(by_body, BODY) != ids(by_body, {**BODY, "percent": 30})
    assert ids(by_body, BODY, "msg_1") == ids(by_body, {**BODY, "more": 1}, "msg_1")
    assert ids(by_body, BODY, "msg_1") != ids(by_body, BODY, "msg_2")
    by_path = webhook(id="event")
    assert ids(by_path, {**BODY, "event": 1}, "msg_1") == ids(by_path, {**BODY, "event": "1"}, "x")
    assert ids(by_path, {**BODY, "event": 1}) != ids(by_path, {**BODY, "event": 2})
    assert ids(by_body, BODY) != ids(webhook(source="other"), BODY)


def test_items_have_ids_of_their_own() -> None:
    settings: dict[str, Any] = {
        "learner": "$.user",
        "activity": PathTemplate.parse("https://lms.example.com/{c}"),
        "items": "list",
    }
    for adapter in (webhook(**settings), webhook(**settings, id="$.id")):
        assert len(set(ids(adapter, ITEMS))) == 2
    by_item = webhook(**settings, id="n")
    turned = {**ITEMS, "list": ITEMS["list"][::-1]}
    assert ids(by_item, ITEMS) == ids(by_item, turned)[::-1]
    assert len(ids(by_item, {**ITEMS, "list": [{"c": "a", "n": 1}] * 2})) == 1


@pytest.mark.parametrize(
    ("settings", "body", "words"),
    [
        ({}, b"{", "not JSON"),
        ({}, b"\xff", "not JSON"),
        ({}, b'{"user": "a", "user": "b"}', "'user' appears twice"),
        ({}, [], "nothing at user|nothing at course"),
        ({}, {**BODY, "user": None}, "the body has nothing at user"),
        ({}, {**BODY, "user": []}, "neither text nor a number at user"),
        ({}, {**BODY, "course": ""}, "the body has nothing at course"),
        ({"activity": "url"}, {**BODY, "url": "lesson 1"}, "the activity must be an absolute IRI"),
        ({"id": "event"}, BODY, "the body has nothing at event"),
        ({"items": "list"}, BODY, "the body has no list at list"),
        ({"items": "list"}, {"list": [BODY, {"user": "x"}]}, r"list\[1\]: the body has nothing at"),
    ],
)
def test_a_body_that_lacks_what_is_needed_is_refused_with_the_path(
    settings: dict[str, Any], body: Any, words: str
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InputRefused, match=words):
        webhook(**settings).statements(raw)


@pytest.mark.parametrize(
    ("settings", "changes", "reading", "words"),
    [
        ({"progress": "percent"}, {"percent": 101}, Reading.PROGRESS, "percent must be a number"),
        ({"progress": "percent"}, {"percent": "100%"}, Reading.PROGRESS, "not '100%'"),
        (
            {"progress": "percent", "progress_scale": 1},
            {"percent": 1.000349},
            Reading.PROGRESS,
            "from 0 to 1",
        ),
        ({"score": "grade"}, {"grade": "A"}, Reading.SCORE, "grade must be a number, not 'A'"),
        ({"score": "grade"}, {"grade": 120}, Reading.SCORE, "from -100 to 100"),
        ({"passed": "ok"}, {"ok": "maybe"}, Reading.SUCCESS, "ok must be true or false"),
        ({"time": "at"}, {"at": "today"}, Reading.TIMESTAMP, "at must be a time"),
        ({"registration": "try"}, {"try": []}, Reading.ATTEMPT, "try must be text or a number"),
    ],
)
def test_a_value_that_makes_no_sense_is_left_out_and_the_completion_is_not(
    settings: dict[str, Any], changes: dict[str, Any], reading: Reading, words: str
) -> None:
    adapter = webhook(**settings, completed="done")
    (seen,) = observations(adapter, {**BODY, **changes, "done": True})
    assert seen.completion is True
    assert [left_out.reading for left_out in seen.left_out] == [reading]
    assert words in seen.left_out[0].reason


def test_a_completion_that_makes_no_sense_is_left_out_and_the_progress_is_not() -> None:
    adapter = webhook(progress="percent", completed="state")
    (seen,) = observations(adapter, {**BODY, "percent": 40})
    assert (seen.progress, seen.completion) == (40, None)
    assert "state must be true or false, not 'open'" in seen.left_out[0].reason


@given(
    st.dictionaries(st.sampled_from([*BODY, "list", "event", "try"]), JSON),
    st.booleans(),
    st.booleans(),
)
def test_any_json_becomes_valid_statements_or_is_refused(
    changes: dict[str, Any], listed: bool, whole: bool
) -> None:
    adapter = webhook(
        progress="percent",
        completed="state",
        completed_values=("done",),
        score="grade",
        time="at",
        registration="try",
        items="list" if listed else None,
        **({} if whole else {"activity": "course"}),
    )
    body: Any = {**BODY, **changes}
    if listed and not isinstance(body.get("list"), list):
        body["list"] = [body.copy()]
    with suppress(InputRefused):
        observations(adapter, body)
