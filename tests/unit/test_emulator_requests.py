from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from pointsman.emulator import requests
from tests.unit.emulator_harness import KEY, Caller, answered

TOPIC = 'mutation { UpdateTopicAndCourseProgress(topicId: "topic_demo_1", progress: 5) }'
BODY = orjson.dumps({"query": TOPIC})


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({}, {}),
        ({"apiKey": ""}, {}),
        ({"apiKey": KEY + "x"}, {}),
        ({"apiKey": "schlüssel"}, {}),
        ({"apikey": KEY}, {}),
        ({"apiKey": "wrong"}, {"Authorization": f"Bearer {KEY}"}),
        ({}, {"Authorization": f"Basic {KEY}"}),
        ({}, {"Authorization": KEY}),
        ({}, {"Authorization": "Bearer wrong"}),
    ],
)
async def test_without_the_key_nothing_runs_and_nothing_counts(
    query: dict[str, str], headers: dict[str, str]
) -> None:
    call = Caller()
    headers |= {"authToken": call.tokens["ana@example.com"]}
    answer = answered(await call.emulator.handle(query=query, headers=headers, body=BODY))
    assert (answer.status, answer.codes) == (401, ["UNAUTHENTICATED"])
    assert "X-RateLimit-Remaining" not in answer.headers
    assert KEY not in str(answer)
    assert call.emulator.state()["totals"]["requests"] == 0
    assert call.learner()["topics"] == {}


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({"apiKey": KEY}, {}),
        ({"apiKey": KEY}, {"Authorization": "Bearer whatever"}),
        ({}, {"Authorization": f"Bearer {KEY}"}),
        ({}, {"authorization": f"bearer {KEY}"}),
    ],
)
async def test_the_key_comes_in_the_url_or_as_a_bearer(
    query: dict[str, str], headers: dict[str, str]
) -> None:
    call = Caller()
    headers |= {"AUTHTOKEN": call.tokens["ana@example.com"]}
    answer = answered(await call.emulator.handle(query=query, headers=headers, body=BODY))
    assert answer.data == {"UpdateTopicAndCourseProgress": True}


def _request(**parts: Any) -> bytes:
    return orjson.dumps(parts)


MALFORMED: list[tuple[bytes, str, str]] = [
    (b"", "BAD_REQUEST", "not JSON"),
    (b"{", "BAD_REQUEST", "not JSON"),
    (b"\xff\xfe", "BAD_REQUEST", "not JSON"),
    (b'{"query": NaN}', "BAD_REQUEST", "not JSON"),
    (b"[" * 3_000, "BAD_REQUEST", "not JSON"),
    (b"[]", "BAD_REQUEST", "one JSON object"),
    (b"null", "BAD_REQUEST", "one JSON object"),
    (b"{}", "BAD_REQUEST", "`query`"),
    (b'{"query": 5}', "BAD_REQUEST", "`query`"),
    (b'{"query": "  "}', "BAD_REQUEST", "`query`"),
    (_request(query=TOPIC, variables=[]), "BAD_REQUEST", "`variables`"),
    (_request(query=TOPIC, operationName=5), "BAD_REQUEST", "`operationName`"),
    (_request(query=TOPIC, operationName="Other"), "BAD_REQUEST", "'Other'"),
    (_request(query="query A { __typename } query B { __typename }"), "BAD_REQUEST", "operation"),
    (_request(query="subscription { x }"), "BAD_REQUEST", "subscription"),
    (_request(query="mutation {"), "GRAPHQL_PARSE_FAILED", "Syntax Error"),
    (_request(query="{ Nothing }"), "GRAPHQL_VALIDATION_FAILED", "Nothing"),
    (
        _request(query='mutation { UpdateTopicAndCourseProgress(topicId: "t") }'),
        "GRAPHQL_VALIDATION_FAILED",
        "progress",
    ),
    (
        _request(query=TOPIC.replace("5", "5.5")),
        "GRAPHQL_VALIDATION_FAILED",
        "5.5",
    ),
    (
        _request(
            query='mutation { UpdateCourseStatus(id: "c", status: "s", statusChangeDate: "soon") }'
        ),
        "GRAPHQL_VALIDATION_FAILED",
        "soon",
    ),
    (
        _request(query="{ ...A } fragment A on Query { ...A }"),
        "GRAPHQL_VALIDATION_FAILED",
        "itself",
    ),
    (
        _request(
            query="mutation ($p: Int!) { UpdateTopicAndCourseProgress(topicId: 1, progress: $p) }",
            variables={"p": "lots"},
        ),
        "BAD_USER_INPUT",
        "lots",
    ),
    (
        _request(
            query="mutation ($p: Int!) { UpdateTopicAndCourseProgress(topicId: 1, progress: $p) }"
        ),
        "BAD_USER_INPUT",
        "$p",
    ),
    (
        _request(
            query='mutation ($d: Date) { UpdateCourseStatus(id: "c", status: "started",'
            " statusChangeDate: $d) }",
            variables={"d": "0001-01-01T00:00:00+05:00"},
        ),
        "BAD_USER_INPUT",
        "0001-01-01",
    ),
]


@pytest.mark.parametrize(("body", "code", "words"), MALFORMED)
async def test_a_malformed_request_is_400_with_a_reason(body: bytes, code: str, words: str) -> None:
    call = Caller()
    answer = await call.raw(body, {"authToken": call.tokens["ana@example.com"]})
    assert answer.status == 400
    assert answer.codes[0] == code
    assert words in answer.messages[0]
    assert "data" not in answer.json
    assert answer.headers["X-Complexity-Cost"] == "0"
    assert call.learner() == {"topics": {}, "courses": {}}


def _nested(depth: int) -> str:
    return "{" + "... {" * depth + "__typename" + "}" * depth + "}"


def _chained(length: int) -> str:
    fragments = (f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(length))
    return "{ ...F0 } " + " ".join(fragments) + f" fragment F{length} on Query {{ __typename }}"


@pytest.mark.parametrize("document", [_nested, _chained])
@pytest.mark.parametrize("depth", [50, 350, 3_000])
async def test_a_document_of_any_depth_is_answered(
    document: Callable[[int], str], depth: int
) -> None:
    answer = await Caller().raw(_request(query=document(depth)))
    if answer.status == 200:
        assert answer.data == {"__typename": "Query"}
    else:
        assert answer.status == 400
        assert answer.codes[0] in {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}
        assert depth > 50


async def test_a_body_past_the_limit_is_refused_unread() -> None:
    call = Caller(max_body_bytes=100)
    answer = await call.raw(b"x" * 101)
    assert (answer.status, answer.codes) == (413, ["BAD_REQUEST"])


async def test_a_body_of_another_type_is_refused() -> None:
    call = Caller()
    answer = await call.raw(BODY, {"Content-Type": "application/octet-stream"})
    assert (answer.status, answer.codes) == (415, ["BAD_REQUEST"])
    assert (await call.raw(BODY, {"content-type": "Application/JSON; charset=utf-8"})).status == 200


async def test_one_operation_of_many_is_chosen_by_name() -> None:
    call = Caller()
    document = "query A { a: __typename } query B { b: __typename }"
    answer = await call.raw(_request(query=document, operationName="B", variables=None))
    assert answer.data == {"b": "Query"}
    assert answer.headers["X-Complexity-Cost"] == "1"


async def test_remembered_documents_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "CACHED_CHARACTERS", 200)
    call = Caller()
    for n in range(50):
        assert (await call(TOPIC.replace("5", str(n)))).data is not None
    assert sum(map(len, call.emulator._graphql._reader._cache)) <= 200
    assert call.learner()["topics"] == {"topic_demo_1": 49}


async def test_a_fault_of_the_emulator_is_not_shown_to_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = Caller()

    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(call.emulator._state, "set_topic_progress", broken)
    answer = await call(TOPIC)
    assert answer.codes == ["INTERNAL_SERVER_ERROR"]
    assert "secret" not in str(answer.json)
