"""Whatever the platform answers for ten seconds: then all is delivered, and nothing was stormed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.domain.targets import CourseStatus
from tests.support.change_factory import change, course, topic, wants
from tests.support.odd_platform import OddAnswer, OddTransport, odd_answers, raw
from tests.support.thoroughness import thorough
from tests.support.virtual_delivery import KEY, VirtualDelivery, catalogue
from tests.support.virtual_time import run_virtually

LEARNERS, TOPICS = 12, 2
STATES = LEARNERS * (TOPICS + 1)
#: seconds
BAD_DAY, SOON = 10.0, 60.0
TABLE = odd_answers()
#: every second status, the other half with the next shape
TRIED = {
    shape: thorough(answers, otherwise=answers[number % 2 :: 2])
    for number, (shape, answers) in enumerate(TABLE.items())
}
#: eight are under way when three have failed; then one after each pause of 1, 2, 4 … seconds, or of
#: half as much; some are cut and count for nothing
PACE = 26
#: a document of three that is refused is halved, and a refused token or key is asked about
HALVED, DOUBTED = 60, 36


@dataclass(frozen=True)
class Outcome:
    """What came of it. `seconds` from being well to the last delivery."""

    requests: int
    seconds: float
    parked: int
    dirty: int
    delivered: int


def bad_day(folder: Path, odd: Callable[[int], OddAnswer]) -> Outcome:
    folder.mkdir()

    async def main() -> Outcome:
        transports: list[OddTransport] = []

        def transport(emulator: object) -> OddTransport:
            transports.append(OddTransport(emulator, KEY, odd, BAD_DAY))  # type: ignore[arg-type]
            return transports[0]

        async with VirtualDelivery(folder, catalogue(LEARNERS, TOPICS), transport=transport) as sim:
            for n in range(LEARNERS):
                who = f"l{n}@example.com"
                topics = [topic(f"t{place}") for place in range(TOPICS)]
                await sim.ingest(
                    wants(
                        *(change(who, target, 100) for target in topics),
                        change(who, course("c"), CourseStatus.COMPLETED.value, after=tuple(topics)),
                    )
                )
            await sim.clock.sleep(BAD_DAY)
            await sim.settle(SOON * 2)
            books = await sim.store.books()
            assert books.balanced
            seconds = sim.clock.monotonic() - BAD_DAY
            return Outcome(
                transports[0].odd_requests, seconds, books.parked, books.dirty, books.delivered
            )

    return run_virtually(main())


def always(answer: OddAnswer) -> Callable[[int], OddAnswer]:
    return lambda _number: answer


def most_requests(answer: OddAnswer) -> int:
    too_large = answer.status in {413, 431}
    if too_large or answer.name.startswith(("validation", "bad input", "persisted")):
        return HALVED
    return DOUBTED if answer.status in {401, 403} else PACE


def what_is_wrong(outcome: Outcome, answer: OddAnswer) -> str:
    """In words; "" when nothing is."""
    if outcome.delivered < STATES:
        return f"{outcome.parked} parked, {outcome.dirty} dirty"
    if outcome.seconds > SOON + answer.asked_pause:
        return f"all was delivered {outcome.seconds:.0f} s after it was well"
    if outcome.requests > most_requests(answer):
        return f"{outcome.requests} requests"
    return ""


def test_the_table_has_hundreds_of_rows_that_differ() -> None:
    rows = [answer for answers in TABLE.values() for answer in answers]
    assert len({answer.name for answer in rows}) == len(rows) >= 200


@pytest.mark.parametrize("shape", TRIED)
def test_ten_odd_seconds_cost_nothing_but_time(tmp_path: Path, shape: str) -> None:
    wrong = {}
    for number, answer in enumerate(TRIED[shape]):
        outcome = bad_day(tmp_path / str(number), always(answer))
        if problem := what_is_wrong(outcome, answer):
            wrong[f"{answer.name} {answer.headers} {answer.delay} {answer.cut}"] = problem
    assert wrong == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "errors", "path", "message", "extensions", "code", "type"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
odd_bodies = st.lists(
    st.tuples(
        st.sampled_from([200, 400, 500, 503]),
        st.binary(max_size=30)
        | json_values.map(orjson.dumps)
        | st.fixed_dictionaries({"errors": st.lists(json_values, max_size=3)}).map(orjson.dumps),
    ),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(odd_bodies)
def test_bodies_of_any_kind_cost_nothing_but_time(
    tmp_path: Path, bodies: list[tuple[int, bytes]]
) -> None:
    answers = [OddAnswer("any", status, raw(body)) for status, body in bodies]
    folder = tmp_path / uuid.uuid4().hex
    outcome = bad_day(folder, lambda number: answers[number % len(answers)])
    assert what_is_wrong(outcome, replace(answers[0], name="bad input")) == ""
