"""Faults on purpose: when they strike, whom, and what a caller then sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.errors import ConfigError
from pointsman.emulator.faults import (
    Faults,
    InjectedFault,
    RequestFacts,
    fault_from_text,
    faults_from_file,
    read_fault,
    read_faults,
)
from tests.unit.emulator_harness import Caller

ANA = "ana@example.com"
PROGRESS = (
    'mutation { a: UpdateTopicAndCourseProgress(topicId: "topic_demo_1", progress: 10)'
    ' b: UpdateTopicAndCourseProgress(topicId: "topic_demo_2", progress: 20)'
    ' c: UpdateTopicAndCourseProgress(topicId: "topic_demo_3", progress: 30) }'
)


def facts(number: int = 1, **known: Any) -> RequestFacts:
    operations = known.get("operations", ("UpdateCourseStatus",))
    return RequestFacts(
        number=number,
        at=known.get("at", 0.0),
        operations=operations,
        arguments=known.get("arguments", (frozenset[str](),) * len(operations)),
        learner=known.get("learner", ANA),
        text=known.get("text", ""),
    )


def strikes(count: int, *, seed: int = 1, **fault: Any) -> list[int]:
    """The numbers of the requests, of so many, that a fault strikes."""
    faults = Faults([read_fault({"kind": "drop_after", **fault}, "a fault")], seed=seed)
    for number in range(1, count + 1):
        faults.inject(facts(number), InjectedFault())
    return [number for number, _ in faults.log]


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"every": 3}, [3, 6]),
        ({"times": 2}, [1, 2]),
        ({"every": 2, "times": 2}, [2, 4]),
        ({"kind": "throttle", "every": 4, "burst": 2}, [4, 5]),
        ({"kind": "server_error", "burst": 5, "times": 3}, [1, 2, 3]),
    ],
)
def test_a_fault_strikes_by_rule(rule: dict[str, Any], numbers: list[int]) -> None:
    assert strikes(6, **rule) == numbers


def test_chance_is_what_it_says_and_falls_the_same_way_for_the_same_seed() -> None:
    struck = strikes(5_000, chance=0.1)
    assert 400 < len(struck) < 600
    assert strikes(5_000, chance=0.1) == struck
    assert strikes(5_000, chance=0.1, seed=2) != struck


@pytest.mark.parametrize(
    ("match", "known", "struck"),
    [
        ({"operation": "UpdateCourseStatus"}, {}, True),
        ({"operation": "ArchiveUserCourse"}, {}, False),
        ({"learner": "Ana@Example.com"}, {}, True),
        ({"learner": ANA}, {"learner": None}, False),
        ({"containing": "topic_7"}, {"text": '{"topicId0": "topic_7"}'}, True),
        ({"containing": "topic_7"}, {"text": "topic_8"}, False),
        ({"operation": "A", "learner": ANA}, {"operations": ("B", "A")}, True),
        ({"operation": "A", "learner": "x@y.z"}, {"operations": ("B", "A")}, False),
    ],
)
def test_a_fault_is_for_the_requests_that_it_names(
    match: dict[str, str], known: dict[str, Any], struck: bool
) -> None:
    faults = Faults([read_fault({"kind": "drop_before", **match}, "a fault")])
    strike = InjectedFault()
    faults.inject(facts(**known), strike)
    assert strike.drop_before is struck


def test_faults_of_several_kinds_strike_together_and_are_counted() -> None:
    faults = Faults()
    first = faults.add(read_fault({"kind": "latency", "seconds": 2}, "a fault"))
    faults.add(read_fault({"kind": "reset_skew", "seconds": -3}, "a fault"))
    strike = InjectedFault()
    faults.inject(facts(), strike)
    assert (strike.latency, strike.reset_skew) == (2, -3)
    assert faults.remove(first)
    assert not faults.remove(first)
    faults.inject(facts(), InjectedFault())
    assert faults.as_json() == {
        "active": {"f2": {"kind": "reset_skew", "seconds": -3.0, "struck": 2}},
        "struck": {"latency": 1, "reset_skew": 2},
    }
    faults.clear()
    assert faults.as_json()["active"] == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind=throttle,chance=2", "chance: Input should be less than or equal to 1"),
        ("kind=throttle,often=2", "often: Extra inputs are not permitted"),
        ("kind=latency", "seconds: Field required"),
        ("kind=steal,requests=0", "must steal requests or points"),
        ("kind=latency,seconds=nan", "seconds: Input should be"),
        ("kind=refuse,place=1,argument=x", "takes place or argument, not both"),
        ("kind=storm", "kind: must be one of latency, throttle, server_error, drop_before, "),
        ("kind=storm", "slow_rest, not 'storm'"),
        ("chance=1", "kind: must be one of latency, "),
        ("throttle", "'throttle' is not key=value"),
    ],
)
def test_a_mistake_in_a_fault_is_named(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        fault_from_text(text)
    assert str(caught.value).startswith(f"--fault {text!r}: ")
    assert words in str(caught.value)


def test_faults_come_from_a_file_with_all_its_mistakes_named(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text('[[faults]]\nkind = "drop_after"\nchance = 0.5\n')
    assert [fault.chance for fault in faults_from_file(path)] == [0.5]
    path.write_text('[[faults]]\nkind = "x"\n[[faults]]\nkind = "latency"\n')
    with pytest.raises(ConfigError) as caught:
        faults_from_file(path)
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
        "faults[0]",
        "faults[1]",
    ]
    for wrong in ("fault = 1", "faults = 5", "x = "):
        path.write_text(wrong)
        with pytest.raises(ConfigError, match="faults"):
            faults_from_file(path)


def test_the_mistakes_of_a_file_and_of_the_command_line_are_named_together(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text('[[faults]]\nkind = "drop_after"\n')
    assert [fault.kind for fault in read_faults(["kind=drop_before"], path)] == [
        "drop_after",
        "drop_before",
    ]
    path.write_text('[[faults]]\nkind = "latency"\n')
    with pytest.raises(ConfigError) as caught:
        read_faults(["kind=steal,points=x", "kind=drop_after", "oops"], path)
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [
        f"faults {path}",
        "--fault 'kind=steal,points=x'",
        "--fault 'oops'",
    ]


THREE = {
    "operations": ("A", "B", "C"),
    "arguments": (frozenset({"x", "10"}), frozenset({"y"}), frozenset({"y"})),
}


@pytest.mark.parametrize(
    ("named", "known", "refused"),
    [
        ({}, THREE, {1: "INTERNAL_SERVER_ERROR"}),
        ({}, {}, {0: "INTERNAL_SERVER_ERROR"}),
        ({"place": 2, "code": "NOT_FOUND"}, THREE, {2: "NOT_FOUND"}),
        ({"place": 3}, THREE, {}),
        ({"argument": "y"}, THREE, {1: "INTERNAL_SERVER_ERROR"}),
        ({"argument": "10"}, THREE, {0: "INTERNAL_SERVER_ERROR"}),
        ({"argument": "z"}, THREE, {}),
        ({}, {"operations": ()}, {}),
    ],
)
def test_a_field_is_refused_by_its_place_or_by_an_argument_and_strikes_only_if_it_is_there(
    named: dict[str, Any], known: dict[str, Any], refused: dict[int, str]
) -> None:
    faults = Faults([read_fault({"kind": "refuse", **named}, "a fault")])
    strike = InjectedFault()
    faults.inject(facts(**known), strike)
    assert strike.refused == refused
    assert faults.struck["refuse"] == len(refused)


@pytest.mark.parametrize(
    ("all_of_them", "learner", "struck"),
    [(False, ANA, 1), (False, None, 0), (True, None, 1)],
)
def test_a_presented_token_can_only_expire_if_it_was_good(
    all_of_them: bool, learner: str | None, struck: int
) -> None:
    faults = Faults([read_fault({"kind": "expire_tokens", "all": all_of_them}, "a fault")])
    faults.inject(facts(learner=learner), InjectedFault())
    assert faults.struck["expire_tokens"] == struck


def test_a_thief_by_the_minute_takes_what_has_come_together_since_the_last_request() -> None:
    rule = {"kind": "steal", "requests": 6, "points": 90, "per_minute": True}
    faults = Faults([read_fault(rule, "a fault")])
    taken = []
    for at in (100.0, 115.0, 145.0, 160.0, 1_000.0):
        strike = InjectedFault()
        faults.inject(facts(at=at), strike)
        taken.append((strike.stolen_requests, strike.stolen_points))
    # nothing at first; then what is whole, the fraction is left for later; a minute's worth at most
    assert taken == [(0, 0), (1, 22), (3, 45), (2, 23), (6, 90)]
    assert faults.struck["steal"] == 4


class Struck(Caller):
    """A caller of an emulator with one fault."""

    def __init__(self, **fault: Any) -> None:
        super().__init__(requests_per_minute=10, points_per_minute=100)
        self.emulator.faults.add(read_fault(fault, "a fault"))


async def test_an_injected_429_runs_nothing_and_is_not_counted_as_a_real_one() -> None:
    call = Struck(kind="throttle", retry_after=6.5)
    answer = await call(PROGRESS)
    assert (answer.status, answer.codes) == (429, ["RATE_LIMITED"])
    assert answer.headers["Retry-After"] == "7"
    assert call.learner()["topics"] == {}
    assert call.emulator.state()["totals"]["rejected_429"] == 0


async def test_a_server_error_runs_nothing() -> None:
    call = Struck(kind="server_error", status=502)
    assert (await call(PROGRESS)).status == 502
    assert call.learner()["topics"] == {}


@pytest.mark.parametrize(("kind", "topics"), [("drop_before", 0), ("drop_after", 3)])
async def test_a_connection_is_dropped_before_or_after_everything_ran(
    kind: str, topics: int
) -> None:
    call = Struck(kind=kind)
    reply = await call.emulator.handle(
        query={"apiKey": "instance-key"},
        headers={"authToken": call.tokens[ANA]},
        body=b'{"query": "%s"}' % PROGRESS.replace('"', '\\"').encode(),
    )
    assert reply.dropped
    assert len(call.learner()["topics"]) == topics


@pytest.mark.parametrize(("place", "ran"), [(None, 1), (0, 0), (2, 2), (9, 3)])
async def test_a_batch_is_refused_at_a_place(place: int | None, ran: int) -> None:
    call = Struck(kind="refuse", place=place, code="NOT_FOUND")
    answer = await call(PROGRESS)
    assert len(call.learner()["topics"]) == ran
    assert answer.codes == ([] if ran == 3 else ["NOT_FOUND"])


@pytest.mark.parametrize("all_of_them", [False, True])
async def test_tokens_expire_at_once(all_of_them: bool) -> None:
    call = Struck(kind="expire_tokens", all=all_of_them, times=1)
    assert (await call(PROGRESS)).codes == ["UNAUTHENTICATED"]
    ben = await call(PROGRESS, learner="ben@example.com")
    assert ben.codes == (["UNAUTHENTICATED"] if all_of_them else [])


async def test_another_client_eats_the_shared_quota() -> None:
    call = Struck(kind="steal", requests=5, points=20, times=2)
    assert (await call(PROGRESS)).headers["X-RateLimit-Remaining"] == "77"
    assert (await call(PROGRESS)).status == 200
    assert (await call(PROGRESS)).status == 429  # 3 of ours and 10 of theirs
    assert call.emulator.state()["totals"]["rejected_429"] == 1


async def test_a_reset_header_is_off() -> None:
    right, wrong = Caller(), Struck(kind="reset_skew", seconds=-4)
    told = int((await wrong(PROGRESS)).headers["X-RateLimit-Reset"])
    assert told == int((await right(PROGRESS)).headers["X-RateLimit-Reset"]) - 4


async def test_another_client_takes_its_share_of_every_minute() -> None:
    call = Struck(kind="steal", requests=0, points=60, per_minute=True)
    left = []
    for _ in range(4):
        answer = await call("{ __typename }")
        left.append(int(answer.headers["X-RateLimit-Remaining"]))
        call.clock.seconds += 15
    # each costs us a point, and between them the other spends 15
    assert left == [99, 83, 67, 51]


async def test_a_batch_is_refused_at_the_field_with_an_argument_of_a_value() -> None:
    call = Struck(kind="refuse", argument="topic_demo_3", code="FORBIDDEN")
    inline = await call(PROGRESS)
    assert inline.codes == ["FORBIDDEN"]
    assert inline.json["errors"][0]["path"] == ["c"]
    by_variable = await call(
        "mutation($topic: ID!) { UpdateTopicAndCourseProgress(topicId: $topic, progress: 1) }",
        topic="topic_demo_3",
    )
    assert by_variable.codes == ["FORBIDDEN"]
    assert call.learner()["topics"] == {"topic_demo_1": 10, "topic_demo_2": 20}


async def test_a_request_that_latency_carries_into_the_next_minute_is_charged_there() -> None:
    call = Caller(points_per_minute=5)
    assert (await call(PROGRESS)).status == 200
    call.emulator.faults.add(read_fault({"kind": "latency", "seconds": 70}, "a fault"))
    late = await call(PROGRESS)
    assert (late.status, late.headers["X-RateLimit-Remaining"]) == (200, "2")


async def test_latency_passes_on_the_injected_clock() -> None:
    call = Struck(kind="latency", seconds=3)
    await call(PROGRESS)
    assert call.clock.seconds == 3


async def test_a_reset_leaves_faults_in_force() -> None:
    call = Struck(kind="server_error")
    call.emulator.reset()
    assert (await call(PROGRESS)).status == 503
