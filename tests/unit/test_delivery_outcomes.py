"""What an answer means for the rows that were sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pointsman.delivery.outcomes import settlements
from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import Recipient, Target, TargetKind
from pointsman.platforms.base import MutationResult, PlatformAnswer, RequestOutcome, Verdict
from pointsman.platforms.helium.remediation import remedy
from tests.support.change_factory import topic

ROW = Desired(
    recipient=Recipient.learner("ana@example.com"),
    target=topic("t"),
    value=5,
    version=3,
    occurred_at=0,
    statement_id="s",
    rule="r",
    since=0,
    changed_at=0,
)


def settled(verdict: Verdict, answer: RequestOutcome, failures: int = 0) -> tuple[str, str]:
    row = replace(ROW, failures=failures)
    delivery = PlatformAnswer(answer, (MutationResult(verdict, "its words"),))
    (one,) = settlements([row], delivery, max_failures=3, remedy=remedy)
    assert (one.target, one.version) == (row.target, 3)
    return one.result, one.reason


@pytest.mark.parametrize(
    ("verdict", "answer", "failures", "result"),
    [
        (Verdict.DONE, RequestOutcome.ANSWERED, 0, "delivered"),
        (Verdict.REFUSED, RequestOutcome.ANSWERED, 0, "parked"),
        (Verdict.NOT_RUN, RequestOutcome.ANSWERED, 9, "untried"),
        (Verdict.NOT_RUN, RequestOutcome.THROTTLED, 9, "untried"),
        (Verdict.UNKNOWN, RequestOutcome.KEY_REFUSED, 9, "untried"),
        (Verdict.UNKNOWN, RequestOutcome.ANSWERED, 1, "retry"),
        (Verdict.UNKNOWN, RequestOutcome.ANSWERED, 2, "parked"),
        (Verdict.UNKNOWN, RequestOutcome.UNREACHABLE, 99, "retry"),
    ],
)
def test_a_verdict_settles_its_row(
    verdict: Verdict, answer: RequestOutcome, failures: int, result: str
) -> None:
    assert settled(verdict, answer, failures)[0] == result


def test_the_platforms_words_are_kept_with_what_is_parked() -> None:
    assert settled(Verdict.REFUSED, RequestOutcome.ANSWERED)[1].startswith(
        "refused: its words (next: "
    )
    assert (
        settled(Verdict.UNKNOWN, RequestOutcome.ANSWERED, 2)[1]
        == "failed 3 times, the last time with: its words"
    )


def refused(row: Desired, message: str) -> str:
    """The reason that is shown to a person."""
    answer = PlatformAnswer(RequestOutcome.ANSWERED, (MutationResult(Verdict.REFUSED, message),))
    (settlement,) = settlements([row], answer, max_failures=3, remedy=remedy)
    return settlement.reason


@pytest.mark.parametrize(
    ("message", "step"),
    [
        ("NOT_FOUND: there is no topic 'x'", 'topic_id of the rule "r"'),
        ("FORBIDDEN: no STUDENT", "the STUDENT role"),
        ("BAD_USER_INPUT: no", 'topic_id of the rule "r"'),
        ("whatever", "look for it on the platform"),
    ],
)
def test_a_refusal_names_what_to_do(message: str, step: str) -> None:
    reason = refused(ROW, message)
    assert step in reason
    assert "pointsman parked retry --learner ana@example.com" in reason


def test_the_next_step_is_one_command_of_a_shell_whatever_the_learner_is_called() -> None:
    row = replace(ROW, recipient=Recipient.learner("https://hr.example.com|ana; true"))
    reason = refused(row, "NOT_FOUND: x")
    assert reason.endswith("parked retry --learner 'https://hr.example.com|ana; true')")


def test_a_meetings_refusal_is_retried_for_that_meeting_alone() -> None:
    target = Target(TargetKind.MEETING_ATTENDANCE, " a")
    row = replace(ROW, recipient=Recipient.meeting("m"), target=target)
    assert refused(row, "NOT_FOUND: x").endswith("pointsman parked retry --learner meeting:m)")


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (TargetKind.TOPIC_PROGRESS, "topic_id"),
        (TargetKind.COURSE_STATUS, "course_id, course_slug or course_sku"),
        (TargetKind.LEARNING_PATH_ACCESS, "learning_path_slug"),
        (TargetKind.MEETING_ATTENDANCE, "meeting_id and course_id"),
        (TargetKind.COURSE_ARCHIVED, "course_id"),
        (TargetKind.LEARNING_PATH_ARCHIVED, "learning_path_id"),
    ],
)
def test_a_refusal_names_the_settings_that_named_its_target(
    kind: TargetKind, settings: str
) -> None:
    assert f'at {settings} of the rule "r";' in refused(
        replace(ROW, target=Target(kind, "k")), "no"
    )
