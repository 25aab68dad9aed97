"""Reads what a token service answers: a token, no token, or a trouble, in words. Pure.

docs/tokens.md has the table. A value that can't be what it should be is refused with the name of
its type, never with the value itself: it may be a token.
"""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

import orjson

from pointsman.domain.errors import NoToken, TokenDelayed
from pointsman.domain.header_value import header_problem
from pointsman.outgoing.client import HttpReply
from pointsman.outgoing.retry_after import retry_after
from pointsman.platforms.tokens.breaker import TokenSourceDown
from pointsman.platforms.tokens.fetched import LONGEST_LIFE, FetchedToken
from pointsman.text_files import without_mark

#: seconds that a token without `expiresIn` is kept
DEFAULT_LIFE = 3_600.0
#: statuses that say something of the learner who was asked for, or of the question
_ABOUT_THE_QUESTION = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.GONE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_SAY_SO_THEMSELVES = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_REFUSES_US = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_SHAPE = '{"authToken": "...", "expiresIn": seconds, "userId": "..."}'
_TYPES: dict[type, str] = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


def read_answer(reply: HttpReply, learner: str, now: float) -> FetchedToken:
    """The token; `now` is Unix seconds.

    Raises `NoToken` where there is none for this learner, `TokenSourceDown` where the service is
    in trouble, and `TokenDelayed` where only this answer can't be used.
    """
    status, pause = reply.status, retry_after(reply.headers, now)
    if status == HTTPStatus.OK:
        return _read_body(reply, learner, now)
    if status == HTTPStatus.NOT_FOUND:
        raise NoToken(f"the token service has none for {learner!r} (HTTP 404)")
    words = f"the token service answered HTTP {status} for {learner!r}"
    if status in _ABOUT_THE_QUESTION or HTTPStatus.OK < status < HTTPStatus.MULTIPLE_CHOICES:
        raise TokenDelayed(f"{words}; a token comes with 200", pause)
    if status < HTTPStatus.BAD_REQUEST:
        words += "; redirects are not followed, see learners.tokens.service.url"
    if status in _REFUSES_US:
        words += "; see learners.tokens.service.bearer"
    raise TokenSourceDown(
        words,
        pause,
        at_once=pause is not None or status in _SAY_SO_THEMSELVES,
    )


def _read_body(reply: HttpReply, learner: str, now: float) -> FetchedToken:
    def refused(words: str) -> TokenDelayed:
        whose = f"the token service's answer for {learner!r}"
        return TokenDelayed(
            f"{whose} {words}; it must be {_SHAPE}", retry_after(reply.headers, now)
        )

    if not reply.is_whole:
        raise refused(f"is longer than {len(reply.body):,} bytes")
    if not reply.body.strip():
        raise refused("is empty")
    try:
        answer = orjson.loads(without_mark(reply.body))
    except orjson.JSONDecodeError as error:
        raise refused(f"is not JSON at line {error.lineno}, column {error.colno}") from None
    if not isinstance(answer, dict):
        raise refused(f"is {type_name(answer)}")
    token = answer.get("authToken")
    if not isinstance(token, str):
        came = f"{type_name(token)} as authToken" if "authToken" in answer else "no authToken"
        raise refused(f"has {came}")
    problem = header_problem(token)
    if problem is not None:
        raise refused(f"has an authToken that {problem}")
    try:
        life, user_id = read_life(answer.get("expiresIn")), _user_id(answer.get("userId"))
    except ValueError as error:
        raise refused(str(error)) from None
    return FetchedToken(token, user_id, now + life)


def read_life(value: Any) -> float:
    """Seconds that a token is good for, of a JSON value. Raises `ValueError`."""
    if value is None or value == "":
        return DEFAULT_LIFE
    number = value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            raise ValueError("has an expiresIn that is a string and no number") from None
    if isinstance(number, bool) or not isinstance(number, int | float) or math.isnan(number):
        raise ValueError(f"has {type_name(value)} as expiresIn, which is no number of seconds")
    if number <= 0:
        raise ValueError("has an expiresIn that is not above 0: the token has expired already")
    return float(min(number, LONGEST_LIFE))


def _user_id(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"has {type_name(value)} as userId")  # noqa: TRY004 - of what came
    return value


def type_name(value: Any) -> str:
    """What came, in JSON's words."""
    return _TYPES.get(type(value), "something else")
