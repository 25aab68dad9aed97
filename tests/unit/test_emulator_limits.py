from __future__ import annotations

import pytest

from pointsman.emulator.limits import InstanceLimits, Quota, QuotaReading
from tests.support.manual_clock import NOON
from tests.unit.emulator_harness import Caller

TOPIC = 'mutation { UpdateTopicAndCourseProgress(topicId: "topic_demo_1", progress: 5) }'
THREE = "mutation { " + "".join(
    f'm{n}: UpdateTopicAndCourseProgress(topicId: "topic_demo_1", progress: {n}) ' for n in range(3)
)
THREE += "}"


def test_a_window_opens_with_the_first_request_and_does_not_roll() -> None:
    quota = Quota(InstanceLimits(points_per_minute=10, requests_per_minute=2))
    assert quota.reading(7.0) == QuotaReading(10, 2, None)
    assert quota.admit(100.0)
    assert quota.admit(159.0)
    assert not quota.admit(159.9)
    assert quota.reading(159.0) == QuotaReading(10, 0, 1.0)
    assert quota.admit(160.0), "the window that opened at 100 ends at 160"
    assert quota.reading(160.0) == QuotaReading(10, 1, 60.0)


def test_the_next_window_starts_with_its_first_request_and_not_at_the_end_of_the_last() -> None:
    quota = Quota(InstanceLimits(requests_per_minute=1))
    assert quota.admit(0.0)
    assert quota.admit(90.0)
    assert not quota.admit(149.0)
    assert quota.admit(150.0)


@pytest.mark.parametrize(
    ("spent", "asked", "granted"), [(0, 10, True), (9, 1, True), (9, 2, False)]
)
def test_points_are_charged_whole_or_not_at_all(spent: int, asked: int, granted: bool) -> None:
    quota = Quota(InstanceLimits(points_per_minute=10))
    quota.admit(0.0)
    assert quota.spend(0.0, spent)
    assert quota.spend(0.0, asked) is granted
    assert quota.reading(0.0).points_left == 10 - spent - (asked if granted else 0)


async def test_every_answer_says_what_is_left_and_when_it_resets() -> None:
    call = Caller()
    first = await call(TOPIC)
    assert first.headers == {
        "Content-Type": "application/json; charset=utf-8",
        "X-RateLimit-Remaining": "99999",
        "X-RateLimit-Reset": str(int(NOON) + 60),
        "X-Complexity-Cost": "1",
        "X-Complexity-Limit": "1000",
    }
    call.clock.seconds = 30.4
    second = await call(THREE)
    assert second.headers["X-RateLimit-Remaining"] == "99996"
    assert second.headers["X-Complexity-Cost"] == "3"
    assert second.headers["X-RateLimit-Reset"] == str(int(NOON) + 60), "the window does not roll"


async def test_the_reset_is_rounded_up_to_whole_seconds() -> None:
    call = Caller()
    call.clock.seconds = 0.25
    assert (await call(TOPIC)).headers["X-RateLimit-Reset"] == str(int(NOON) + 61)


async def test_requests_past_the_limit_get_429_until_the_window_ends() -> None:
    call = Caller(requests_per_minute=2)
    assert [(await call(TOPIC)).status for _ in range(2)] == [200, 200]
    call.clock.seconds = 12.5
    refused = await call(TOPIC)
    assert refused.status == 429
    assert refused.codes == ["RATE_LIMITED"]
    assert refused.headers["Retry-After"] == "48"
    assert refused.headers["X-RateLimit-Reset"] == str(int(NOON) + 60)
    assert refused.headers["X-RateLimit-Remaining"] == "99998"
    assert call.emulator.state()["totals"]["rejected_429"] == 1
    call.clock.seconds += 48
    assert (await call(TOPIC)).status == 200


async def test_points_past_the_limit_get_429_and_nothing_of_the_request_runs() -> None:
    call = Caller(points_per_minute=5)
    await call(THREE)
    refused = await call(THREE.replace("topic_demo_1", "topic_demo_2"))
    assert (refused.status, refused.codes) == (429, ["RATE_LIMITED"])
    assert refused.headers["X-Complexity-Cost"] == "3"
    assert refused.headers["X-RateLimit-Remaining"] == "2"
    assert call.learner()["topics"] == {"topic_demo_1": 2}
    assert (await call(TOPIC)).status == 200, "what still fits is served"
    state = call.emulator.state()
    assert state["totals"]["points"] == 4
    assert state["window"]["requests_left"] == 2_500 - 3, "a refused request is a request"


async def test_a_request_dearer_than_one_may_be_is_an_error_and_costs_a_request_only() -> None:
    call = Caller(points_per_request=2)
    refused = await call(THREE)
    assert (refused.status, refused.codes) == (400, ["COMPLEXITY_LIMIT_EXCEEDED"])
    assert refused.messages == ["the request costs 3 points; one request may cost 2"]
    assert refused.headers["X-Complexity-Cost"] == "3"
    assert refused.headers["X-Complexity-Limit"] == "2"
    assert refused.headers["X-RateLimit-Remaining"] == "100000"
    assert call.learner()["topics"] == {}


async def test_a_thousand_points_fit_into_one_request_and_one_more_does_not() -> None:
    call = Caller()
    field = 'UpdateTopicAndCourseProgress(topicId: "topic_demo_1", progress: 1)'

    def document(size: int) -> str:
        return "mutation {" + " ".join(f"m{n}: {field}" for n in range(size)) + "}"

    assert (await call(document(1_000))).status == 200
    assert (await call(document(1_001))).status == 400


async def test_a_malformed_request_counts_as_a_request() -> None:
    call = Caller(requests_per_minute=1)
    assert (await call("mutation {")).status == 400
    assert (await call(TOPIC)).status == 429


async def test_a_batch_refused_in_the_middle_costs_all_its_points() -> None:
    call = Caller()
    refused = await call(THREE.replace('topic_demo_1", progress: 1', 'nowhere", progress: 1'))
    assert refused.data is None
    assert refused.headers["X-RateLimit-Remaining"] == "99997"


async def test_an_hour_at_the_limit_serves_every_window_in_full() -> None:
    call = Caller(requests_per_minute=10)
    served = 0
    while call.clock.seconds < 3_600:
        answer = await call(TOPIC)
        served += answer.status == 200
        if answer.status == 429:
            call.clock.seconds += int(answer.headers["Retry-After"])
    assert served == 600
