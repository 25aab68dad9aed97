"""What an answer says about each mutation: the table of all that a platform may answer."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from pointsman.platforms.base import RequestOutcome, Verdict
from pointsman.platforms.helium.outcomes import read_answer
from pointsman.platforms.helium.transport import HttpAnswer

DONE, REFUSED, NOT_RUN, UNKNOWN = Verdict.DONE, Verdict.REFUSED, Verdict.NOT_RUN, Verdict.UNKNOWN
THREE = ("m0", "m1", "m2")
NON_NULL = (None, None, None)


def error(alias: str | None = None, code: str | None = None, message: str = "no") -> dict[str, Any]:
    made: dict[str, Any] = {"message": message}
    if alias is not None:
        made["path"] = [alias]
    if code is not None:
        made["extensions"] = {"code": code}
    return made


def read(
    payload: object, status: int = 200, nulls: tuple[Verdict | None, ...] = NON_NULL
) -> tuple[RequestOutcome, list[Verdict]]:
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    answer = read_answer(HttpAnswer(status, {}, body), THREE, nulls, now=0.0)
    return answer.outcome, [result.verdict for result in answer.results]


@pytest.mark.parametrize(
    ("payload", "status", "answer", "verdicts"),
    [
        ({"data": dict.fromkeys(THREE, True)}, 200, RequestOutcome.ANSWERED, [DONE] * 3),
        (
            {"data": {"m0": True, "m1": False, "m2": True}},
            200,
            RequestOutcome.ANSWERED,
            [DONE, REFUSED, DONE],
        ),
        (
            {"data": None, "errors": [error("m1", "NOT_FOUND")]},
            200,
            RequestOutcome.ANSWERED,
            [DONE, REFUSED, NOT_RUN],
        ),
        (
            {"data": None, "errors": [error("m0")]},
            200,
            RequestOutcome.ANSWERED,
            [REFUSED, NOT_RUN, NOT_RUN],
        ),
        (
            {"data": None, "errors": [error("m1", "INTERNAL_SERVER_ERROR")]},
            200,
            RequestOutcome.ANSWERED,
            [DONE, UNKNOWN, NOT_RUN],
        ),
        (
            {"data": None, "errors": [error("m0", "UNAUTHENTICATED")]},
            200,
            RequestOutcome.TOKEN_REFUSED,
            [NOT_RUN] * 3,
        ),
        (
            {"data": None, "errors": [error("m2", "UNAUTHENTICATED")]},
            200,
            RequestOutcome.ANSWERED,
            [DONE, DONE, NOT_RUN],
        ),
        ({"errors": [error(None, "RATE_LIMITED")]}, 200, RequestOutcome.THROTTLED, [NOT_RUN] * 3),
        ({"errors": [error()]}, 429, RequestOutcome.THROTTLED, [NOT_RUN] * 3),
        (b"", 429, RequestOutcome.THROTTLED, [NOT_RUN] * 3),
        (b"<html>", 401, RequestOutcome.TOKEN_REFUSED, [NOT_RUN] * 3),
        (b"<html>", 403, RequestOutcome.TOKEN_REFUSED, [NOT_RUN] * 3),
        (b"<html>", 502, RequestOutcome.UNREACHABLE, [UNKNOWN] * 3),
        (b"<html>", 200, RequestOutcome.UNREACHABLE, [UNKNOWN] * 3),
        (b"[]", 200, RequestOutcome.UNREACHABLE, [UNKNOWN] * 3),
        (
            {"errors": [error(None, "GRAPHQL_VALIDATION_FAILED")]},
            400,
            RequestOutcome.DOCUMENT_REFUSED,
            [NOT_RUN] * 3,
        ),
        ({"errors": [error(None, "TIMEOUT")]}, 200, RequestOutcome.UNREACHABLE, [UNKNOWN] * 3),
    ],
)
def test_an_answer_is_read_alias_by_alias(
    payload: object, status: int, answer: RequestOutcome, verdicts: list[Verdict]
) -> None:
    assert read(payload, status) == (answer, verdicts)


@pytest.mark.parametrize(
    ("null", "verdict"), [(DONE, DONE), (REFUSED, REFUSED), (UNKNOWN, UNKNOWN), (None, UNKNOWN)]
)
def test_null_means_what_the_mutation_says_of_it(null: Verdict | None, verdict: Verdict) -> None:
    payload = {"data": {"m0": "id", "m1": None, "m2": "id"}}
    assert read(payload, nulls=(REFUSED, null, REFUSED)) == (
        RequestOutcome.ANSWERED,
        [DONE, verdict, DONE],
    )


def test_an_alias_that_is_missing_from_the_answer_is_unknown_whatever_null_means() -> None:
    assert read({"data": {"m0": "id", "m1": "id"}}, nulls=(DONE, DONE, DONE)) == (
        RequestOutcome.ANSWERED,
        [DONE, DONE, UNKNOWN],
    )


def test_a_failed_alias_that_may_be_null_does_not_end_the_run() -> None:
    payload = {
        "data": None,
        "errors": [error("m0", "FORBIDDEN"), error("m2", "NOT_FOUND")],
    }
    assert read(payload, nulls=(REFUSED, None, None)) == (
        RequestOutcome.ANSWERED,
        [REFUSED, DONE, REFUSED],
    )


def test_an_answer_that_was_lost_with_anothers_is_unknown() -> None:
    payload = {"data": None, "errors": [error("m2", "NOT_FOUND")]}
    assert read(payload, nulls=(REFUSED, None, None)) == (
        RequestOutcome.ANSWERED,
        [UNKNOWN, DONE, REFUSED],
    )


def test_the_platforms_words_come_back_with_their_code() -> None:
    payload = {"data": None, "errors": [error("m1", "NOT_FOUND", "there is no topic 'x'")]}
    response = HttpAnswer(200, {}, orjson.dumps(payload))
    answer = read_answer(response, THREE, NON_NULL, now=0.0)
    assert answer.results[1].message == answer.message == "NOT_FOUND: there is no topic 'x'"


@pytest.mark.parametrize(
    ("status", "body", "in_doubt"),
    [
        (401, b"", True),
        (403, b'{"errors": [{"message": "no"}]}', True),
        (200, b'{"errors": [{"message": "x", "extensions": {"code": "UNAUTHENTICATED"}}]}', False),
        (429, b"", False),
        (500, b"", False),
    ],
)
def test_only_http_itself_leaves_in_doubt_whether_the_key_or_the_token_is_refused(
    status: int, body: bytes, in_doubt: bool
) -> None:
    answer = read_answer(HttpAnswer(status, {}, body), THREE, NON_NULL, now=0.0)
    assert answer.key_in_doubt is in_doubt
