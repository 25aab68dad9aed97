"""When refusals are the learners' own, when the platform's, and what follows from it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

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

    def turn(self, number: int, *settlements: Settlement) -> Sequence[Settlement]:
        self.at += 1.0
        review = self.doubt.review(learner(number), settlements, at=self.at, now=0)
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
