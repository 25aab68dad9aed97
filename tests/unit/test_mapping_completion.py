"""When an observation completes a topic or a course, by itself or together with others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pointsman.domain.evidence import Coverage
from pointsman.domain.records import Actor, Falls, Item, Observation, Submission
from pointsman.domain.targets import Target, TargetKind, Value
from pointsman.mapping import (
    ConfiguredIdentity,
    CourseCompleted,
    CourseName,
    Mapper,
    MoveOn,
    Rule,
    Template,
)
from pointsman.store.commit_plan import Plan

ADL = "http://adlnet.gov/expapi/verbs/"
TYPE = "http://adlnet.gov/expapi/activities/"
BASE = "https://c.example.com"
TOPIC = Target(TargetKind.TOPIC_PROGRESS, "yard")
COURSE = Target(TargetKind.COURSE_STATUS, "slug:yard")
RULE = Rule(
    name="units",
    activity=Template(BASE + "/{course}/{unit}"),
    topic_id=Template("{course}"),
    course=CourseName("slug", Template("{course}")),
    course_started=False,
)
SEEN = Observation(
    statement_id="id",
    actor=Actor("mbox", "mailto:ana@example.com"),
    verb=f"{ADL}completed",
    activity=f"{BASE}/yard/1",
    registration=None,
    occurred_at=1,
)


def said(verb: str, unit: str = "1", **more: Any) -> Observation:
    return replace(SEEN, verb=f"{ADL}{verb}", activity=f"{BASE}/yard/{unit}", **more)


def watched(
    *spans: tuple[float, float], verb: str = "paused", unit: str = "1", **more: Any
) -> Observation:
    return said(verb, unit, coverage=Coverage(spans, 100.0, 0.9), **more)


def leads_to(rule: Rule, *seen: Observation) -> dict[Target, Value]:
    """What is desired once all of them have come, in the store's own merging."""
    plan = Plan({}, {}, lambda *_key: False)
    mapping = Mapper([rule], ConfiguredIdentity())
    for place, one in enumerate(seen):
        decision = mapping.decide(replace(one, statement_id=f"id-{place}"))
        plan.take(Submission("s", b"{}", 1, (Item(f"id-{place}", 1, None, decision),)))
    return {target: desired.value for (_, target), desired in plan.desired.items()}


PASSED, COMPLETED = said("passed", success=True), said("completed", completion=True)
FAILED = said("passed", success=False)
BOTH = said("passed", completion=True, success=True)


@pytest.mark.parametrize(
    ("move_on", "seen", "topic"),
    [
        (MoveOn.PASSED, [PASSED], 100),
        (MoveOn.PASSED, [COMPLETED], 99),
        (MoveOn.PASSED, [FAILED], None),
        (MoveOn.COMPLETED, [COMPLETED], 100),
        (MoveOn.COMPLETED, [PASSED], None),
        (MoveOn.COMPLETED, [said("completed", completion=False)], None),
        (MoveOn.COMPLETED_OR_PASSED, [PASSED], 100),
        (MoveOn.COMPLETED_OR_PASSED, [COMPLETED], 100),
        (MoveOn.COMPLETED_AND_PASSED, [PASSED], None),
        (MoveOn.COMPLETED_AND_PASSED, [COMPLETED], 99),
        (MoveOn.COMPLETED_AND_PASSED, [COMPLETED, COMPLETED, FAILED], 99),
        (MoveOn.COMPLETED_AND_PASSED, [COMPLETED, PASSED], 100),
        (MoveOn.COMPLETED_AND_PASSED, [PASSED, COMPLETED], 100),
        (MoveOn.COMPLETED_AND_PASSED, [BOTH], 100),
        # of another unit of the same topic
        (MoveOn.COMPLETED_AND_PASSED, [COMPLETED, said("passed", "2", success=True)], 99),
        # a question is a part of it
        (
            MoveOn.COMPLETED_AND_PASSED,
            [said("answered", completion=True, success=True), said("passed")],
            None,
        ),
        (MoveOn.NOT_APPLICABLE, [said("initialized")], 100),
        (MoveOn.COMPLETED_AND_PASSED, [said("waived")], 100),
        (MoveOn.COMPLETED, [said("progressed", progress=100.0)], 99),
        (MoveOn.COMPLETED, [said("progressed", progress=40.0)], 40),
        (MoveOn.PASSED, [said("passed", success=False, progress=40.0)], 40),
        (MoveOn.COMPLETED, [said("initialized")], None),
        # what was played is completion, not what the player says of it
        (MoveOn.COMPLETED, [watched((90, 100), verb="completed", completion=True)], 10),
        (MoveOn.COMPLETED, [watched((0, 50)), watched((40, 95))], 100),
        (MoveOn.PASSED, [watched((0, 95))], 95),
        (MoveOn.COMPLETED_AND_PASSED, [watched((0, 95)), PASSED], 100),
        (MoveOn.COMPLETED_AND_PASSED, [PASSED, watched((0, 50)), watched((50, 95))], 100),
    ],
)
def test_a_topic_is_complete_once_its_activity_is_satisfied(
    move_on: MoveOn, seen: Sequence[Observation], topic: int | None
) -> None:
    rule = replace(RULE, course=None, move_on=move_on)
    assert leads_to(rule, *seen).get(TOPIC) == topic


@pytest.mark.parametrize(
    ("by", "seen", "completed"),
    [
        (CourseCompleted.COMPLETED_AND_PASSED, [COMPLETED], False),
        (CourseCompleted.COMPLETED_AND_PASSED, [PASSED], False),
        (CourseCompleted.COMPLETED_AND_PASSED, [COMPLETED, PASSED], True),
        (CourseCompleted.COMPLETED_AND_PASSED, [PASSED, COMPLETED], True),
        (CourseCompleted.COMPLETED_AND_PASSED, [BOTH], True),
        (CourseCompleted.COMPLETED_AND_PASSED, [COMPLETED, said("passed", "2")], False),
        (CourseCompleted.COMPLETED_AND_PASSED, [said("waived")], True),
        (CourseCompleted.COMPLETED, [watched((99, 100), verb="completed")], False),
        (CourseCompleted.COMPLETED, [watched((0, 60)), watched((60, 90))], True),
        (CourseCompleted.PASSED, [watched((0, 90))], False),
        (CourseCompleted.NEVER, [BOTH, watched((0, 90))], False),
    ],
)
def test_a_course_is_completed_by_what_its_rule_asks_for(
    by: CourseCompleted, seen: Sequence[Observation], completed: bool
) -> None:
    found = leads_to(replace(RULE, course_completed=by), *seen)
    assert (found.get(COURSE) == "completed") == completed


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_course_of_parts_is_completed_by_so_many_of_them_in_any_order(
    order: tuple[int, ...],
) -> None:
    rule = replace(RULE, course_completed=CourseCompleted.COMPLETED_AND_PASSED, course_parts=2)
    seen = [said("completed"), said("passed"), said("completed", "2"), said("passed", "2")]
    shuffled = [seen[place] for place in order]
    assert COURSE not in leads_to(rule, *shuffled[:3])
    assert leads_to(rule, *shuffled)[COURSE] == "completed"


def test_the_same_part_twice_is_one_part() -> None:
    rule = replace(RULE, course_completed=CourseCompleted.COMPLETED, course_parts=2)
    assert COURSE not in leads_to(rule, COMPLETED, COMPLETED)
    assert leads_to(rule, COMPLETED, COMPLETED, said("completed", "2"))[COURSE] == "completed"


def test_a_part_that_is_waived_is_one_part() -> None:
    rule = replace(RULE, course_completed=CourseCompleted.PASSED, course_parts=2)
    assert COURSE not in leads_to(rule, said("waived"))
    assert leads_to(rule, said("waived"), said("passed", "2"))[COURSE] == "completed"
    assert leads_to(RULE, said("waived"))[COURSE] == "completed"


def test_a_course_of_parts_is_started_before_it_is_completed() -> None:
    rule = replace(
        RULE, course_started=True, course_completed=CourseCompleted.COMPLETED, course_parts=2
    )
    assert leads_to(rule, COMPLETED)[COURSE] == "started"
    assert leads_to(rule, COMPLETED, said("completed", "2"))[COURSE] == "completed"


SLIDES = replace(RULE, slides=4, course_completed=CourseCompleted.COMPLETED)


@pytest.mark.parametrize(
    ("seen", "topic", "course"),
    [
        ([said("experienced", "1")], 25, None),
        ([said("experienced", "1")] * 3, 25, None),
        ([said("experienced", unit) for unit in "123"], 75, None),
        ([said("experienced", unit) for unit in "1234"], 100, "completed"),
        ([said("experienced", unit) for unit in "12345"], 100, "completed"),
        # of a slide nothing else counts
        ([said("completed", completion=True), said("progressed", progress=50.0)], None, None),
        # the course itself, where the template takes it too
        ([said("completed", "x", activity_type=f"{TYPE}course")], 100, "completed"),
    ],
)
def test_slides_that_were_seen_are_progress(
    seen: Sequence[Observation], topic: int | None, course: str | None
) -> None:
    found = leads_to(SLIDES, *seen)
    assert (found.get(TOPIC), found.get(COURSE)) == (topic, course)


@pytest.mark.parametrize(
    ("seen", "topic"),
    [
        ([watched((0, 40))], 40),
        ([watched((0, 40)), watched((20, 60))], 60),
        ([watched((60, 100)), watched((0, 60))], 100),
        # a jump to the end, whatever the player says
        ([watched((97, 100), verb="completed", completion=True, progress=100.0)], 3),
        ([watched()], None),
        # another video of the same topic
        ([watched((0, 50)), watched((50, 100), unit="2")], 50),
        # a player that says nothing of what was played is believed
        ([said("completed", coverage=Coverage(None, 100.0))], 100),
        ([said("paused", coverage=Coverage(None, 100.0), progress=74.0)], 74),
        ([said("initialized", coverage=Coverage(None, 100.0))], None),
        # the length and the threshold may be said by another statement than the stretches
        ([said("initialized", coverage=Coverage(None, 50.0, 0.5)), watched((0, 25))], 100),
        # what was played of nobody knows what is no share, and the player is believed
        ([said("completed", completion=True, coverage=Coverage(((0, 5),), math.inf))], 100),
        ([said("paused", progress=40.0, coverage=Coverage(((0, 5),), math.inf))], 40),
        ([said("paused", coverage=Coverage(((0, 5),), math.inf))], None),
    ],
)
def test_what_was_played_is_united(seen: Sequence[Observation], topic: int | None) -> None:
    assert leads_to(RULE, *seen).get(TOPIC) == topic


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("falls", "topic"), [(Falls.NEVER, 100), (Falls.ALWAYS, 100), (Falls.NEW_ATTEMPT, 50)]
)
def test_a_new_attempt_gathers_its_own_evidence(falls: Falls, topic: int, order: int) -> None:
    first = watched((0, 50), registration="r1", occurred_at=1)
    second = watched((50, 100), registration="r2", occurred_at=2)
    assert leads_to(replace(RULE, falls=falls), *[first, second][::order])[TOPIC] == topic


def test_long_activities_are_told_apart_all_the_same() -> None:
    rule = replace(RULE, course=None, move_on=MoveOn.COMPLETED_AND_PASSED)
    long = "x" * 3_000
    assert leads_to(rule, said("passed", long + "1"), said("completed", long + "2"))[TOPIC] == 99
    assert leads_to(rule, said("passed", long), said("completed", long))[TOPIC] == 100


@pytest.mark.parametrize(
    ("rule", "seen", "why"),
    [
        (RULE, said("experienced"), "seen is not completed; a rule with `slides` counts"),
        (SLIDES, said("progressed"), "of its slides only `experienced` counts"),
        (RULE, said("progressed", remark="it names a page"), ": it names a page"),
        (RULE, said("progressed"), "says nothing about progress under rule 'units'"),
    ],
)
def test_a_statement_without_effect_says_why(rule: Rule, seen: Observation, why: str) -> None:
    assert why in Mapper([rule], ConfiguredIdentity()).decide(seen).reason
