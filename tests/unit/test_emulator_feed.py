"""The emulated REST API: pages of a feed, its cursors and spans, its limit, its refusals."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from pointsman.emulator.faults import read_fault
from pointsman.emulator.rest import RestOptions
from tests.unit.emulator_harness import KEY, Answered, Caller, answered

FEED = "/incoming/v2/events/courseAction"
BEARER = {"Authorization": f"Bearer {KEY}"}
COMPLETED = 'mutation { UpdateCourseStatus(id: "course_demo", status: "completed") }'
STARTED = 'mutation { UpdateCourseStatus(id: "course_demo", status: "not-completed") }'


async def get(call: Caller, path: str = FEED, **query: str) -> Answered:
    return answered(await call.emulator.rest.handle("GET", path, query=query, headers=BEARER))


def sources(answer: Answered) -> list[str]:
    return [event["source"] for event in answer.json["events"]]


async def toggled(call: Caller, times: int, seconds: float = 1) -> None:
    """So many changes of a status, one every `seconds`."""
    for number in range(times):
        assert (await call(STARTED if number % 2 else COMPLETED)).codes == []
        call.clock.advance(seconds)


async def test_an_event_says_what_public_code_reads_of_the_platforms_own() -> None:
    call = Caller()
    await call(COMPLETED)
    answer = await get(call)
    [event] = answer.json["events"]
    assert {"id", "companyId", "timestamp"} <= event.keys()
    assert event["source"] == "course_completed"
    assert event["type"] == "status_change"
    assert event["notifiableId"] == "course_demo"
    assert event["courseSku"] == "DEMO-1"
    assert event["user"] == "ana@example.com"
    assert event["userDetail"]["id"] == "user_ana"
    info = answer.json["pageInfo"]
    assert (info["perPage"], info["total"], info["hasMore"]) == (100, 1, False)


async def test_a_feed_of_an_empty_platform_has_no_events_and_no_cursor() -> None:
    answer = await get(Caller())
    assert answer.status == 200
    assert answer.json == {
        "events": [],
        "pageInfo": {"perPage": 100, "cursor": None, "total": 0, "hasMore": False},
    }


async def walk(call: Caller, **query: str) -> list[list[str]]:
    """The ids of all pages, following the cursor."""
    pages = []
    while True:
        answer = await get(call, **query)
        pages.append([event["id"] for event in answer.json["events"]])
        if not answer.json["pageInfo"]["hasMore"]:
            return pages
        query["cursor"] = answer.json["pageInfo"]["cursor"]


@pytest.mark.parametrize("newest_first", [True, False])
async def test_pages_give_each_event_once_in_their_order(newest_first: bool) -> None:
    call = Caller(rest=RestOptions(newest_first=newest_first))
    await toggled(call, 10)
    pages = await walk(call, perPage="4")
    assert [len(page) for page in pages] == [4, 4, 2]
    times = [event["timestamp"] for event in (await get(call)).json["events"]]
    assert times == sorted(times, reverse=newest_first)
    assert [name for page in pages for name in page] == [
        event["id"] for event in (await get(call)).json["events"]
    ]


@pytest.mark.parametrize("newest_first", [True, False])
async def test_what_happens_between_two_pages_repeats_and_skips_nothing(
    newest_first: bool,
) -> None:
    call = Caller(rest=RestOptions(newest_first=newest_first))
    await toggled(call, 6)
    before = {name for page in await walk(call) for name in page}
    first = await get(call, perPage="4")
    await toggled(call, 2)
    rest = await walk(call, perPage="4", cursor=first.json["pageInfo"]["cursor"])
    seen = [event["id"] for event in first.json["events"]] + [n for page in rest for n in page]
    assert len(seen) == len(set(seen))
    # the newest are on a page only where that is still to come
    assert set(seen) >= before
    assert len(seen) == (6 if newest_first else 8)


async def test_an_event_that_comes_late_stands_at_its_own_time() -> None:
    call = Caller()
    call.emulator.faults.add(read_fault({"kind": "hide_event", "seconds": 90, "times": 1}, "late"))
    await toggled(call, 3, seconds=10)
    shown = await get(call)
    assert sources(shown) == ["course_completed", "course_status_changed"]
    assert shown.json["pageInfo"]["total"] == 2
    newest = await get(call, perPage="1")
    call.clock.advance(100)
    assert len((await get(call)).json["events"]) == 3
    older = await get(call, cursor=newest.json["pageInfo"]["cursor"])
    assert sources(older) == ["course_status_changed", "course_completed"]


async def test_a_span_of_time_includes_both_ends_in_either_dialect() -> None:
    call = Caller()
    await toggled(call, 5, seconds=10)
    times = [event["timestamp"] for event in (await get(call)).json["events"]]
    within = await get(call, startDate=times[3], endDate=times[1])
    assert [event["timestamp"] for event in within.json["events"]] == times[1:4]
    noon = round(call.clock.now() * 1000) - 50_000
    later = await get(call, startDate=str(noon + 10_000), endDate=str(noon + 20_000))
    assert [event["timestamp"] for event in later.json["events"]] == times[2:4]


async def test_events_are_found_by_kind_course_and_learner() -> None:
    call = Caller()
    await toggled(call, 2)
    await call(COMPLETED, learner="ben@example.com")
    assert sources(await get(call, kind="completed")) == ["course_completed"] * 2
    assert sources(await get(call, kind="course_status_changed")) == ["course_status_changed"]
    assert len((await get(call, userId="user_ben")).json["events"]) == 1
    assert (await get(call, notifiableId="nothing")).json["events"] == []
    completions = await get(call, "/incoming/v2/events/courseCompletion")
    assert len(completions.json["events"]) == 2
    paths = await get(call, "/incoming/v2/events/learningPathAction")
    assert sources(paths) == ["learning_path_completed"] * 2
    assert {event["notifiableId"] for event in paths.json["events"]} == {"lp_456"}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"cursor": "x"}, "cursor is not one of this API"),
        ({"cursor": "bm90LWpzb24"}, "cursor is not one of this API"),
        ({"cursor": "WzEsMl0"}, "cursor is not one of this API"),
        ({"cursor": "ß"}, "cursor is not one of this API"),
        ({"perPage": "0"}, "perPage must be a number from 1"),
        ({"perPage": "²"}, "perPage must be"),
        ({"startDate": "soon"}, "startDate must be ISO 8601 or Unix milliseconds"),
        ({"endDate": "-5"}, "endDate must be"),
    ],
)
async def test_a_parameter_that_makes_no_sense_is_named(query: dict[str, str], words: str) -> None:
    answer = await get(Caller(), **query)
    assert answer.status == 400
    assert words in answer.json["message"]


async def test_a_cursor_expires_where_that_is_asked_for() -> None:
    call = Caller(rest=RestOptions(cursor_ttl=60))
    await toggled(call, 4)
    cursor = (await get(call, perPage="2")).json["pageInfo"]["cursor"]
    assert len((await get(call, cursor=cursor)).json["events"]) == 2
    call.clock.advance(61)
    answer = await get(call, cursor=cursor)
    assert (answer.status, answer.json["message"]) == (400, "cursor has expired")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer no"}, {"Authorization": KEY}])
async def test_without_the_bearer_it_is_401_with_an_empty_body(headers: dict[str, str]) -> None:
    call = Caller()
    reply = await call.emulator.rest.handle("GET", FEED, query={"apiKey": KEY}, headers=headers)
    assert (reply.status, reply.body) == (401, b"")


async def test_the_limit_is_its_own_and_says_when_it_ends() -> None:
    call = Caller(rest=RestOptions(requests_per_minute=2))
    assert (await get(call, "/incoming/v2/ping")).json == {"valid": True}
    call.clock.advance(10)
    second = await get(call)
    assert second.headers["X-RateLimit-Limit"] == "2"
    assert second.headers["X-RateLimit-Remaining"] == "0"
    refused = await get(call)
    assert refused.status == 429
    assert refused.headers["Retry-After"] == "50"
    assert refused.json["error"] == "rate_limit_exceeded"
    assert refused.json["retryAfter"] == 50
    shown = call.emulator.state()
    assert shown["rest"] == {"requests": 3, "rejected_429": 1}
    assert shown["totals"]["requests"] == 0
    call.clock.advance(50)
    assert (await get(call)).status == 200


async def test_pages_stand_where_the_public_page_shows_them_if_asked() -> None:
    call = Caller(rest=RestOptions(wrapped=True))
    await call(COMPLETED)
    page = (await get(call)).json["data"]["APIEvents"]
    assert len(page["events"]) == page["pageInfo"]["total"] == 1


@pytest.mark.parametrize(
    ("fault", "status", "headers"),
    [
        ({"kind": "fail_rest"}, 503, {}),
        ({"kind": "fail_rest", "status": 429, "retry_after": 7}, 429, {"Retry-After": "7"}),
        ({"kind": "fail_rest", "status": 401}, 401, {}),
        ({"kind": "fail_rest", "operation": "learningPathAction"}, 200, {}),
        ({"kind": "slow_rest", "seconds": 5}, 200, {}),
        ({"kind": "server_error"}, 200, {}),
    ],
)
async def test_faults_of_the_rest_api_strike_it_alone(
    fault: dict[str, Any], status: int, headers: dict[str, str]
) -> None:
    call = Caller()
    call.emulator.faults.add(read_fault(fault, "a fault"))
    before = call.clock.now()
    reply = await call.emulator.rest.handle("GET", FEED, query={}, headers=BEARER)
    assert reply.status == status
    assert headers.items() <= reply.headers.items()
    assert call.clock.now() - before == fault.get("seconds", 0)
    graphql = await call("{ __typename }")
    assert graphql.status == (503 if fault["kind"] == "server_error" else 200)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/incoming/v2/users"), ("POST", FEED), ("GET", "/incoming/v2/events/ping")],
)
async def test_what_is_not_there_is_404(method: str, path: str) -> None:
    reply = await Caller().emulator.rest.handle(method, path, query={}, headers=BEARER)
    assert reply.status == 404
    assert orjson.loads(reply.body)["error"] == "not_found"


async def test_a_page_has_no_more_than_the_api_gives_whatever_is_asked_for() -> None:
    call = Caller(rest=RestOptions(per_page=2))
    await toggled(call, 3)
    page = await get(call, perPage="100")
    assert (len(page.json["events"]), page.json["pageInfo"]["perPage"]) == (2, 2)
