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


ANA, BEA, CLEO = map(Recipient.learner, ("ana", "bea", "cleo"))


def tell(
    one: Breaker,
    outcome: RequestOutcome,
    now: float,
    sent_at: float | None = None,
    recipient: Recipient = ANA,
) -> tuple[Recipient, ...]:
    return one.record(
        now,
        outcome,
        "words",
        DICE,
        recipient=recipient,
        sent_at=now - 0.1 if sent_at is None else sent_at,
    )


def breaker(*answers: RequestOutcome, now: float = 0.0) -> Breaker:
    one = Breaker()
    for number, answer in enumerate(answers):
        tell(one, answer, now + number, recipient=Recipient.learner(str(number)))
    return one


def test_a_platform_that_was_never_asked_is_well() -> None:
    one = breaker()
    assert (one.tripped, one.next_at, one.reason) == (False, 0.0, "")


def test_two_requests_without_an_answer_are_no_outage() -> None:
    one = breaker(*[RequestOutcome.UNREACHABLE] * 2)
    assert not one.tripped
    assert one.next_at == 0.0


def test_three_requests_in_a_row_without_an_answer_are_an_outage() -> None:
    one = breaker(*[RequestOutcome.UNREACHABLE] * 3, now=100)
    assert one.tripped
    assert 102.25 <= one.next_at <= 102.5
    assert one.reason == "the platform does not answer: words"


def test_a_key_that_never_worked_stops_everybody_at_once() -> None:
    one = breaker(RequestOutcome.KEY_REFUSED, now=100)
    assert one.tripped
    assert one.reason == "the platform refuses our apiKey: words"


def test_a_key_that_has_worked_is_bad_only_when_three_recipients_say_so_in_a_row() -> None:
    one = breaker(RequestOutcome.ANSWERED)
    for now in range(10, 20):
        tell(one, RequestOutcome.KEY_REFUSED, now)
    tell(one, RequestOutcome.KEY_REFUSED, 20, recipient=BEA)
    assert not one.tripped
    tell(one, RequestOutcome.ANSWERED, 21)
    for now, recipient in enumerate((ANA, BEA), 22):
        tell(one, RequestOutcome.KEY_REFUSED, now, recipient=recipient)
    assert not one.tripped
    tell(one, RequestOutcome.KEY_REFUSED, 25, recipient=CLEO)
    assert one.tripped


@pytest.mark.parametrize("answer", GOOD)
@pytest.mark.parametrize("trouble", [RequestOutcome.UNREACHABLE, RequestOutcome.KEY_REFUSED])
def test_any_answer_to_the_point_sets_all_free(
    answer: RequestOutcome, trouble: RequestOutcome
) -> None:
    one = breaker(*[trouble] * 9, answer)
    assert (one.tripped, one.failures, one.next_at, one.reason) == (False, 0, 0.0, "")


@pytest.mark.parametrize("answer", GOOD)
def test_an_answer_in_between_starts_the_count_anew(answer: RequestOutcome) -> None:
    two = [RequestOutcome.UNREACHABLE] * 2
    assert not breaker(*two, answer, *two).tripped


def test_being_throttled_says_nothing_about_an_outage() -> None:
    one = breaker(*[RequestOutcome.UNREACHABLE] * 2, RequestOutcome.THROTTLED)
    assert (one.failures, one.tripped) == (2, False)
    tell(one, RequestOutcome.UNREACHABLE, 10)
    assert one.tripped
    tell(one, RequestOutcome.THROTTLED, 11)
    assert one.tripped


def test_the_newest_trouble_is_the_reason() -> None:
    one = breaker(*[RequestOutcome.UNREACHABLE] * 3, RequestOutcome.KEY_REFUSED)
    assert one.reason == "the platform refuses our apiKey: words"


@settings(max_examples=150)
@given(
    dying=st.lists(st.floats(0, 30), min_size=3, max_size=300),
    kind=st.sampled_from([RequestOutcome.UNREACHABLE, RequestOutcome.KEY_REFUSED]),
)
def test_what_was_under_way_when_all_began_to_wait_does_not_count_again(
    dying: list[float], kind: RequestOutcome
) -> None:
    """However long after one another they die, the first try comes as soon as if it were one."""
    one = breaker()
    for number, after in enumerate(sorted(dying)):
        tell(one, kind, 100 + after, sent_at=99, recipient=Recipient.learner(str(number)))
    first = sorted(dying)[0 if kind is RequestOutcome.KEY_REFUSED else 2]
    assert one.failures == 3
    assert one.next_at <= 100 + first + 0.5


@settings(max_examples=50)
@given(st.integers(0, 999), st.integers(1, 200))
def test_while_the_platform_is_out_a_try_goes_every_second_or_so_and_never_two_at_once(
    seed: int, tries: int
) -> None:
    dice = random.Random(seed)
    one = breaker(*[RequestOutcome.UNREACHABLE] * 3)
    for _ in range(tries):
        now = one.next_at
        one.trying(now, dice)
        assert 0.75 <= one.next_at - now <= 1.5
        tell(one, RequestOutcome.UNREACHABLE, now + 0.1, sent_at=now)


def test_a_refused_key_is_tried_ever_more_seldom_and_at_least_every_minute() -> None:
    one = breaker(RequestOutcome.KEY_REFUSED)
    waits = []
    for _ in range(10):
        now = one.next_at
        one.trying(now, DICE)
        waits.append(one.next_at - now)
        tell(one, RequestOutcome.KEY_REFUSED, now + 0.1, sent_at=now)
    steps = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert all(step / 2 <= wait <= step for wait, step in zip(waits, steps, strict=True))


def test_who_failed_in_an_outage_tries_again_at_once_when_it_is_over() -> None:
    one = breaker()
    for now, recipient in enumerate((ANA, BEA, CLEO)):
        tell(one, RequestOutcome.UNREACHABLE, now, recipient=recipient)
    assert set(tell(one, RequestOutcome.ANSWERED, 9)) == {ANA, BEA, CLEO}
    # without an outage whoever fails has pauses of its own
    tell(one, RequestOutcome.UNREACHABLE, 10)
    assert tell(one, RequestOutcome.ANSWERED, 11, recipient=BEA) == ()


def test_a_platform_without_quota_is_asked_one_at_a_time_and_ever_more_seldom() -> None:
    one, now, waits = breaker(), 0.0, []
    for _ in range(8):
        for _under_way in range(3):
            tell(one, RequestOutcome.THROTTLED, now + 0.1, sent_at=now)
        waits.append(one.next_at - now - 0.1)
        now = one.next_at
    steps = [1, 2, 4, 8, 16, 32, 60, 60]
    assert all(step / 2 <= wait <= step for wait, step in zip(waits, steps, strict=True))
    assert (one.one_at_a_time, one.tripped) == (True, False)
    tell(one, RequestOutcome.ANSWERED, now)
    assert (one.one_at_a_time, one.next_at) == (False, 0.0)


def test_failures_of_one_recipient_stop_nobody_and_those_of_three_everybody() -> None:
    one = breaker()
    for _ in range(9):
        one.record_failing(0, ANA, "words", DICE, sent_at=0)
    one.record_failing(0, BEA, "words", DICE, sent_at=0)
    assert not one.tripped
    one.record_failing(100, CLEO, "words", DICE, sent_at=0)
    assert one.tripped
    assert 100.25 <= one.next_at <= 100.5
    tell(one, RequestOutcome.ANSWERED, 101)
    one.record_failing(102, ANA, "words", DICE, sent_at=101)
    assert not one.tripped


@settings(max_examples=150)
@given(st.lists(st.sampled_from(RequestOutcome), max_size=30))
def test_the_platform_is_out_exactly_while_the_newest_failures_say_so(
    answers: list[RequestOutcome],
) -> None:
    one = breaker(*answers)
    row: list[RequestOutcome] = []
    worked = out = False
    for answer in answers:
        if answer in {RequestOutcome.UNREACHABLE, RequestOutcome.KEY_REFUSED}:
            row.append(answer)
            keys = row.count(RequestOutcome.KEY_REFUSED)
            ripe = keys >= (3 if worked else 1)
            out = out or (ripe and answer is RequestOutcome.KEY_REFUSED) or _lost(row) >= 3
        elif answer is not RequestOutcome.THROTTLED:
            row.clear()
            worked, out = True, False
    assert one.tripped is out
    assert bool(one.reason) or not out


def _lost(row: list[RequestOutcome]) -> int:
    return row.count(RequestOutcome.UNREACHABLE)


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


class Watcher:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.changes: list[tuple[float, bool]] = []

    def platform_changed(self, now: float, *, is_out: bool) -> None:
        self.changes.append((now, is_out))


def test_an_outage_is_told_of_once_when_it_begins_and_once_when_it_ends() -> None:
    watcher = Watcher()
    one = Breaker([watcher])
    tell(one, RequestOutcome.ANSWERED, 100)
    for now in range(101, 110):
        tell(one, RequestOutcome.UNREACHABLE, now)
    for now in range(110, 120):
        tell(one, RequestOutcome.ANSWERED, now)
    assert watcher.changes == [(103, True), (110, False)]


@pytest.mark.parametrize(
    "trouble",
    [RequestOutcome.UNREACHABLE, RequestOutcome.KEY_REFUSED, RequestOutcome.THROTTLED],
)
def test_an_answer_to_what_was_sent_before_the_trouble_began_does_not_end_it(
    trouble: RequestOutcome,
) -> None:
    one = Breaker()
    for now, recipient in enumerate((ANA, BEA, CLEO), 10):
        tell(one, trouble, now, recipient=recipient)
    trouble_lasts, next_at = one.one_at_a_time, one.next_at
    tell(one, RequestOutcome.ANSWERED, 14, sent_at=9)
    assert (one.one_at_a_time, one.next_at) == (trouble_lasts, next_at)
    assert trouble_lasts
    tell(one, RequestOutcome.ANSWERED, 15)
    assert not one.one_at_a_time


def test_a_refused_key_or_a_failure_before_a_success_counts_no_more() -> None:
    one = breaker(RequestOutcome.ANSWERED, now=100)
    for recipient in (ANA, BEA):
        tell(one, RequestOutcome.KEY_REFUSED, 101, sent_at=99, recipient=recipient)
        one.record_failing(101, recipient, "words", DICE, sent_at=99)
    tell(one, RequestOutcome.KEY_REFUSED, 102, recipient=CLEO)
    one.record_failing(102, CLEO, "words", DICE, sent_at=101)
    assert not one.tripped
