"""When refusals are the learners' own, when the platform's, and what follows from it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.delivery.refusals import RUN, RefusalDoubt
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.targets import Recipient, Target
from pointsman.store.base import Settlement
from tests.support.change_factory import topic

T = topic("t")


def learner(number: int) -> Recipient:
    return Recipient.learner(f"l{number}")


def refused(
    words: str = "refused: NOT_FOUND: no topic 't' (next: look)",
    code: ParkCode = ParkCode.REFUSED_BY_PLATFORM,
    target: Target = T,
) -> Settlement:
    return Settlement(target, 1, "parked", words, code)


DONE = Settlement(topic("done"), 1, "delivered")


class Reviews:
    """A doubt, and what it made of one turn after another."""

    def __init__(self) -> None:
        self.doubt = RefusalDoubt(random.Random(1))
        self.at = 0.0
        self.freed: list[Recipient] = []

    def turn(
        self, number: int, *settlements: Settlement, sent_at: float | None = None
    ) -> Sequence[Settlement]:
        self.at += 1.0
        sent_at = self.at - 0.1 if sent_at is None else sent_at
        review = self.doubt.review(learner(number), settlements, sent_at=sent_at, at=self.at, now=0)
        self.freed = list(review.freed)
        return review.settlements


def in_doubt(settlement: Settlement | None = None) -> Reviews:
    reviews = Reviews()
    for number in range(RUN):
        reviews.turn(number, settlement or refused())
    assert reviews.doubt.active
    return reviews


def test_a_few_refusals_in_a_row_are_parked() -> None:
    reviews = Reviews()
    for number in range(RUN - 1):
        assert reviews.turn(number, refused()) == [refused()]
    assert not reviews.doubt.active


def test_one_learner_alone_is_no_run_however_often_it_is_refused() -> None:
    reviews = Reviews()
    for number in range(99):
        assert reviews.turn(0, refused(target=topic(f"t{number}")))[0].result == "parked"


def test_a_run_of_different_learners_is_held_back_and_frees_those_that_were_parked_before() -> None:
    reviews = in_doubt()
    assert reviews.freed == [learner(number) for number in range(RUN - 1)]
    assert "NOT_FOUND: no topic 't'" in reviews.doubt.reason
    (held,) = reviews.turn(9, refused(target=topic("x")))
    assert (held.result, held.code, held.retry_at > 0) == ("untried", None, True)
    assert reviews.at < reviews.doubt.paused_until <= reviews.at + 5


@pytest.mark.parametrize("between", [DONE, refused("refused: FORBIDDEN: x (next: y)")])
def test_a_success_or_other_words_in_between_begin_the_run_anew(between: Settlement) -> None:
    reviews = Reviews()
    for number in range(20):
        reviews.turn(number, between if number % (RUN - 1) == 0 else refused())
    assert not reviews.doubt.active


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (ParkCode.REFUSED_BY_PLATFORM, "refused: NOT_FOUND: no topic '{n}' (next: look)"),
        (ParkCode.TOKEN_REFUSED, "token: refused by the platform: HTTP 401: {n}"),
        (ParkCode.USER_ID_REFUSED, "user: refused by the platform: {n}"),
        (ParkCode.FAILED_TOO_OFTEN, "failed 8 times, the last time with: INTERNAL: report {n}"),
        (ParkCode.INTERNAL_ERROR, "a fault of pointsman: ValueError: year {n} (next: report it)"),
    ],
)
def test_the_same_code_is_the_same_words_whatever_is_named_beside_it(
    code: ParkCode, words: str
) -> None:
    reviews = Reviews()
    for number in range(RUN):
        reviews.turn(number, refused(words.format(n=number), code))
    assert reviews.doubt.active


@pytest.mark.parametrize("code", [ParkCode.NO_TOKEN, ParkCode.NO_USER_ID, ParkCode.WAITS_FOR])
def test_what_the_platform_has_no_part_in_is_parked_in_doubt_too(code: ParkCode) -> None:
    reviews = Reviews()
    for number in range(20):
        reviews.turn(number, refused("token: none", code))
    assert not reviews.doubt.active
    assert in_doubt().turn(9, refused("token: none", code))[0].result == "parked"


def test_a_success_ends_the_doubt_and_frees_all_who_were_held_back() -> None:
    reviews = in_doubt()
    reviews.turn(9, refused())
    reviews.turn(10, DONE, refused(target=topic("own")))
    assert not reviews.doubt.active
    assert reviews.freed == [*(learner(number) for number in range(RUN)), learner(9)]


def test_who_is_refused_again_is_parked_and_makes_no_run() -> None:
    reviews = in_doubt()
    reviews.turn(9, DONE)
    for number in range(RUN):
        assert reviews.turn(number, refused()) == [refused()]
    assert not reviews.doubt.active


def test_what_was_refused_again_parks_others_at_once() -> None:
    reviews = in_doubt()
    reviews.turn(9, DONE)
    reviews.turn(0, refused())
    for number in range(20, 40):
        assert reviews.turn(number, refused()) == [refused()]
    assert not reviews.doubt.active


def test_one_of_those_in_doubt_tries_again_soon_and_the_others_when_nobody_else_is_left() -> None:
    reviews = Reviews()
    pauses: dict[int, float] = {}
    for turn in range(60):
        number = turn if turn < RUN else (RUN - 1 if turn % 2 else turn)
        (settled,) = reviews.turn(number, refused(target=topic(f"t{number}")))
        if settled.retry_at:
            pauses.setdefault(number, settled.retry_at / 1e6)
    assert pauses[RUN - 1] == 2
    assert min(pause for number, pause in pauses.items() if number != RUN - 1) >= 300


def test_another_one_tries_again_when_the_first_is_not_heard_of() -> None:
    reviews = in_doubt()
    reviews.at += 100
    (settled,) = reviews.turn(30, refused())
    assert settled.retry_at == 2_000_000


def test_a_success_that_was_sent_before_the_run_began_says_nothing() -> None:
    reviews = Reviews()
    for number in range(RUN - 1):
        reviews.turn(number, refused())
    reviews.turn(20, DONE, sent_at=0.5)
    reviews.turn(RUN, refused())
    assert reviews.doubt.active
    reviews.turn(21, DONE, sent_at=0.6)
    assert reviews.doubt.active
    reviews.turn(22, DONE)
    assert not reviews.doubt.active


def test_a_few_in_a_row_are_tried_once_more_when_one_succeeds_and_one_alone_is_not() -> None:
    reviews = Reviews()
    reviews.turn(0, refused())
    reviews.turn(9, DONE)
    assert reviews.freed == []
    reviews.turn(1, refused())
    reviews.turn(2, refused())
    reviews.turn(9, DONE)
    assert reviews.freed == [learner(1), learner(2)]
    reviews.turn(9, DONE)
    assert reviews.freed == []
    for number in (1, 2):
        assert reviews.turn(number, refused())[0].result == "parked"


def test_a_refusal_of_a_token_makes_no_target_a_mistake() -> None:
    reviews = in_doubt(refused("token: HTTP 401", ParkCode.TOKEN_REFUSED))
    reviews.turn(9, DONE)
    reviews.turn(0, refused("token: HTTP 401", ParkCode.TOKEN_REFUSED))
    for number in range(20, 20 + RUN):
        reviews.turn(number, refused("token: HTTP 401", ParkCode.TOKEN_REFUSED))
    assert reviews.doubt.active


@given(
    requests=st.lists(st.tuples(st.floats(0, 50), st.floats(0.05, 10)), min_size=2, max_size=40),
    begins=st.floats(0, 40),
    lasts=st.floats(0.5, 20),
)
def test_whoever_is_refused_in_a_spell_with_others_is_tried_once_more_when_it_is_over(
    requests: list[tuple[float, float]], begins: float, lasts: float
) -> None:
    """Each learner sends once, and is answered after any time; the last answers are successes."""
    doubt = RefusalDoubt(random.Random(1))
    hit = {n for n, (sent_at, _) in enumerate(requests) if begins <= sent_at < begins + lasts}
    tried_again: set[Recipient] = set()
    answers = [(sent_at + takes, sent_at, n) for n, (sent_at, takes) in enumerate(requests)]
    for at, sent_at, number in [*sorted(answers), (100.0, 99.0, 98), (101.0, 100.0, 99)]:
        answer = refused() if number in hit else DONE
        review = doubt.review(learner(number), [answer], sent_at=sent_at, at=at, now=0)
        tried_again.update(review.freed)
        if review.settlements[0].result == "untried":
            tried_again.add(learner(number))
    assert not doubt.active
    assert len(hit) < 2 or tried_again >= set(map(learner, hit))
    assert tried_again <= set(map(learner, hit))
