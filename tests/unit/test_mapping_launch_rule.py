"""What a launch's statements ask for: only a met moveOn completes, only Normal mode writes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.launch import Launch, LaunchMode, PlayerKind
from pointsman.domain.records import Decision, InputOutcome, Observation
from pointsman.domain.targets import Value
from pointsman.mapping import ConfiguredIdentity, Mapper, Rule, Template
from tests.support.cmi5_statements import LAUNCH, UNIT

ADL = "http://adlnet.gov/expapi/verbs/"
W3ID = "https://w3id.org/xapi/adl/verbs/"
OWN = replace(LAUNCH, topic_id="t", course_by="id", course="c", course_completed="completed")
RULES = Mapper(
    [
        Rule(
            name="units",
            activity=Template("https://content.example.com/{unit}"),
            topic_id=Template("{unit}"),
            verbs=frozenset({"completed", "passed", "progressed", "waived"}),
            score_is_progress=True,
        )
    ],
    ConfiguredIdentity(),
)


def seen(verb: str, **more: Any) -> Observation:
    return Observation(
        "39b0aaf8-0000-4000-8000-000000000009",
        LAUNCH.actor,
        verb if ":" in verb else f"{ADL}{verb}",
        UNIT,
        LAUNCH.registration,
        1,
        **more,
    )


def values(decision: Decision) -> list[Value]:
    return [change.value for change in decision.changes]


@pytest.mark.parametrize(
    ("observation", "wanted"),
    [
        (seen("initialized"), ["started"]),
        (seen("progressed", progress=40), [40, "started"]),
        (seen("progressed", progress=100), [99, "started"]),
        (seen("progressed", progress=99.9), [99, "started"]),
        (seen("passed", success=True, score=1.0), ["started"]),
        (seen("passed"), ["started"]),
        (seen("completed", completion=True), [99, "started"]),
        (seen("completed"), [99, "started"]),
        (seen("completed", completion=False, progress=70), [70, "started"]),
        (seen("progressed", completion=True), [99, "started"]),
        (seen(f"{W3ID}satisfied"), [100, "completed"]),
        (seen(f"{W3ID}waived", completion=True, success=True), [100, "completed"]),
    ],
)
def test_only_the_lms_completes_where_move_on_is_set(
    observation: Observation, wanted: list[Value]
) -> None:
    assert values(RULES.decide(observation, OWN)) == wanted


@pytest.mark.parametrize("word", ["completed", "passed", "completed_or_passed", "never"])
def test_a_course_is_completed_when_satisfied_whatever_completes_it(word: str) -> None:
    launch = replace(OWN, course_completed=word)
    for verb in ("completed", "passed"):
        assert "completed" not in values(RULES.decide(seen(verb, success=True), launch))
    satisfied = values(RULES.decide(seen(f"{W3ID}satisfied"), launch))
    assert satisfied == [100, "started" if word == "never" else "completed"]


@pytest.mark.parametrize(
    ("observation", "wanted"),
    [
        (seen("completed", completion=True), [99]),
        (seen("passed", score=1.0), [99]),
        (seen("passed", score=0.5), [50]),
        (seen(f"{W3ID}satisfied"), [100]),
        (seen(f"{W3ID}waived"), [100]),
    ],
)
def test_under_a_rule_the_launch_says_when_it_is_complete(
    observation: Observation, wanted: list[Value]
) -> None:
    assert values(RULES.decide(observation, LAUNCH)) == wanted


def test_without_move_on_every_completion_counts() -> None:
    launch = replace(OWN, move_on="")
    assert values(RULES.decide(seen("completed", completion=True), launch)) == [100, "completed"]


def test_without_move_on_too_a_pass_below_the_mastery_score_is_none() -> None:
    launch = replace(OWN, move_on="", course_completed="passed")
    assert values(RULES.decide(seen("passed", success=True, score=0.8), launch)) == [
        100,
        "completed",
    ]
    assert values(RULES.decide(seen("passed", success=True, score=0.79), launch)) == ["started"]
    # a sum of fractions that is the mastery score in all but the last of its digits
    summed = RULES.decide(seen("passed", success=True, score=0.7 + 0.1), launch)
    assert values(summed) == [100, "completed"]


def test_for_other_players_move_on_is_no_word() -> None:
    launch = replace(OWN, kind=PlayerKind.XAPI)
    assert values(RULES.decide(seen("completed", completion=True), launch)) == [100, "completed"]


@pytest.mark.parametrize("verb", [f"{ADL}launched", f"{W3ID}abandoned"])
def test_what_is_said_of_sessions_is_no_progress(verb: str) -> None:
    decision = RULES.decide(seen(verb), OWN)
    assert decision.outcome is InputOutcome.NO_EFFECT
    assert "session" in decision.reason


LAUNCHES = st.sampled_from([OWN, LAUNCH])
OBSERVATIONS = st.builds(
    seen,
    st.sampled_from(
        ["completed", "passed", "failed", "mastered", "progressed", f"{W3ID}satisfied"]
    ),
    progress=st.none() | st.floats(0, 100),
    completion=st.none() | st.booleans(),
    success=st.none() | st.booleans(),
    score=st.none() | st.floats(-1, 1),
)


@given(OBSERVATIONS, st.sampled_from([LaunchMode.BROWSE, LaunchMode.REVIEW]), LAUNCHES)
def test_browse_and_review_never_write(
    observation: Observation, mode: LaunchMode, launch: Launch
) -> None:
    decision = RULES.decide(observation, replace(launch, mode=mode))
    assert (decision.outcome, decision.changes) == (InputOutcome.NO_EFFECT, ())
    assert mode.lower() in decision.reason


@given(OBSERVATIONS, LAUNCHES)
def test_nothing_but_satisfied_is_complete(observation: Observation, launch: Launch) -> None:
    found = values(RULES.decide(observation, launch))
    is_satisfied = observation.verb.endswith("satisfied")
    assert (100 in found) is is_satisfied
    assert "completed" not in found or is_satisfied


@pytest.mark.parametrize("launch", [OWN, LAUNCH], ids=["by the launch", "by a rule"])
@pytest.mark.parametrize(
    ("launched_due", "rules_due", "deadline"), [(0, 0, 0), (0, 5, 5), (7, 0, 7), (7, 5, 7)]
)
def test_changes_are_due_when_the_launch_says_or_else_the_rule(
    launch: Launch, launched_due: int, rules_due: int, deadline: int
) -> None:
    rule = Rule(
        name="units",
        activity=Template("https://content.example.com/{unit}"),
        topic_id=Template("{unit}"),
        deadline=rules_due,
    )
    decision = Mapper([rule], ConfiguredIdentity()).decide(
        seen("progressed", progress=40), replace(launch, due=launched_due)
    )
    if launch is OWN and not launched_due:
        deadline = 0  # no rule decides
    assert decision.changes
    assert {change.deadline for change in decision.changes} == {deadline}
