"""Answers that were once read the wrong way round, from statement to the emulator's books."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.domain.errors import NoToken, StoreUnavailable
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.targets import CourseStatus, Target, TargetKind
from pointsman.emulator import Emulator
from pointsman.emulator.faults import read_fault
from pointsman.platforms.base import Mutation, PlatformAnswer, RequestOutcome
from tests.support.change_factory import change, course, each, topic, wants
from tests.support.odd_platform import OddAnswer, OddTransport, Shape, fixed
from tests.support.virtual_delivery import KEY, VirtualDelivery, catalogue
from tests.support.virtual_time import run_virtually

ANA = "l0@example.com"


def odd(
    folder: Path, shape: Shape, *, seconds: float, learners: int = 1, topics: int = 2
) -> VirtualDelivery:
    transport = odd_transport(OddAnswer("odd", 200, shape), seconds)
    return VirtualDelivery(folder, catalogue(learners, topics), transport=transport)


def odd_transport(answer: OddAnswer, seconds: float) -> Callable[[Emulator], OddTransport]:
    return lambda emulator: OddTransport(emulator, KEY, lambda _number: answer, seconds)


async def two_completions(sim: VirtualDelivery, who: str = ANA) -> None:
    await sim.ingest(wants(change(who, topic("t0"), 100), change(who, topic("t1"), 100)))


def test_a_passing_error_of_one_mutation_is_tried_again_with_growing_pauses_beside_an_urgent_one(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 3)) as sim:
            fault = {
                "kind": "refuse",
                "argument": "t0",
                "code": "SERVICE_UNAVAILABLE",
                "times": 6,
            }
            sim.emulator.faults.add(read_fault(fault, "a fault"))
            await two_completions(sim)
            await sim.clock.sleep(0.5)
            assert sim.topics(ANA) == {"t1": 100}  # at once, and by itself
            assert sim.requests == 2
            await sim.clock.sleep(4)
            await sim.ingest(wants(change(ANA, topic("t2"), 100)))
            await sim.clock.sleep(0.5)
            assert sim.topics(ANA) == {"t1": 100, "t2": 100}
            await sim.settle()
            assert sim.topics(ANA) == {"t0": 100, "t1": 100, "t2": 100}
            assert sim.clock.monotonic() > (1 + 2 + 4 + 8 + 16 + 32) / 2
            assert (await sim.store.books()).parked == 0

    run_virtually(main())


def test_a_mutation_that_fails_in_passing_for_minutes_is_parked_at_last(tmp_path: Path) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 2)) as sim:
            fault = {"kind": "refuse", "argument": "t0", "code": "SERVICE_UNAVAILABLE"}
            sim.emulator.faults.add(read_fault(fault, "a fault"))
            await two_completions(sim)
            await sim.settle()
            (parked,) = await sim.store.parked(limit=9)
            assert parked.park_code is ParkCode.FAILED_TOO_OFTEN
            assert parked.parked.startswith("failed 8 times, the last time with: SERVICE_UNAVAIL")
            assert sim.clock.monotonic() > 60

    run_virtually(main())


#: at most, while the platform does not answer
TRIES_A_SECOND = 1 / 0.75

REQUEST_ERRORS: list[object] = [
    {"errors": [{"message": "Internal trouble, report id 1"}], "data": None},
    {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {
            "cost": {
                "requestedQueryCost": 100,
                "throttleStatus": {"currentlyAvailable": 0, "restoreRate": 50},
            }
        },
    },
    {"errors": [{"type": "RATE_LIMITED", "message": "limit exceeded"}]},
]
NO_ANSWERS: list[object] = [
    {"message": "Service temporarily unavailable"},
    {"data": None},
    {"data": {}},
    {"errors": {"message": "down"}},
    {"errors": ["down"], "data": None},
]


@pytest.mark.parametrize("payload", [*REQUEST_ERRORS, *NO_ANSWERS])
def test_an_error_of_the_whole_request_or_no_answer_at_all_parks_nobody(
    tmp_path: Path, payload: object
) -> None:
    async def main() -> None:
        async with odd(tmp_path, fixed(payload), seconds=600, learners=9) as sim:
            for n in range(9):
                await two_completions(sim, f"l{n}@example.com")
            await sim.clock.sleep(600)
            transport = sim.transport
            assert isinstance(transport, OddTransport)
            assert (await sim.store.books()).dirty == 18
            throttled = sim.records[0].outcome.answer is RequestOutcome.THROTTLED
            assert throttled is (payload in REQUEST_ERRORS[1:])
            assert transport.odd_requests < (40 if throttled else 600 * TRIES_A_SECOND)
            assert bool(sim.dispatcher.platform_trouble) is not throttled
            await sim.settle(61)
            assert (await sim.store.books()).delivered == 18

    run_virtually(main())


def test_what_is_done_is_done_beside_an_error_without_a_path_and_the_error_is_told(
    tmp_path: Path,
) -> None:
    def shape(aliases: Any) -> bytes:
        data = dict.fromkeys(aliases, True)
        return orjson.dumps({"data": data, "errors": [{"message": "deprecated"}]})

    async def main() -> None:
        async with odd(tmp_path, shape, seconds=60) as sim:
            await two_completions(sim)
            await sim.settle(10)
            assert (await sim.store.books()).delivered == 2
            (record,) = sim.records
            assert (record.outcome.requests, record.outcome.message) == (1, "deprecated")

    run_virtually(main())


@pytest.mark.parametrize("token", ["TOKEN\n", "TO\rKEN", "TO\0KEN", "", " ", "\ud800"])
def test_a_token_that_can_stand_in_no_header_parks_its_learner_and_harms_nobody_else(
    tmp_path: Path, token: str
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(2, 2)) as sim:
            sim.tokens.renewable = False
            sim.tokens.stale[ANA] = token or "\n"
            await two_completions(sim)
            await two_completions(sim, "l1@example.com")
            await sim.settle()
            parked = await sim.store.parked(limit=9)
            assert {row.park_code for row in parked} == {ParkCode.TOKEN_REFUSED}
            assert parked[0].parked.startswith("token: the authToken can't be sent: ")
            assert sim.topics("l1@example.com") == {"t0": 100, "t1": 100}
            assert sim.requests == 1
            del sim.tokens.stale[ANA]
            await sim.store.unpark()
            sim.dispatcher.wake()
            await sim.settle()
            assert sim.topics(ANA) == {"t0": 100, "t1": 100}

    run_virtually(main())


@pytest.mark.parametrize(
    "at",
    [
        -62_135_596_800_000_000,
        -62_135_600_400_000_000,
        -(2**62),
        253_402_300_799_999_999,
        2**62,
        -1,
    ],
)
def test_no_date_keeps_a_course_from_being_completed_or_anything_beside_it(
    tmp_path: Path, at: int
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 1)) as sim:
            await sim.ingest(
                wants(change(ANA, course("c"), CourseStatus.STARTED.value, at=at)),
                wants(change(ANA, topic("t0"), 100)),
            )
            await sim.settle(30)
            assert (await sim.store.books()).delivered == 2

    run_virtually(main())


def test_a_learner_after_learner_refusal_parks_nobody_and_the_guilty_are_parked_when_it_is_over(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        payload = {"errors": [{"message": "no", "extensions": {"code": "BAD_USER_INPUT"}}]}
        async with odd(tmp_path, fixed(payload), seconds=300, learners=20) as sim:
            changes = [change(f"l{n}@example.com", topic("t0"), 100) for n in range(20)]
            changes.append(change("l20@example.com", topic("t0"), 100))
            await sim.ingest(*each([*changes, change(ANA, topic("unknown"), 100)]))
            sim.tokens.without.add("l20@example.com")
            await sim.clock.sleep(300)
            assert "one learner after another" in sim.dispatcher.platform_trouble
            parked = await sim.store.parked(limit=99)
            assert [row.park_code for row in parked] == [ParkCode.NO_TOKEN]
            transport = sim.transport
            assert isinstance(transport, OddTransport)
            assert transport.odd_requests < 300 * TRIES_A_SECOND
            await sim.settle(60)
            assert sim.dispatcher.platform_trouble == ""
            books = await sim.store.books()
            assert (books.delivered, books.parked, books.dirty) == (20, 2, 0)
            refused = await sim.store.parked(codes=[ParkCode.REFUSED_BY_PLATFORM], limit=9)
            assert [row.target for row in refused] == [topic("unknown")]

    run_virtually(main())


def test_who_was_parked_before_the_doubt_is_freed_though_the_store_is_away_for_a_moment(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        payload = {"errors": [{"message": "no", "extensions": {"code": "BAD_USER_INPUT"}}]}
        async with odd(tmp_path, fixed(payload), seconds=20, learners=9) as sim:
            broken(sim, "store.unpark", StoreUnavailable(), times=2)
            await sim.ingest(*each([change(f"l{n}@example.com", topic("t0"), 9) for n in range(9)]))
            await sim.clock.sleep(20)
            assert (await sim.store.books()).parked == 0
            await sim.settle(60)
            assert (await sim.store.books()).delivered == 9

    run_virtually(main())


def test_learners_who_are_refused_for_one_mistake_of_a_rule_are_parked_once_another_succeeds(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(40, 1)) as sim:
            wrong = [change(f"l{n}@example.com", topic("mistyped"), 100) for n in range(30)]
            await sim.ingest(*each(wrong, at=sim.now))
            await sim.clock.sleep(20)
            assert (await sim.store.books()).parked == 0
            await sim.ingest(wants(change("l30@example.com", topic("t0"), 100), at=sim.now))
            await sim.settle(300)
            assert (await sim.store.books()).parked == 30
            # the mistake is known now: later ones are parked at once, and stop nobody
            later = [change(f"l{n}@example.com", topic("mistyped"), 100) for n in range(31, 40)]
            await sim.ingest(*each(later, at=sim.now))
            await sim.clock.sleep(3)
            assert (await sim.store.books()).parked == 39
            assert sim.dispatcher.platform_trouble == ""

    run_virtually(main())


def test_when_to_come_back_is_obeyed_whatever_the_status(tmp_path: Path) -> None:
    async def main() -> None:
        for status in (200, 302, 400, 418, 500, 503, 599):
            answer = OddAnswer("odd", status, fixed({"x": 1}), (("Retry-After", "45"),))
            folder = tmp_path / str(status)
            folder.mkdir()
            sim = VirtualDelivery(
                folder,
                catalogue(3, 1),
                transport=odd_transport(answer, float("inf")),
            )
            async with sim:
                begins = sim.clock.monotonic()
                await sim.ingest(
                    *each([change(f"l{n}@example.com", topic("t0"), 9) for n in range(3)])
                )
                await sim.clock.sleep(44.9)
                transport = sim.transport
                assert isinstance(transport, OddTransport)
                assert transport.odd_requests <= 3
                assert sim.clock.monotonic() - begins < 45

    run_virtually(main())


def test_a_completed_course_does_not_go_when_its_topic_was_refused_in_another_half(
    tmp_path: Path,
) -> None:
    def shape(aliases: Any) -> bytes:
        return orjson.dumps(
            {"errors": [{"message": "no", "extensions": {"code": "BAD_USER_INPUT"}}]}
            if len(aliases) > 1
            else {"data": {"m0": False}}
        )

    async def main() -> None:
        async with odd(tmp_path, shape, seconds=5) as sim:
            done = change(ANA, course("c"), CourseStatus.COMPLETED.value, after=(topic("t0"),))
            await sim.ingest(wants(change(ANA, topic("t0"), 100), done))
            await sim.settle(60)
            codes = {row.target.kind: row.park_code for row in await sim.store.parked(limit=9)}
            assert codes == {
                TargetKind.TOPIC_PROGRESS: ParkCode.REFUSED_BY_PLATFORM,
                TargetKind.COURSE_STATUS: ParkCode.WAITS_FOR,
            }
            assert not sim.emulator.history

    run_virtually(main())


Raise = Callable[..., Any]


def raising(error: BaseException, times: int, inner: Raise) -> Raise:
    """`inner`, which first raises so often."""
    left = [times]

    def call(*args: Any, **kwargs: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise error
        return inner(*args, **kwargs)

    return call


#: every call that a delivery makes, and what may come of it: `own` fails for one learner only
CALLS = [
    *("platform.price", "platform.deliver", "platform.remedy", "tokens.token", "budget.reserve"),
    *("budget.settle", "store.settle", "store.lease", "store.next_ready_at"),
    *("budget.wait_for_quota", "budget.requests_within", "on_delivery"),
]
FAULTS: list[Exception] = [ValueError("a fault"), OverflowError("too much"), KeyError("x")]


def broken(sim: VirtualDelivery, call: str, error: BaseException, times: int) -> None:
    """Let a call of the delivery raise."""
    where, _, name = call.partition(".")
    sender = sim.dispatcher._sender
    owners: dict[str, list[object]] = {
        "platform": [sender._platform],
        "tokens": [sim.tokens],
        "budget": [sim.budget],
        "store": [sim.store],
        "on_delivery": [sim.dispatcher._settling],
    }
    for owner in owners[where]:
        attribute = name or "_on_delivery"
        setattr(owner, attribute, raising(error, times, getattr(owner, attribute)))


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("call", CALLS)
def test_a_fault_of_ours_at_any_call_costs_nothing_but_time(
    tmp_path: Path, call: str, error: Exception
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(4, 2)) as sim:
            broken(sim, call, error, times=3)
            for n in range(4):
                await two_completions(sim, f"l{n}@example.com")
            if call == "platform.remedy":
                await sim.ingest(wants(change("l3@example.com", topic("unknown"), 100)))
            await sim.clock.sleep(20)  # the test asks the store too
            await sim.settle(300)
            books = await sim.store.books()
            assert (books.delivered, books.dirty, books.balanced) == (8, 0, True)
            assert sim.clock.monotonic() < 200

    run_virtually(main())


@pytest.mark.parametrize("call", ["platform.deliver", "tokens.token", "budget.reserve"])
def test_something_awaited_that_was_cancelled_costs_nothing_but_time(
    tmp_path: Path, call: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(2, 2)) as sim:
            broken(sim, call, asyncio.CancelledError(), times=3)
            for n in range(2):
                await two_completions(sim, f"l{n}@example.com")
            await sim.clock.sleep(20)
            books = await sim.store.books()
            assert (books.delivered, books.dirty, books.balanced) == (4, 0, True)

    run_virtually(main())
    assert "a delivery failed for a reason of ours" in capsys.readouterr().out


@pytest.mark.parametrize("call", ["platform.probe", "tokens.refused"])
def test_a_fault_while_a_refusal_is_looked_into_costs_nothing_but_time(
    tmp_path: Path, call: str
) -> None:
    async def main() -> None:
        transport = odd_transport(OddAnswer("waf", 403, lambda _aliases: b"<html>"), 2.0)
        async with VirtualDelivery(tmp_path, catalogue(2, 2), transport=transport) as sim:
            broken(sim, call, ValueError("a fault"), times=3)
            for n in range(2):
                await two_completions(sim, f"l{n}@example.com")
            await sim.clock.sleep(120)
            books = await sim.store.books()
            assert (books.delivered, books.dirty, books.balanced) == (4, 0, True)

    run_virtually(main())


def test_a_state_that_no_request_can_be_made_of_is_parked_alone_after_some_tries(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(2, 3)) as sim:
            platform = sim.dispatcher._sender._platform
            deliver, asked = platform.deliver, []

            async def fail(auth_token: str | None, mutations: Sequence[Mutation]) -> PlatformAnswer:
                if any(mutation.target == topic("t1") for mutation in mutations):
                    asked.append(len(mutations))
                    raise ValueError("year 0 is out of range")
                return await deliver(auth_token, mutations)

            platform.deliver = fail  # type: ignore[method-assign]
            await sim.ingest(wants(*(change(ANA, topic(f"t{n}"), 100) for n in range(3))))
            await two_completions(sim, "l1@example.com")
            await sim.clock.sleep(0.5)
            assert sim.topics(ANA) == {"t0": 100, "t2": 100}
            await sim.settle()
            parked = await sim.store.parked(limit=9)
            assert {row.target for row in parked} == {topic("t1")}
            assert {row.park_code for row in parked} == {ParkCode.INTERNAL_ERROR}
            assert parked[0].parked.startswith("a fault of pointsman: ValueError: year 0 is out")
            assert sum(record.outcome.faults for record in sim.records) > 8
            assert sim.clock.monotonic() > 60

    run_virtually(main())


def test_a_fault_is_told_once_with_its_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(3, 2)) as sim:
            broken(sim, "tokens.token", ValueError("a fault"), times=9)
            for n in range(3):
                await two_completions(sim, f"l{n}@example.com")
            await sim.settle(300)
            assert (await sim.store.books()).delivered == 6

    run_virtually(main())
    output = capsys.readouterr().out
    assert output.count("Traceback") == 1
    assert output.count("a delivery failed for a reason of ours") == 9
    assert output.count("ValueError: a fault") >= 9


def test_one_learner_whose_token_lookup_always_breaks_is_parked_and_holds_up_nobody(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(3, 2)) as sim:
            ask = sim.tokens.token

            async def token(learner: str) -> str:
                if learner == ANA:
                    raise TypeError("unhashable")
                if learner == "l1@example.com":
                    raise NoToken("none")
                return await ask(learner)

            sim.tokens.token = token  # type: ignore[method-assign]
            for n in range(3):
                await two_completions(sim, f"l{n}@example.com")
            await sim.settle()
            codes = [row.park_code for row in await sim.store.parked(limit=9)]
            assert sorted(map(str, codes)) == ["internal_error"] * 2 + ["no_token"] * 2
            assert sim.topics("l2@example.com") == {"t0": 100, "t1": 100}

    run_virtually(main())


#: what came from outside: every control character, and no halves of characters
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
moments = st.integers(-(2**63), 2**63 - 1) | st.sampled_from(
    [-62_135_596_800_000_000, -62_135_596_800_000_001, 253_402_300_799_999_999, 0, -1]
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names, moments, st.sampled_from(["id", "slug", "sku"]))
def test_no_name_and_no_date_keeps_a_learner_from_what_else_is_wanted(
    tmp_path: Path, name: str, at: int, by: str
) -> None:
    folder = tmp_path / uuid.uuid4().hex
    folder.mkdir()

    async def main() -> None:
        async with VirtualDelivery(folder, catalogue(1, 2)) as sim:
            odd_one = Target(TargetKind.COURSE_STATUS, f"{by}:{name}")
            await sim.ingest(
                wants(change(ANA, odd_one, CourseStatus.COMPLETED.value, at=at)),
                wants(change(ANA, topic(name), 100, at=at)),
                wants(change(ANA, course("c"), CourseStatus.COMPLETED.value, at=at)),
            )
            await two_completions(sim)
            await sim.settle(60)
            books = await sim.store.books()
            assert (books.balanced, books.dirty) == (True, 0)
            assert sim.topics(ANA) == {"t0": 100, "t1": 100}
            codes = {row.park_code for row in await sim.store.parked(limit=9)}
            assert codes <= {ParkCode.REFUSED_BY_PLATFORM}
            assert course("c") not in {row.target for row in await sim.store.parked(limit=9)}

    run_virtually(main())
