"""Reading back: the query, its price, and answers of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate

from pointsman.domain.errors import PlatformUnreachable
from pointsman.domain.targets import ReadBackPlace
from pointsman.emulator.pricing import price as charge
from pointsman.emulator.schema import load_schema
from pointsman.platforms.base import PlatformState, ReadBack, RequestOutcome
from pointsman.platforms.helium import HttpAnswer
from pointsman.platforms.helium.readback import HeliumReader, document
from tests.support.manual_clock import ManualClock

DATA = Path(__file__).parent.parent / "data/platform"
PLACES = [ReadBackPlace.course("c1"), ReadBackPlace.path("p1"), ReadBackPlace.course("c2")]
COURSE: dict[str, Any] = {
    "progress0": {"percentComplete": 40, "totalViews": 3},
    "pages0": [{"id": "t1"}, {}],
    "criteria0": [{"percent": 100}, {"percent": 50}],
}
PATH: dict[str, Any] = {
    "path1": {
        "currentUserStartActionDate": None,
        "milestones": [
            {"id": "m1", "requirement": "required"},
            {"id": "m2", "requirement": "elective"},
        ],
    },
    "done1": [{"milestone": {"id": "m1"}}],
}
OTHER: dict[str, Any] = {
    "progress2": {"percentComplete": 100, "totalViews": 0},
    "pages2": [],
    "criteria2": None,
}


class Canned:
    """A transport with one answer."""

    def __init__(self, answer: HttpAnswer | None) -> None:
        self.answer = answer
        self.sent: dict[str, Any] = {}

    async def post(self, headers: Any, body: bytes) -> HttpAnswer:
        self.sent = {**orjson.loads(body), "token": headers["authToken"]}
        if self.answer is None:
            raise PlatformUnreachable("no answer from the platform")
        return self.answer

    async def close(self) -> None:
        pass


async def read(payload: object, status: int = 200) -> ReadBack:
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    reader = HeliumReader(Canned(HttpAnswer(status, {}, body)), ManualClock())
    return await reader.read("token", PLACES)


@pytest.mark.parametrize("name", ["reference", "published-2023"])
def test_the_query_is_valid_on_the_page_and_in_the_published_schema(name: str) -> None:
    schema = build_schema((DATA / f"{name}.graphql").read_text("utf-8"))
    assert validate(schema, parse(document(PLACES))) == []


@pytest.mark.parametrize("places", [[ReadBackPlace.course("c")], [ReadBackPlace.path("p")], PLACES])
def test_the_price_is_what_the_emulator_charges(places: list[ReadBackPlace]) -> None:
    (operation,) = parse(document(places)).definitions
    assert isinstance(operation, OperationDefinitionNode)
    reader = HeliumReader(Canned(None), ManualClock())
    assert reader.price(places) == charge(load_schema(), operation, {}, {})


async def test_what_is_shown_is_read_place_by_place() -> None:
    found = await read({"data": {**COURSE, **PATH, **OTHER}})
    assert found.answer.outcome is RequestOutcome.ANSWERED
    assert found.places == {
        ReadBackPlace.course("c1"): PlatformState(frozenset({"t1"}), completed=False, started=True),
        ReadBackPlace.path("p1"): PlatformState(completed=True, started=True),
        ReadBackPlace.course("c2"): PlatformState(completed=True, started=True),
    }


@pytest.mark.parametrize(
    ("date", "due_at"),
    [
        ("2026-01-01T00:00:00Z", 1_767_225_600_000_000),
        ("2026-01-01T01:00:00.000+01:00", 1_767_225_600_000_000),
        ("2026-01-01", 1_767_225_600_000_000),
        (None, 0),
        ("soon", 0),
    ],
)
async def test_the_due_date_of_a_path_is_read(date: str | None, due_at: int) -> None:
    path = {**PATH, "path1": {**PATH["path1"], "currentUserDueDate": date}}
    places = (await read({"data": {**COURSE, **path, **OTHER}})).places
    assert places[ReadBackPlace.path("p1")] == PlatformState(
        completed=True, started=True, due_at=due_at
    )


async def test_the_names_travel_as_variables_and_the_token_as_a_header() -> None:
    transport = Canned(HttpAnswer(200, {}, b"{}"))
    await HeliumReader(transport, ManualClock()).read("secret", PLACES)
    assert transport.sent["variables"] == {"place0": "c1", "place1": "p1", "place2": "c2"}
    assert transport.sent["token"] == "secret"


async def test_a_place_that_is_refused_says_why_and_the_others_are_read() -> None:
    error = {"message": "there is no course 'c2'", "path": ["progress2"]}
    payload: Any = {"data": {**COURSE, **PATH, **OTHER}, "errors": [error]}
    found = await read(payload)
    assert found.places[ReadBackPlace.course("c2")] == "can't be read: there is no course 'c2'"
    assert isinstance(found.places[ReadBackPlace.course("c1")], PlatformState)


async def test_places_that_another_one_spoilt_are_left_to_be_read_again() -> None:
    error = {"message": "there is no course 'c2'", "path": ["pages2"]}
    found = await read({"data": None, "errors": [error]})
    assert found.places == {ReadBackPlace.course("c2"): "can't be read: there is no course 'c2'"}


@pytest.mark.parametrize(
    ("payload", "status", "answer"),
    [
        (b"<html>", 502, RequestOutcome.UNREACHABLE),
        ({"errors": [{"message": "slow down"}]}, 429, RequestOutcome.THROTTLED),
        (
            {
                "data": None,
                "errors": [
                    {
                        "message": "expired",
                        "path": ["progress0"],
                        "extensions": {"code": "UNAUTHENTICATED"},
                    }
                ],
            },
            200,
            RequestOutcome.TOKEN_REFUSED,
        ),
        ({"errors": [{"message": "what?"}]}, 400, RequestOutcome.UNREACHABLE),
        (
            {"data": None, "errors": [{"message": "somewhere", "path": ["x"]}]},
            200,
            RequestOutcome.UNREACHABLE,
        ),
    ],
)
async def test_what_is_no_answer_shows_nothing(
    payload: object, status: int, answer: RequestOutcome
) -> None:
    found = await read(payload, status)
    assert (found.answer.outcome, found.places) == (answer, {})


async def test_a_platform_that_is_not_there_is_unreachable() -> None:
    found = await HeliumReader(Canned(None), ManualClock()).read("token", PLACES)
    assert found.answer.outcome is RequestOutcome.UNREACHABLE
