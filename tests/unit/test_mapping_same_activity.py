"""A rule takes an activity however it is written, and says which one it nearly takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pointsman.domain.records import Actor, Decision, InputOutcome, Observation, Submission
from pointsman.domain.records import Item as StatementItem
from pointsman.domain.targets import Target, TargetKind
from pointsman.mapping import (
    AccountTemplate,
    ConfiguredIdentity,
    CourseCompleted,
    CourseName,
    Mapper,
    Rule,
    Template,
)
from pointsman.store.commit_plan import Plan

IDENTITY = ConfiguredIdentity(
    [AccountTemplate("https://sso.example.com", Template("{name}@example.com"))]
)
LESSONS = Rule(
    "lessons",
    Template("https://content.example.com/café/lessons/{topic}"),
    topic_id=Template("{topic}"),
)
SEEN = Observation(
    statement_id="id",
    actor=Actor("mbox", "mailto:ana@example.com"),
    verb="http://adlnet.gov/expapi/verbs/completed",
    activity="https://content.example.com/café/lessons/a1",
    registration=None,
    occurred_at=1,
)


def decided(activity: str, *rules: Rule, actor: Actor = SEEN.actor) -> Decision:
    mapper = Mapper(rules or (LESSONS,), IDENTITY)
    return mapper.decide(replace(SEEN, activity=activity, actor=actor))


@pytest.mark.parametrize(
    "activity",
    [
        SEEN.activity,
        "https://content.example.com/caf%C3%A9/lessons/a1",
        "https://content.example.com/caf%c3%a9/lessons/%61%31",
        "https://content.example.com:443/café/lessons/a1",
        "HTTPS://Content.Example.COM/café/lessons/a1",
        "https://content.example.com/café/./x/../lessons/a1",
    ],
)
@pytest.mark.parametrize(
    "actor",
    [
        Actor("account", "ana", "https://sso.example.com/"),
        Actor("account", "ana", "HTTPS://SSO.example.com"),
        Actor("mbox", "mailto:%61na@example.com"),
    ],
)
def test_one_activity_and_one_learner_in_any_spelling_are_one_topic(
    activity: str, actor: Actor
) -> None:
    decision = decided(activity, actor=actor)
    (change,) = decision.changes
    assert change.recipient.id == "ana@example.com"
    assert change.target == Target(TargetKind.TOPIC_PROGRESS, "a1")
    # what was sent is what is shown
    assert decision.activity == activity


def test_rules_are_tried_in_their_order_whatever_the_spelling() -> None:
    wide = Rule(
        "wide", Template("https://content.example.com/{a}/lessons/{b}"), topic_id=Template("w")
    )
    escaped = "https://content.example.com/caf%C3%A9/lessons/a1"
    assert decided(escaped, LESSONS, wide).rule == "lessons"
    assert decided(escaped, wide, LESSONS).rule == "wide"


@pytest.mark.parametrize(
    ("template", "activity", "topic"),
    [
        # a variable keeps what was sent where the rule's own part is as the rule has it
        ("https://{topic}.example.com/x", "https://Acme.example.com/x", "Acme"),
        ("https://{topic}.example.com/x", "HTTPS://Acme.example.com/x", "acme"),
        ("https://c.example.com/{topic}", "https://C.example.com/A%2Fb", "A/b"),
        ("https://c.example.com:443/{topic}", "https://c.example.com/a", "a"),
        ("https://c.example.com/?{topic}", "HTTPS://c.example.com/?a", "a"),
        ("urn:Lesson:{topic}", "URN:lesson:A", "A"),
    ],
)
def test_what_a_variable_stands_for(template: str, activity: str, topic: str) -> None:
    rule = Rule("r", Template(template), topic_id=Template("{topic}"))
    (change,) = decided(activity, rule).changes
    assert change.target.key == topic


def test_a_rule_whose_variable_normalization_would_take_away_matches_letter_by_letter() -> None:
    rule = Rule("r", Template("https://c.example.com/{x}/../{topic}"), topic_id=Template("{topic}"))
    assert decided("https://c.example.com/a/../b", rule).outcome is InputOutcome.APPLIED
    assert decided("https://C.example.com/a/../b", rule).outcome is InputOutcome.UNMATCHED


@pytest.mark.parametrize(
    ("activity", "is_near"),
    [
        ("http://content.example.com/café/lessons/a1", True),
        ("https://www.content.example.com/café/lessons/a1", True),
        ("https://content.example.com/Café/Lessons/a1", True),
        ("https://content.example.com/café/lessons/a1/", True),
        ("https://content.example.com:8443/café/lessons/a1", True),
        ("https://content.example.com/café/a1", False),
        ("https://elsewhere.example.com/café/lessons/a1", False),
    ],
)
def test_the_reason_of_what_is_unmatched_names_the_rule_that_nearly_takes_it(
    activity: str, is_near: bool
) -> None:
    decision = decided(activity)
    assert decision.outcome is InputOutcome.UNMATCHED
    assert ("rule 'lessons' takes" in decision.reason) is is_near


def test_an_activity_in_two_spellings_is_one_part_of_a_course() -> None:
    rule = Rule(
        "parts",
        Template("https://c.example.com/{course}/{part}"),
        course=CourseName("slug", Template("{course}")),
        course_started=False,
        course_completed=CourseCompleted.COMPLETED,
        course_parts=2,
    )
    mapper = Mapper([rule], ConfiguredIdentity())
    plan = Plan({}, {}, lambda *_key: False)

    def complete(place: int, activity: str) -> bool:
        decision = mapper.decide(replace(SEEN, statement_id=str(place), activity=activity))
        plan.take(Submission("s", b"{}", 1, (StatementItem(str(place), 1, None, decision),)))
        return bool(plan.desired)

    assert not complete(1, "https://c.example.com/yard/caf%C3%A9")
    assert not complete(2, "https://c.example.com/yard/café")
    assert not complete(3, "HTTPS://C.example.com/yard/caf%c3%a9")
    assert complete(4, "https://c.example.com/yard/two")
