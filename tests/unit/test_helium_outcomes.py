"""What an answer says about each mutation: the table of all that a platform may answer."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.platforms.base import RequestOutcome, Verdict
from pointsman.platforms.helium.fields import attendance_shown, id_shown
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
            [UNKNOWN, NOT_RUN, NOT_RUN],
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


FINAL = [
    *("GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"),
    *("PERSISTED_QUERY_NOT_FOUND", "COMPLEXITY_LIMIT_EXCEEDED", "ValidationError"),
]
OF_ONE_MUTATION: list[object] = [
    "NOT_FOUND",
    "FORBIDDEN",
    "PERMISSION_DENIED",
    "not-found",
    "NotFound",
    404,
    "403",
]
PASSING: list[object] = [
    *("INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT", "UNAVAILABLE", "MAINTENANCE"),
    *("NEVER_HEARD_OF", "", None, 500, 503, 0, -1, True, [], {}, 1.5),
]
QUOTA: list[object] = [
    *("THROTTLED", "RATE_LIMITED", "RATE_LIMIT_EXCEEDED", "rate-limit-exceeded", "RateLimited"),
    *("TOO_MANY_REQUESTS", "QUOTA_EXCEEDED", "COMPLEXITY_BUDGET_EXHAUSTED", 429, "429"),
    *("RESOURCE_EXHAUSTED", "SLOW_DOWN", "SlowDown", "RequestLimitExceeded", "API_LIMIT"),
    *("COST_LIMIT_EXCEEDED", "ThrottlingException", "TooManyRequestsException", "LimitExceeded"),
    *("LimitExceededException", "ENHANCE_YOUR_CALM", "CONCURRENCY_LIMIT_REACHED"),
]
TOKEN: list[object] = [
    *("UNAUTHENTICATED", "UNAUTHORIZED", "UnauthorizedException", "AUTH_NOT_AUTHENTICATED"),
    *("invalid-jwt", "JWT_EXPIRED", "TokenExpired", "TokenExpiredError", "EXPIRED_TOKEN"),
    *("AuthenticationError", "AUTHENTICATION_REQUIRED", "NOT_AUTHENTICATED", "SESSION_EXPIRED"),
    *(401, "401"),
]
OK, LIMIT = RequestOutcome.ANSWERED, RequestOutcome.THROTTLED
DOWN, DOCUMENT = RequestOutcome.UNREACHABLE, RequestOutcome.DOCUMENT_REFUSED


def coded(code: Any, *, alias: str | None = None) -> dict[str, Any]:
    path = {} if alias is None else {"path": [alias]}
    return {"message": "no", "extensions": {"code": code}, **path}


@pytest.mark.parametrize("code", [*FINAL, *OF_ONE_MUTATION])
def test_what_blames_the_document_or_the_datum_is_final_for_the_mutation_it_names(
    code: object,
) -> None:
    payload = {"data": None, "errors": [coded(code, alias="m1")]}
    assert read(payload) == (OK, [DONE, REFUSED, NOT_RUN])


@pytest.mark.parametrize("code", PASSING)
def test_any_other_code_or_none_passes_for_the_mutation_that_it_names(code: object) -> None:
    payload = {"data": None, "errors": [coded(code, alias="m1")]}
    assert read(payload) == (OK, [DONE, UNKNOWN, NOT_RUN])


@pytest.mark.parametrize("status", [200, 400, 422])
@pytest.mark.parametrize("data", [{}, {"data": None}])
@pytest.mark.parametrize("code", FINAL)
def test_an_error_without_a_path_refuses_the_document_if_its_code_blames_that(
    code: object, data: dict[str, Any], status: int
) -> None:
    assert read({**data, "errors": [coded(code)]}, status) == (DOCUMENT, [NOT_RUN] * 3)


@pytest.mark.parametrize("status", [200, 400, 404, 500, 503])
@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": {}}, {"data": {"other": True}}])
@pytest.mark.parametrize("code", [*PASSING, *OF_ONE_MUTATION])
def test_any_other_error_without_a_path_is_the_platforms_trouble(
    code: object, data: dict[str, Any], status: int
) -> None:
    assert read({**data, "errors": [coded(code)]}, status) == (DOWN, [UNKNOWN] * 3)


@pytest.mark.parametrize("code", QUOTA)
@pytest.mark.parametrize("place", ["code", "type", "extensions.type", "errorType", "message"])
def test_words_of_quota_are_a_429_in_any_dialect(place: str, code: object) -> None:
    errors = {
        "code": {"message": "no", "extensions": {"code": code}},
        "type": {"message": "no", "type": code},
        "extensions.type": {"message": "no", "extensions": {"type": code}},
        "errorType": {"message": "no", "extensions": {"errorType": code}},
        "message": {"message": f"Sorry: {code}"},
    }
    if place == "message" and ("429" in str(code) or str(code).startswith("LimitExceeded")):
        place = "code"
    assert read({"errors": [errors[place]]}) == (LIMIT, [NOT_RUN] * 3)


@pytest.mark.parametrize("code", TOKEN)
def test_a_token_that_is_good_no_longer_is_known_in_any_dialect(code: object) -> None:
    refused = RequestOutcome.TOKEN_REFUSED
    assert read({"errors": [coded(code)]}) == (refused, [NOT_RUN] * 3)
    assert read({"data": None, "errors": [coded(code, alias="m0")]}) == (refused, [NOT_RUN] * 3)


@pytest.mark.parametrize("words", ["jwt expired", "Unauthorized", "Unauthenticated.", "not found"])
@pytest.mark.parametrize("code", [None, "INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"])
def test_words_alone_say_that_the_token_is_refused_only_without_a_code(
    words: str, code: str | None
) -> None:
    says_so = words != "not found" and code != "SERVICE_UNAVAILABLE"
    outcome = RequestOutcome.TOKEN_REFUSED if says_so else DOWN
    assert read({"errors": [error(None, code, words)]})[0] is outcome


@pytest.mark.parametrize("cut", [rb"\ud83d", b"\xf0\x9f", b"\xe2\x80"])
def test_a_message_that_was_cut_in_a_character_costs_no_more_than_the_character(
    cut: bytes,
) -> None:
    refused = b'{"message": "no course %b", "path": ["m1"], "extensions": {"code": "NOT_FOUND"}}'
    body = b'{"data": null, "errors": [' + refused % cut + b"]}"
    assert read(body) == (RequestOutcome.ANSWERED, [DONE, REFUSED, NOT_RUN])
    message = read_answer(HttpAnswer(200, {}, body), THREE, NON_NULL, now=0.0).results[1].message
    assert "\ufffd" in message
    message.encode()  # a store takes it


@pytest.mark.parametrize(
    "words",
    [
        "Signature has expired",
        "Error decoding signature",
        "jwt malformed",
        "jwt must be provided",
        "invalid signature",
        "You must be logged in to perform this action.",
        "You are not authenticated",
        "User is not logged in",
        "Please log in",
        "Login required",
        "Your session has expired",
        "The access token expired",
        "authToken is invalid",
        "Token is no longer valid",
        "Could not verify JWT: JWTExpired",
        "Context creation failed: jwt expired",
        "Authentication credentials were not provided.",
    ],
)
def test_words_of_common_servers_say_that_the_token_is_refused(words: str) -> None:
    assert read({"errors": [error("m0", None, words)]})[0] is RequestOutcome.TOKEN_REFUSED


@pytest.mark.parametrize(
    "words",
    [
        "Course session has expired",
        "Not authorized",
        "Access denied",
        "Token of the course not found",
        "The enrollment is invalid",
        "You must be enrolled in this course",
        "Learner is not logged in to this meeting",
    ],
)
def test_words_about_something_else_blame_no_token(words: str) -> None:
    assert read({"errors": [error("m0", None, words)]})[0] is not RequestOutcome.TOKEN_REFUSED


@pytest.mark.parametrize(
    ("extensions", "verdict"),
    [
        ({"exception": {"status": 429}}, NOT_RUN),
        ({"code": "INTERNAL_SERVER_ERROR", "response": {"status": 429}}, NOT_RUN),
        ({"code": "INTERNAL_SERVER_ERROR", "originalError": {"statusCode": "429"}}, NOT_RUN),
        ({"errorType": "UNAVAILABLE", "errorDetail": "ENHANCE_YOUR_CALM"}, NOT_RUN),
        ({"error": {"code": "RATE_LIMITED"}}, NOT_RUN),
        ({"exception": {"code": "NOT_FOUND"}}, REFUSED),
        # a 404 of something behind the platform says nothing of the mutation
        ({"code": "INTERNAL_SERVER_ERROR", "response": {"status": 404}}, UNKNOWN),
        ({"exception": ["NOT_FOUND"], "response": "429", "originalError": None}, UNKNOWN),
    ],
)
def test_codes_of_an_error_that_was_wrapped_are_read_too(
    extensions: dict[str, Any], verdict: Verdict
) -> None:
    payload = {
        "data": None,
        "errors": [{"message": "no", "path": ["m0"], "extensions": extensions}],
    }
    assert read(payload)[1][0] is verdict


@pytest.mark.parametrize("words", ["Too many requests", "429 Too Many Requests", "Slow down!"])
@pytest.mark.parametrize("code", [None, "INTERNAL_SERVER_ERROR", "NEVER_HEARD_OF"])
def test_words_of_quota_beside_a_code_that_says_nothing_are_a_429(
    words: str, code: str | None
) -> None:
    assert read({"errors": [error(None, code, words)]}) == (LIMIT, [NOT_RUN] * 3)


def test_words_of_quota_beside_a_final_code_are_about_the_datum() -> None:
    payload = {"data": None, "errors": [error("m0", "NOT_FOUND", "no course 'quota'")]}
    assert read(payload) == (OK, [REFUSED, NOT_RUN, NOT_RUN])


@pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
@pytest.mark.parametrize(
    "payload",
    [
        {"message": "API rate limit exceeded"},
        {"code": "THROTTLED"},
        {"error": "rate_limited"},
        {"error": {"message": "Too many requests"}},
        {"errors": ["quota exceeded"]},
        {"errors": {"message": "Too many requests"}},
        {"status": 429, "title": "no"},
    ],
)
def test_a_gateway_that_speaks_of_quota_is_a_429(payload: object, status: int) -> None:
    assert read(payload, status) == (LIMIT, [NOT_RUN] * 3)


@pytest.mark.parametrize("payload", [{"message": "down"}, {"error": 5}, {"errors": [[], None, 5]}])
def test_a_gateway_that_speaks_of_something_else_is_an_outage(payload: object) -> None:
    assert read(payload, 200) == (DOWN, [UNKNOWN] * 3)


def test_a_quota_that_ends_in_the_middle_leaves_done_what_ran_before_it() -> None:
    payload = {"data": None, "errors": [coded("THROTTLED", alias="m1")]}
    assert read(payload) == (LIMIT, [DONE, NOT_RUN, NOT_RUN])


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (429, {}, LIMIT),
        (503, {"Retry-After": "7"}, LIMIT),
        (403, {"Retry-After": "7"}, LIMIT),
        (403, {}, RequestOutcome.TOKEN_REFUSED),
        (503, {}, DOWN),
        (503, {"Retry-After": "soon"}, DOWN),
        (500, {"Retry-After": "7"}, DOWN),
    ],
)
def test_a_503_or_403_that_says_when_to_come_back_is_a_429(
    status: int, headers: dict[str, str], outcome: RequestOutcome
) -> None:
    response = HttpAnswer(status, headers, b"<html>busy")
    assert read_answer(response, THREE, NON_NULL, now=0.0).outcome is outcome


@pytest.mark.parametrize("status", [200, 400, 418, 500, 503])
def test_when_to_come_back_is_read_with_any_status(status: int) -> None:
    response = HttpAnswer(status, {"Retry-After": "7"}, b"<html>busy")
    assert read_answer(response, THREE, NON_NULL, now=0.0).rate.retry_after == 7.0


@pytest.mark.parametrize(
    ("extensions", "seconds"),
    [
        ({"retryAfter": 5}, 5.0),
        ({"retry_after": 2.5}, 2.5),
        (
            {
                "cost": {
                    "requestedQueryCost": 100,
                    "throttleStatus": {"currentlyAvailable": 0, "restoreRate": 50},
                }
            },
            2.0,
        ),
        (
            {
                "cost": {
                    "requestedQueryCost": 9,
                    "throttleStatus": {"currentlyAvailable": 10, "restoreRate": 50},
                }
            },
            0.0,
        ),
        ({"retryAfter": "5"}, 5.0),
        ({"retryAfter": "soon"}, None),
        ({"retryAfter": "nan"}, None),
        ({"retryAfter": -5}, None),
        ({"retryAfter": True}, None),
        ({"cost": {"throttleStatus": {"restoreRate": 0}}}, None),
        ({"cost": {"requestedQueryCost": 1, "throttleStatus": 5}}, None),
        ({"cost": []}, None),
        ([], None),
    ],
)
@pytest.mark.parametrize("of_error", [True, False])
def test_a_pause_is_read_from_the_extensions_too(
    extensions: Any, seconds: float | None, *, of_error: bool
) -> None:
    error_of = {"message": "Throttled", **({"extensions": extensions} if of_error else {})}
    payload = {"errors": [error_of], **({} if of_error else {"extensions": extensions})}
    response = HttpAnswer(200, {}, orjson.dumps(payload))
    assert read_answer(response, THREE, NON_NULL, now=0.0).rate.retry_after == seconds


ALL = dict.fromkeys(THREE, True)


@pytest.mark.parametrize("status", [200, 207, 400, 401, 403, 500, 503])
@pytest.mark.parametrize(
    "errors",
    [
        *([], ["down"], {"message": "down"}, None, 5),
        *([{}], [{"message": "deprecated"}], [coded("INTERNAL_SERVER_ERROR")]),
        *([coded("GRAPHQL_VALIDATION_FAILED")], [coded("NOT_FOUND", alias="m9")]),
        *([coded("NOT_FOUND", alias="m0")], [{"message": "x", "path": ["m1", "id"]}]),
    ],
)
def test_with_data_each_mutation_speaks_for_itself(errors: object, status: int) -> None:
    assert read({"data": ALL, "errors": errors}, status) == (OK, [DONE] * 3)


@pytest.mark.parametrize(
    ("payload", "status", "outcome", "verdicts"),
    [
        # an alias that nobody asked for is nobody's
        ({"data": None, "errors": [error("m9", "NOT_FOUND")]}, 200, DOWN, [UNKNOWN] * 3),
        ({"errors": [error("m9", "BAD_USER_INPUT")]}, 200, DOCUMENT, [NOT_RUN] * 3),
        ({"data": None, "errors": [{"message": "x", "path": [0, "m1"]}]}, 200, DOWN, [UNKNOWN] * 3),
        ({"data": None, "errors": [{"message": "x", "path": "m1"}]}, 200, DOWN, [UNKNOWN] * 3),
        ({"data": None, "errors": [{"message": "x", "path": {}}]}, 200, DOWN, [UNKNOWN] * 3),
        # the path goes on below the mutation
        (
            {
                "data": None,
                "errors": [
                    {
                        "message": "x",
                        "path": ["m1", "user", 0],
                        "extensions": {"code": "FORBIDDEN"},
                    }
                ],
            },
            200,
            OK,
            [DONE, REFUSED, NOT_RUN],
        ),
        (
            {"data": None, "errors": [error("m0", "FORBIDDEN"), error("m1", "NEW")]},
            200,
            OK,
            [REFUSED, UNKNOWN, NOT_RUN],
        ),
        # without the key `data` nothing says that what stood before has run
        ({"errors": [error("m1", "NOT_FOUND")]}, 200, OK, [NOT_RUN, REFUSED, NOT_RUN]),
        # a field's own failure does not count as its own while the whole platform is in trouble
        ({"data": None, "errors": [error("m1", "NEW")]}, 500, DOWN, [DONE, UNKNOWN, NOT_RUN]),
        ({"data": None, "errors": [error("m1", "NOT_FOUND")]}, 500, OK, [DONE, REFUSED, NOT_RUN]),
        ({"data": {"m0": True}}, 200, OK, [DONE, UNKNOWN, UNKNOWN]),
        ({"data": {"m0": True}}, 500, DOWN, [DONE, UNKNOWN, UNKNOWN]),
        (
            {"data": {"m0": True, "m1": None, "m2": False}, "errors": [error()]},
            200,
            OK,
            [DONE, UNKNOWN, UNKNOWN],
        ),
        # no answer of a GraphQL server at all
        ({"message": "Service temporarily unavailable"}, 200, DOWN, [UNKNOWN] * 3),
        ({"data": None}, 200, DOWN, [UNKNOWN] * 3),
        ({"data": {}}, 200, DOWN, [UNKNOWN] * 3),
        ({"data": dict.fromkeys(THREE)}, 200, DOWN, [UNKNOWN] * 3),
        ({"data": dict.fromkeys(THREE, "true")}, 200, DOWN, [UNKNOWN] * 3),
        ({"data": dict.fromkeys(THREE, 1)}, 200, DOWN, [UNKNOWN] * 3),
        ({"data": [True, True, True]}, 200, DOWN, [UNKNOWN] * 3),
        ({"errors": {"message": "down"}}, 200, DOWN, [UNKNOWN] * 3),
        ({"errors": ["down"], "data": None}, 200, DOWN, [UNKNOWN] * 3),
        ({"errors": []}, 200, DOWN, [UNKNOWN] * 3),
        ({}, 200, DOWN, [UNKNOWN] * 3),
        (b"", 200, DOWN, [UNKNOWN] * 3),
        (b"", 204, DOWN, [UNKNOWN] * 3),
        (b"", 301, DOWN, [UNKNOWN] * 3),
        (b"\x1f\x8b\x08garbage", 200, DOWN, [UNKNOWN] * 3),
        (b'{"data": {"m0": true, "m1": true, "m2": true}}\n{"x": 1}', 200, DOWN, [UNKNOWN] * 3),
        (b'\xef\xbb\xbf{"data": {"m0": true, "m1": true, "m2": true}}', 200, OK, [DONE] * 3),
        (b"null", 200, DOWN, [UNKNOWN] * 3),
        (b"[" * 100_000, 200, DOWN, [UNKNOWN] * 3),
        (b"nope", 413, DOCUMENT, [NOT_RUN] * 3),
        (b"nope", 414, DOWN, [UNKNOWN] * 3),
        (b"nope", 431, DOCUMENT, [NOT_RUN] * 3),
        (b"nope", 404, DOWN, [UNKNOWN] * 3),
        (
            {"errors": [{"message": "Cannot query", "locations": [{}]}]},
            400,
            DOCUMENT,
            [NOT_RUN] * 3,
        ),
        ({"errors": [error(None, "UNAUTHENTICATED")]}, 500, DOWN, [UNKNOWN] * 3),
    ],
)
def test_odd_answers(
    payload: object, status: int, outcome: RequestOutcome, verdicts: list[Verdict]
) -> None:
    assert read(payload, status) == (outcome, verdicts)


@pytest.mark.parametrize("status", [413, 431])
def test_one_mutation_alone_that_is_too_large_is_not_tried_for_ever(status: int) -> None:
    answer = read_answer(HttpAnswer(status, {}, b""), ("m0",), (None,), now=0.0)
    assert answer.outcome is DOCUMENT
    assert str(status) in answer.message


@pytest.mark.parametrize(
    "words", ["Seat quota exceeded", "The licence quota is used up", "storage quota reached"]
)
@pytest.mark.parametrize("code", [None, "INTERNAL_SERVER_ERROR", "SEAT_QUOTA_EXCEEDED"])
def test_a_quota_that_is_not_of_requests_throttles_nobody(words: str, code: str | None) -> None:
    payload = {"data": None, "errors": [error("m0", code, words)]}
    assert read(payload) == (OK, [UNKNOWN, NOT_RUN, NOT_RUN])
    assert read({"message": words}, 503)[0] is DOWN


def test_an_error_beside_null_that_may_be_null_explains_it() -> None:
    payload = {"data": dict.fromkeys(THREE), "errors": [error()]}
    assert read(payload, nulls=(REFUSED, DONE, UNKNOWN)) == (DOWN, [UNKNOWN] * 3)
    assert read({"data": dict.fromkeys(THREE)}, nulls=(REFUSED, DONE, UNKNOWN)) == (
        OK,
        [REFUSED, DONE, UNKNOWN],
    )


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["m0", "m1", "m9", "NOT_FOUND", "THROTTLED", "UNAUTHENTICATED"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "data",
                    "errors",
                    "path",
                    "message",
                    "extensions",
                    "code",
                    "type",
                    "m0",
                    "m1",
                    "cost",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
payloads = st.fixed_dictionaries(
    {},
    optional={
        "data": st.none() | json_values | st.fixed_dictionaries({}, optional={"m0": json_values}),
        "errors": json_values
        | st.lists(
            st.fixed_dictionaries(
                {"message": json_values},
                optional={
                    "path": json_values | st.just(["m1"]),
                    "extensions": json_values,
                    "type": json_values,
                },
            ),
            max_size=3,
        ),
        "extensions": json_values,
    },
)


@given(
    body=payloads.map(orjson.dumps) | st.binary(max_size=40) | json_values.map(orjson.dumps),
    status=st.sampled_from([200, 204, 301, 400, 401, 403, 404, 413, 429, 431, 500, 503, 599]),
    headers=st.dictionaries(
        st.sampled_from(["Retry-After", "X-RateLimit-Reset", "X-RateLimit-Remaining", "Date"]),
        st.text(max_size=12) | st.integers().map(str) | st.floats().map(str),
    ),
    nulls=st.tuples(*[st.sampled_from([None, DONE, REFUSED, UNKNOWN])] * 3),
)
def test_whatever_comes_back_is_an_answer_with_a_result_for_each_mutation(
    body: bytes, status: int, headers: dict[str, str], nulls: tuple[Verdict | None, ...]
) -> None:
    answer = read_answer(HttpAnswer(status, headers, body), THREE, nulls, now=1.8e9)
    assert len(answer.results) == 3
    assert answer.rate.retry_after is None or 0 <= answer.rate.retry_after <= 3600
    if answer.outcome is not OK:
        assert answer.message


@pytest.mark.parametrize(
    ("attended", "meetings", "verdict"),
    [
        (True, [{"meeting": {"id": "m"}}], Verdict.DONE),
        (True, [{"meeting": {"id": "other"}}], Verdict.UNKNOWN),
        (True, [], Verdict.UNKNOWN),
        (False, [], Verdict.DONE),
        (False, [{"meeting": {"id": "m"}}], Verdict.UNKNOWN),
        # what says nothing is no disagreement
        (True, None, Verdict.DONE),
        (False, [None, {"meeting": None}], Verdict.DONE),
    ],
)
def test_attendance_is_compared_with_the_meetings_that_its_answer_shows(
    attended: bool, meetings: object, verdict: Verdict
) -> None:
    body = orjson.dumps({"data": {"m0": {"id": "u", "attendedMeetings": meetings}}})
    compare = partial(attendance_shown, "m", attended=attended)
    answer = read_answer(HttpAnswer(200, {}, body), ("m0",), (Verdict.REFUSED,), 0.0, (compare,))
    (result,) = answer.results
    assert result.verdict is verdict
    assert ("shows it" in result.message or "does not show" in result.message) == (
        verdict is Verdict.UNKNOWN
    )


@pytest.mark.parametrize(("shown", "verdict"), [("c1", Verdict.DONE), ("c2", Verdict.UNKNOWN)])
def test_an_archived_course_is_the_one_that_was_asked_for(shown: str, verdict: Verdict) -> None:
    body = orjson.dumps({"data": {"m0": shown}})
    compare = partial(id_shown, "c1")
    answer = read_answer(HttpAnswer(200, {}, body), ("m0",), (Verdict.REFUSED,), 0.0, (compare,))
    assert [result.verdict for result in answer.results] == [verdict]


@pytest.mark.parametrize("location", ["https://learn.example.com/helium", "/login"])
def test_a_redirect_says_where_to_and_never_repeats_the_key(location: str) -> None:
    """platform.url with http://, or an instance that has moved; a login page in front of it."""
    headers = {"Location": f"{location}?apiKey=the-key#x"}
    answer = read_answer(HttpAnswer(301, headers, b"<html>"), ("m0",), (None,), now=0.0)
    assert answer.outcome is RequestOutcome.UNREACHABLE
    assert answer.message == (
        f"HTTP 301, a redirect to {location}, which is not followed: see platform.url"
    )
