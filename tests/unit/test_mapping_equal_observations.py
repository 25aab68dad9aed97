"""What is remembered of observations that say the same is never another learner's or attempt's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pointsman.domain.evidence import Coverage
from pointsman.domain.records import Actor, Falls, Observation
from pointsman.domain.targets import Recipient
from pointsman.mapping import (
    ConfiguredIdentity,
    CourseCompleted,
    CourseName,
    Mapper,
    Rule,
    Template,
)

SEEN = Observation(
    statement_id="id-1",
    actor=Actor("mbox", "mailto:ana@example.com"),
    verb="http://adlnet.gov/expapi/verbs/progressed",
    activity="https://c.example.com/yard/signals",
    registration="r-1",
    occurred_at=1,
    progress=40.0,
)
RULE = Rule(
    name="lessons",
    activity=Template("https://c.example.com/{course}/{topic}"),
    topic_id=Template("{topic}"),
    course=CourseName("id", Template("{course}")),
    course_completed=CourseCompleted.COMPLETED,
)
MEETING = replace(RULE, names={"meeting_id": Template("{topic}")})
NEW_ATTEMPT = replace(RULE, falls=Falls.NEW_ATTEMPT, slides=3)
PLAYED = Coverage(((0.0, 10.0),), 100.0, 1.0)
COMPLETED = "http://adlnet.gov/expapi/verbs/completed"


@pytest.mark.parametrize("rule", [RULE, MEETING, NEW_ATTEMPT], ids=["topic", "meeting", "attempt"])
@pytest.mark.parametrize(
    "other",
    [
        replace(SEEN, statement_id="id-2", occurred_at=2),
        replace(SEEN, actor=Actor("mbox", "mailto:ben@example.com")),
        replace(SEEN, registration="r-2"),
        replace(SEEN, registration=None),
        replace(SEEN, progress=41.0),
        replace(SEEN, progress=None),
        replace(SEEN, completion=False),
        replace(SEEN, completion=True),
        replace(SEEN, success=True, verb="http://adlnet.gov/expapi/verbs/passed"),
        replace(SEEN, score=0.4),
        replace(SEEN, verb=COMPLETED),
        replace(SEEN, verb="http://adlnet.gov/expapi/verbs/attended"),
        replace(SEEN, verb="http://adlnet.gov/expapi/verbs/experienced"),
        replace(SEEN, activity="https://c.example.com/yard/switches"),
        replace(SEEN, activity_type="http://adlnet.gov/expapi/activities/course"),
        replace(SEEN, coverage=PLAYED),
    ],
)
def test_an_observation_changes_the_same_whatever_was_decided_before(
    rule: Rule, other: Observation
) -> None:
    mapper = Mapper([rule], ConfiguredIdentity())
    mapper.decide(SEEN)
    mapper.decide(replace(SEEN, coverage=replace(PLAYED, length=50.0)))

    assert mapper.decide(other) == Mapper([rule], ConfiguredIdentity()).decide(other)


def test_what_two_learners_say_alike_is_each_one_s_own() -> None:
    mapper = Mapper([RULE], ConfiguredIdentity())
    ben = replace(SEEN, actor=Actor("mbox", "mailto:ben@example.com"), statement_id="id-2")

    for observation, name in ((SEEN, "ana@example.com"), (ben, "ben@example.com")):
        changes = mapper.decide(observation).changes
        assert {change.recipient for change in changes} == {Recipient.learner(name)}
        assert {change.statement_id for change in changes} == {observation.statement_id}
