"""When everybody stops asking, for how long, and what sets them free again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.delivery.breaker import Breaker
from pointsman.domain.backoff import Backoff
from pointsman.domain.targets import Recipient
from pointsman.platforms.base import RequestOutcome

#: a seed whatever: the jitter is between half of a step and all of it
DICE = random.Random(7)
GOOD = [
    RequestOutcome.ANSWERED,
    RequestOutcome.DOCUMENT_REFUSED,
    RequestOutcome.TOKEN_REFUSED,
]


def breaker(*answers: RequestOutcome, now: float = 0.0) -> Breaker:
    one = Breaker(Backoff(1.0, 60.0))
    for answer in answers:
        one.record(now, answer, "words", DICE)
    return one


def test_a_platform_that_was_never_asked_is_well() -> None:
    one = breaker()
    assert (one.tripped, one.paused_until, one.reason) == (False, 0.0, "")


def test_two_requests_without_an_answer_are_no_outage() -> None:
    one = breaker(RequestOutcome.UNREACHABLE, RequestOutcome.UNREACHABLE)
    assert not one.tripped
    assert one.paused_until == 0.0


def test_three_requests_in_a_row_without_an_answer_are_an_outage() -> None:
    one = breaker(*[RequestOutcome.UNREACHABLE] * 3, now=100)
    assert one.tripped
    assert 100.5 <= one.paused_until <= 101
    assert one.reason == "the platform does not answer: words"


def test_a_refused_key_stops_everybody_at_once() -> None:
    one = breaker(RequestOutcome.KEY_REFUSED, now=100)
    assert one.tripped
    assert 100.5 <= one.paused_until <= 101
    assert one.reason == "the platform refuses our apiKey: words"


@pytest.mark.parametrize("answer", GOOD)
@pytest.mark.parametrize("trouble", [RequestOutcome.UNREACHABLE, RequestOutcome.KEY_REFUSED])
def test_any_answer_to_the_point_sets_all_free(
    answer: RequestOutcome, trouble: RequestOutcome
) -> None:
    one = breaker(*[trouble] * 9, answer)
    assert (one.tripped, one.failures, one.paused_until, one.reason) == (False, 0, 0.0, "")


@pytest.mark.parametrize("answer", GOOD)
def test_an_answer_in_between_starts_the_count_anew(answer: RequestOutcome) -> None:
    two = [RequestOutcome.UNREACHABLE] * 2
    assert not breaker(*two, answer, *two).tripped


def test_being_throttled_says_nothing_about_an_outage() -> None:
    one = breaker(*[RequestOutcome.UNREACHABLE] * 2, RequestOutcome.THROTTLED)
    assert (one.failures, one.tripped) == (2, False)
    one.record(0, RequestOutcome.UNREACHABLE, "words", DICE)
    assert one.tripped
    one.record(0, RequestOutcome.THROTTLED, "words", DICE)
    assert one.tripped


def test_the_newest_trouble_is_the_reason() -> None:
    one = breaker(*[RequestOutcome.UNREACHABLE] * 3, RequestOutcome.KEY_REFUSED)
    assert one.reason == "the platform refuses our apiKey: words"


def test_what_was_under_way_when_all_began_to_wait_does_not_count_again() -> None:
    one = breaker(*[RequestOutcome.UNREACHABLE] * 9, now=100)
    assert (one.failures, one.paused_until <= 101) == (3, True)
    one.record(one.paused_until, RequestOutcome.UNREACHABLE, "words", DICE)
    assert one.failures == 4


def test_a_platform_without_quota_is_asked_one_at_a_time_and_ever_more_seldom() -> None:
    one, now, waits = breaker(), 0.0, []
    for _ in range(8):
        for _under_way in range(3):
            one.record(now, RequestOutcome.THROTTLED, "words", DICE)
        waits.append(one.next_at - now)
        now = one.next_at
    steps = [1, 2, 4, 8, 16, 32, 60, 60]
    assert all(step / 2 <= wait <= step for wait, step in zip(waits, steps, strict=True))
    assert (one.one_at_a_time, one.tripped) == (True, False)
    one.record(now, RequestOutcome.ANSWERED, "", DICE)
    assert (one.one_at_a_time, one.next_at) == (False, 0.0)


def test_failures_of_one_recipient_stop_nobody_and_those_of_three_everybody() -> None:
    ana, bea, cleo = map(Recipient.learner, ("ana", "bea", "cleo"))
    one = breaker()
    for _ in range(9):
        one.record_failing(0, ana, "words", DICE)
    one.record_failing(0, bea, "words", DICE)
    assert not one.tripped
    one.record_failing(100, cleo, "words", DICE)
    assert one.tripped
    assert 100.5 <= one.next_at <= 101
    one.record(101, RequestOutcome.ANSWERED, "", DICE)
    one.record_failing(102, ana, "words", DICE)
    assert not one.tripped


def test_the_longer_an_outage_lasts_the_more_seldom_it_is_tried_and_at_most_each_minute() -> None:
    one = breaker(RequestOutcome.UNREACHABLE, RequestOutcome.UNREACHABLE)
    now, waits = 0.0, []
    for _ in range(12):
        one.record(now, RequestOutcome.UNREACHABLE, "words", DICE)
        waits.append(one.paused_until - now)
        now = one.paused_until
    steps = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]
    assert all(step / 2 <= wait <= step for wait, step in zip(waits, steps, strict=True))


def test_answers_that_were_under_way_never_shorten_a_pause() -> None:
    one = breaker(*[RequestOutcome.UNREACHABLE] * 9, now=100)
    until = one.paused_until
    one.record(50, RequestOutcome.KEY_REFUSED, "words", DICE)
    assert one.paused_until >= until


@settings(max_examples=150)
@given(st.lists(st.sampled_from(RequestOutcome), max_size=30))
def test_the_platform_is_out_exactly_while_the_newest_failures_say_so(
    answers: list[RequestOutcome],
) -> None:
    one = breaker(*answers)
    row: list[RequestOutcome] = []
    for answer in answers:
        if answer in {RequestOutcome.UNREACHABLE, RequestOutcome.KEY_REFUSED}:
            row.append(answer)
        elif answer is not RequestOutcome.THROTTLED:
            row.clear()
    assert one.tripped is (len(row) >= 3 or RequestOutcome.KEY_REFUSED in row)
    assert bool(one.reason) is bool(row)
    assert (one.paused_until > 0) is one.tripped


@settings(max_examples=150)
@given(
    base=st.floats(0.01, 100),
    longest=st.floats(0.01, 10_000),
    failures=st.integers(-3, 10_000),
    seed=st.integers(0, 99),
)
def test_a_backoff_is_between_half_a_step_and_all_of_it(
    base: float, longest: float, failures: int, seed: int
) -> None:
    seconds = Backoff(base, longest).seconds(failures, random.Random(seed))
    step = min(longest, base * 2 ** min(max(0, failures - 1), 30))
    assert step * 0.4999 <= seconds <= step * 1.0001


def test_a_first_failure_waits_the_base() -> None:
    seconds = {Backoff(8.0, 60.0).seconds(1, random.Random(seed)) for seed in range(50)}
    assert 4 <= min(seconds) < max(seconds) <= 8
