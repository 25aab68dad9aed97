"""Where a target stands, what comes next and when: what only other processes or time can cause."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pointsman.domain.desired_state import Desired
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.targets import ReadBackPlace, Recipient
from pointsman.store.history_records import (
    HistoryTurn,
    LearnerHistory,
    QueuePlace,
    SentMutation,
    SentRequest,
    StoredState,
)
from pointsman.store.records import Hold
from pointsman.story import Cause, Facts, Question, QuotaFact, Standing, story_of
from tests.support.change_factory import topic

SECOND = 1_000_000
NOW = 1_767_571_200 * SECOND
ANA = Recipient.learner("ana o'hara")
T = topic("t")
STATE = Desired(
    recipient=ANA,
    target=T,
    value=62,
    version=2,
    occurred_at=0,
    statement_id="s",
    rule="r",
    since=NOW - 90 * SECOND,
    changed_at=NOW - 90 * SECOND,
    delivered_version=1,
    delivered_value=40,
)
READY = QueuePlace(ANA, 1, is_ready=True, ready_at=0, hold=Hold.NOTHING)


def end_of(
    state: Desired = STATE,
    *,
    place: QueuePlace = READY,
    turns: tuple[HistoryTurn, ...] = (),
    newest: tuple[HistoryTurn, ...] = (),
    quota: QuotaFact | None = None,
    paused: str = "",
) -> Standing:
    history = LearnerHistory("ana", (), turns, (StoredState(state, None, None, ""),), (place,))
    facts = Facts(
        Question("ana"), "ana", NOW, history, newest_turns=newest, quota=quota, paused=paused
    )
    return story_of(facts, limit=9).end


def turn(answer: str, *, at: int = NOW - SECOND, words: str = "its words") -> HistoryTurn:
    mutations = (SentMutation(T, 62, "unknown"),)
    request = SentRequest("r-1", at, 1, 0.1, answer, words, mutations)
    return HistoryTurn(1, "ana", at, requests=(request,))


def test_what_waits_for_its_turn_is_sent_within_seconds() -> None:
    end = end_of()
    assert (end.cause, end.next, end.cure) == (Cause.QUEUED, "it is sent within seconds", ())
    assert end.sentence == "topic t = 62 % waits to be sent, since 2026-01-04T23:58:30Z"


def test_what_waits_for_the_pace_names_the_time() -> None:
    place = replace(READY, is_ready=False, ready_at=NOW + 20 * SECOND, hold=Hold.PACE)
    end = end_of(place=place)
    assert (end.cause, end.next_at) == (Cause.QUEUED, NOW + 20 * SECOND)
    assert end.next == "it is tried again by itself at 2026-01-05T00:00:20Z (in 20 s)"


def test_what_is_leased_is_being_sent() -> None:
    place = replace(READY, is_ready=False, ready_at=NOW + SECOND, hold=Hold.LEASE)
    assert end_of(place=place).cause is Cause.SENDING


def test_a_spent_quota_names_the_end_of_its_window() -> None:
    end = end_of(quota=QuotaFact(NOW + 30 * SECOND, 500, 0))
    assert (end.cause, end.next_at) == (Cause.QUOTA_SPENT, NOW + 30 * SECOND)
    assert "which ends at 2026-01-05T00:00:30Z" in end.sentence


@pytest.mark.parametrize(
    "quota", [QuotaFact(NOW + 30 * SECOND, 500, 3), QuotaFact(NOW - SECOND, 0, 0)]
)
def test_a_quota_that_has_something_left_or_is_over_is_no_cause(quota: QuotaFact) -> None:
    assert end_of(quota=quota).cause is Cause.QUEUED


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("unreachable", Cause.PLATFORM_AWAY),
        ("throttled", Cause.QUOTA_SPENT),
        ("key_refused", Cause.KEY_REFUSED),
        ("answered", Cause.QUEUED),
    ],
)
def test_the_newest_answer_to_anybody_says_how_the_platform_is(answer: str, cause: Cause) -> None:
    end = end_of(newest=(turn(answer),))
    assert end.cause is cause
    assert ("its words" in end.sentence) == (answer != "answered")


def test_an_answer_of_long_ago_says_nothing_of_now() -> None:
    assert end_of(newest=(turn("unreachable", at=NOW - 600 * SECOND),)).cause is Cause.QUEUED


def test_its_own_failure_names_the_next_attempt() -> None:
    retry = replace(STATE, failures=3, retry_at=NOW + 8 * SECOND)
    end = end_of(retry, turns=(turn("answered"),), newest=(turn("answered"),))
    assert (end.cause, end.next_at) == (Cause.RETRIED, NOW + 8 * SECOND)
    assert "it failed 3 times" in end.sentence


def test_a_pause_is_the_cause_whatever_else_is() -> None:
    end = end_of(paused="by ben since 9:00", newest=(turn("unreachable"),))
    assert end.cause is Cause.PAUSED
    assert "by ben since 9:00" in end.sentence


@pytest.mark.parametrize("code", list(ParkCode))
def test_every_code_of_parked_state_is_a_cause(code: ParkCode) -> None:
    parked = replace(STATE, parked="its reason", park_code=code)
    end = end_of(parked)
    assert end.cause.value == code.value
    assert "its reason" in end.sentence
    assert bool(end.cure) == (code is not ParkCode.WAITS_FOR)
    if code is ParkCode.PAUSED:
        assert end.cure == ("pointsman resume --kind topic_progress",)
        return
    for command in end.cure:
        assert "--learner 'ana o'\"'\"'hara'" in command


def test_drift_shows_the_course_before_it_is_tried_again() -> None:
    parked = replace(
        STATE, parked="drift", park_code=ParkCode.DRIFT, read_back=ReadBackPlace.course("c")
    )
    assert end_of(parked).cure[0].startswith("pointsman platform course progress c --learner ")
