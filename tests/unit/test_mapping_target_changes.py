"""Which target a statement moves, by rule, verb and activity type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pointsman.domain.records import Actor, Change, InputOutcome, Observation
from pointsman.domain.targets import ReadBackPlace, Recipient, Target, TargetKind
from pointsman.mapping import (
    AccountTemplate,
    ConfiguredIdentity,
    CourseCompleted,
    CourseName,
    Mapper,
    Rule,
    Template,
)

ADL = "http://adlnet.gov/expapi/verbs/"
WHO = "ana@example.com"
SEEN = Observation(
    statement_id="id-1",
    actor=Actor("mbox", "mailto:Ana@Example.com"),
    verb=f"{ADL}completed",
    activity="https://c.example.com/yard/signals",
    registration=None,
    occurred_at=1,
)
EVERYTHING = Rule(
    name="everything",
    activity=Template("https://c.example.com/{course}/{topic}"),
    topic_id=Template("{topic}"),
    course=CourseName("id", Template("{course}")),
    course_completed=CourseCompleted.COMPLETED,
    names={
        "learning_path_slug": Template("path-{course}"),
        "learning_path_id": Template("lp-{course}"),
        "meeting_id": Template("mtg-{topic}"),
    },
)
IDENTITY = ConfiguredIdentity(
    [AccountTemplate("https://lms.example.com", Template("{name}@example.com"))]
)

TOPIC = Target(TargetKind.TOPIC_PROGRESS, "signals")
COURSE = Target(TargetKind.COURSE_STATUS, "id:yard")
PATH = Target(TargetKind.LEARNING_PATH_ACCESS, "path-yard")
COURSE_ARCHIVED = Target(TargetKind.COURSE_ARCHIVED, "yard")
PATH_ARCHIVED = Target(TargetKind.LEARNING_PATH_ARCHIVED, "lp-yard")
MEETING = Target(TargetKind.MEETING_ATTENDANCE, f"yard {WHO}")


def decided(rule: Rule, **seen: Any) -> dict[Target, Change]:
    decision = Mapper([rule], IDENTITY).decide(replace(SEEN, **seen))
    return {change.target: change for change in decision.changes}


def values(rule: Rule, **seen: Any) -> dict[Target, int | str]:
    return {target: change.value for target, change in decided(rule, **seen).items()}


@pytest.mark.parametrize(
    ("verb", "wanted"),
    [
        ("completed", {TOPIC: 100, COURSE: "completed", PATH: "started"}),
        ("initialized", {COURSE: "started", PATH: "started"}),
        ("abandoned", {COURSE: "not-completed", PATH: "not-completed"}),
        ("waived", {COURSE: "completed", PATH: "started"}),
        ("attended", {COURSE: "started", PATH: "started", MEETING: "attended"}),
        ("registered", {COURSE: "started", PATH: "started", MEETING: "not-attended"}),
        ("archived", {COURSE_ARCHIVED: "archived", PATH_ARCHIVED: "archived"}),
        ("reinstated", {COURSE_ARCHIVED: "active", PATH_ARCHIVED: "active"}),
    ],
)
def test_a_verb_moves_the_targets_that_it_speaks_of(
    verb: str, wanted: dict[Target, int | str]
) -> None:
    assert values(EVERYTHING, verb=f"{ADL}{verb}") == wanted


def test_a_completed_course_comes_after_the_topic_of_its_observation() -> None:
    changes = decided(EVERYTHING)
    assert changes[COURSE].after == (TOPIC,)
    assert changes[TOPIC].after == changes[PATH].after == ()


def test_attendance_is_delivered_for_the_meeting_and_all_else_for_the_learner() -> None:
    changes = decided(EVERYTHING, verb=f"{ADL}attended")
    learner = Recipient.learner(WHO)
    assert {one.recipient for one in changes.values() if one.target != MEETING} == {learner}
    assert changes[MEETING].recipient == Recipient.meeting("mtg-signals")


def test_attendance_of_a_rule_without_a_course_id_names_no_course() -> None:
    rule = replace(EVERYTHING, course=CourseName("slug", Template("{course}")))
    keys = {target.key for target in decided(rule, verb=f"{ADL}attended")}
    assert f" {WHO}" in keys


def test_only_a_course_that_is_named_by_its_id_can_be_archived() -> None:
    rule = replace(EVERYTHING, course=CourseName("sku", Template("{course}")))
    assert values(rule, verb=f"{ADL}archived") == {PATH_ARCHIVED: "archived"}


@pytest.mark.parametrize(
    ("course", "audit", "read_back"),
    [
        (CourseName("id", Template("{course}")), None, ReadBackPlace.course("yard")),
        (CourseName("slug", Template("{course}")), None, None),
        (
            CourseName("slug", Template("{course}")),
            Template("c-{course}"),
            ReadBackPlace.course("c-yard"),
        ),
        (None, Template("c-{course}"), ReadBackPlace.course("c-yard")),
        (None, None, None),
    ],
)
def test_a_change_knows_where_the_platform_shows_it(
    course: CourseName | None, audit: Template | None, read_back: ReadBackPlace | None
) -> None:
    changes = decided(replace(EVERYTHING, course=course, audit_course_id=audit))
    assert changes[TOPIC].read_back == read_back
    assert changes[PATH].read_back == ReadBackPlace.path("path-yard")


@pytest.mark.parametrize(
    ("types", "seen", "taken"),
    [
        (None, None, True),
        (None, "http://adlnet.gov/expapi/activities/course", True),
        ({"course"}, "http://adlnet.gov/expapi/activities/course", True),
        ({"course"}, "https://w3id.org/xapi/cmi5/activitytype/course", True),
        ({"course"}, "http://adlnet.gov/expapi/activities/lesson", False),
        ({"course"}, None, False),
        ({"https://x.example.com/types/shift"}, "https://x.example.com/types/shift", True),
    ],
)
def test_a_rule_takes_the_activity_types_it_names(
    types: set[str] | None, seen: str | None, taken: bool
) -> None:
    rule = replace(EVERYTHING, activity_types=None if types is None else frozenset(types))
    decision = Mapper([rule], IDENTITY).decide(replace(SEEN, activity_type=seen))
    assert (decision.outcome is InputOutcome.APPLIED) is taken
    if not taken:
        assert "the type" in decision.reason
        assert "everything" in decision.reason


def test_the_first_rule_that_takes_verb_and_type_decides() -> None:
    meetings = Rule(
        name="meetings",
        activity=EVERYTHING.activity,
        activity_types=frozenset({"meeting"}),
        names={"meeting_id": Template("{topic}")},
    )
    mapping = Mapper([meetings, EVERYTHING], IDENTITY)
    meeting = replace(
        SEEN,
        verb=f"{ADL}attended",
        activity_type="http://adlnet.gov/expapi/activities/meeting",
    )
    assert mapping.decide(meeting).rule == "meetings"
    assert mapping.decide(replace(meeting, activity_type=None)).rule == "everything"
