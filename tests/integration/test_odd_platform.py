"""Whatever the platform answers for ten seconds: then all is delivered, and nothing was stormed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.domain.targets import CourseStatus
from tests.support.change_factory import change, course, topic, wants
from tests.support.odd_platform import OddAnswer, OddTransport, odd_answers, raw
from tests.support.virtual_delivery import KEY, VirtualDelivery, catalogue
from tests.support.virtual_time import run_virtually

LEARNERS, TOPICS = 12, 2
STATES = LEARNERS * (TOPICS + 1)
#: seconds
BAD_DAY, SOON = 10.0, 60.0
TABLE = odd_answers()
#: eight are under way when three have failed; then one after each pause of half to all of 1, 2, 4 …
#: seconds; and a turn of three mutations takes five requests when halved, four when a token is
#: doubted
STORM = {"halved": 5, "doubted": 4}
PACE = 8 + 3 + 5


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


def what_is_wrong(outcome: Outcome, answer: OddAnswer) -> str:
    """In words; "" when nothing is."""
    if outcome.delivered < STATES:
        return f"{outcome.parked} parked, {outcome.dirty} dirty"
    if outcome.seconds > SOON + answer.asked_pause:
        return f"all was delivered {outcome.seconds:.0f} s after it was well"
    if outcome.requests > PACE * max(STORM.values()):
        return f"{outcome.requests} requests"
    return ""


def test_the_table_has_hundreds_of_rows_that_differ() -> None:
    rows = [answer for answers in TABLE.values() for answer in answers]
    assert len({answer.name for answer in rows}) == len(rows) >= 200


@pytest.mark.parametrize("shape", TABLE)
def test_ten_odd_seconds_cost_nothing_but_time(tmp_path: Path, shape: str) -> None:
    wrong = {}
    for number, answer in enumerate(TABLE[shape]):
        outcome = bad_day(tmp_path / str(number), lambda _number, answer=answer: answer)
        if problem := what_is_wrong(outcome, answer):
            wrong[f"{answer.name} {answer.headers} {answer.delay} {answer.cut}"] = problem
    assert wrong == {}
