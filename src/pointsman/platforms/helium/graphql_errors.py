"""One entry of an answer's `errors`: what it is about and what it blames. Pure.

Only what blames the document or the datum is final. Servers have no common place or spelling for a
code, so every usual one is read: `extensions.code` (Apollo), `errorType`, `errorDetail` and
`classification` (DGS, Spring), `type` (GitHub), `exception`, `response` and `originalError` within
`extensions` (NestJS, errors of a service behind the platform), HTTP statuses as numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

#: characters
_LONGEST_MESSAGE = 300

_CODE_KEYS = (
    "code",
    "errorType",
    "errorDetail",
    "classification",
    "type",
    "status",
    "statusCode",
    "status_code",
)
#: objects within `extensions` that have codes of their own
_NESTED = ("http", "exception", "response", "originalError", "error")

_OF_STATUS = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    410: "GONE",
    422: "UNPROCESSABLE_CONTENT",
    429: "TOO_MANY_REQUESTS",
}

_QUOTA = re.compile(
    r"THROTTL|RATE_?LIMIT|LIMIT_?RATE|TOO_?MANY_?REQ|QUOTA|BUDGET_?EXHAUSTED|SLOW_?DOWN"
    r"|(REQUESTS?|API|USAGE|CONCURRENCY|BANDWIDTH)_LIMIT|(?<!MAX_)COST_LIMIT|THROUGHPUT_EXCEEDED"
    r"|ENHANCE_YOUR_CALM|^LIMIT_EXCEEDED|RESOURCE_EXHAUSTED"
)
#: quotas that are none of requests, and do not come back with time
_OTHER_QUOTA = re.compile(
    r"(SEATS?|LICEN[CS]ES?|STORAGE|DISK|USERS?|LEARNERS?|ENROLL?MENTS?|COURSES?)_(QUOTA|LIMIT)"
)
_TOKEN = re.compile(
    r"^(UNAUTHENTICATED|UNAUTHORIZED|(AUTH_)?NOT_AUTHENTICATED|AUTHENTICATION(_REQUIRED|_FAILED)?"
    r"|(INVALID|EXPIRED|REVOKED)_(AUTH_|ACCESS_)?(TOKEN|JWT|SESSION)"
    r"|(AUTH_|ACCESS_)?(TOKEN|JWT|SESSION)_(INVALID|EXPIRED|REVOKED))(_ERROR|_EXCEPTION)?$"
)
#: the same in words, of servers that have no code for it (PyJWT, jsonwebtoken, Hasura, Django REST
#: framework); "not authorized" and "access denied" may as well be about the course
_TOKEN_WORDS = re.compile(
    r"^(CONTEXT_CREATION_FAILED_|COULD_NOT_VERIFY_JWT_)?("
    r"(THE_|YOUR_|THIS_)?((AUTH(ENTICATION)?|ACCESS|ID|BEARER)_)?(TOKEN|JWT|SESSION|SIGNATURE|LOGIN)"
    r"_((HAS|IS|WAS)_)?(EXPIRED|INVALID|REVOKED|MALFORMED|NOT_VALID|NO_LONGER_VALID)"
    r"|JWTEXPIRED|(ERROR_DECODING|INVALID)_SIGNATURE"
    r"|(BAD|MISSING|NO)_((AUTH|ACCESS)_)?(TOKEN|JWT)|JWT_MUST_BE_PROVIDED"
    r"|((YOU_ARE|USER_IS|USER)_)?NOT_(LOGGED_IN|SIGNED_IN|AUTHENTICATED)"
    r"|(YOU_(MUST|NEED_TO)_BE|PLEASE)_(LOGGED_IN|LOG_IN|SIGNED_IN|SIGN_IN|AUTHENTICATED)(_\w+)?"
    r"|(LOGIN|LOG_IN|SIGN_IN)_(IS_)?REQUIRED|AUTHENTICATION_CREDENTIALS_WERE_NOT_PROVIDED"
    r")$"
)
#: what servers say of an error that they have no code for
_SAYS_NOTHING = "INTERNAL_SERVER_ERROR"
#: the text of the request, or its variables, as a whole
_DOCUMENT = re.compile(
    r"^(GRAPHQL_PARSE_FAILED|GRAPHQL_VALIDATION_FAILED|BAD_USER_INPUT|PERSISTED_QUERY_\w+"
    r"|OPERATION_RESOLUTION_FAILURE|COMPLEXITY_LIMIT_EXCEEDED|MAX_COST_EXCEEDED"
    r"|VALIDATION_ERROR|VALIDATION_FAILED|INVALID_SYNTAX)$"
)
#: what one mutation names or says; an error with such a code and no mutation blames nothing
_DATUM = frozenset(
    {
        "NOT_FOUND",
        "FORBIDDEN",
        "PERMISSION_DENIED",
        "BAD_REQUEST",
        "GONE",
        "INVALID_ARGUMENT",
        "INVALID_INPUT",
        "UNPROCESSABLE_ENTITY",
        "UNPROCESSABLE_CONTENT",
    }
)


class Blame(StrEnum):
    """What an error is about."""

    #: the quota is used up
    QUOTA = "quota"
    #: the authToken is good no longer
    TOKEN = "token"  # noqa: S105 - a name for it, not a token
    #: the document or its variables; final
    DOCUMENT = "document"
    #: what one mutation names or says; final where the path names the mutation
    DATUM = "datum"
    #: anything else, known or not: it passes with time
    NOTHING = "nothing"


@dataclass(frozen=True)
class GraphQLError:
    """One error as it came (GraphQL, section 7.1.2). `fields` may hold anything."""

    fields: Mapping[str, Any]

    @cached_property
    def alias(self) -> str:
        """The first part of its path; "" for an error of the whole request."""
        path = self.fields.get("path")
        first = path[0] if isinstance(path, list) and path else None
        return first if isinstance(first, str) else ""

    @cached_property
    def code(self) -> str:
        """Its first code, in capitals; "" without one."""
        return next(self._codes(), "")

    @cached_property
    def blame(self) -> Blame:
        codes = list(self._codes())
        if any(map(_is_quota, codes)):
            return Blame.QUOTA
        if _TOKEN.match(self.code):
            return Blame.TOKEN
        if _DOCUMENT.match(self.code):
            return Blame.DOCUMENT
        if self.code in _DATUM:
            return Blame.DATUM
        words = _spelt(str(self.fields.get("message") or ""))
        if _is_quota(words):
            return Blame.QUOTA
        if set(codes) <= {_SAYS_NOTHING} and _is_about_token(words.strip("_")):
            return Blame.TOKEN
        return Blame.DOCUMENT if not codes and self._points_at_document else Blame.NOTHING

    @property
    def message(self) -> str:
        """Its code and the platform's words."""
        text = str(self.fields.get("message") or "no message")[:_LONGEST_MESSAGE]
        return f"{self.code}: {text}" if self.code else text

    @property
    def extensions(self) -> Mapping[str, Any]:
        extensions = self.fields.get("extensions")
        return extensions if isinstance(extensions, dict) else {}

    @property
    def _points_at_document(self) -> bool:
        """A place in the document and no field: it was not accepted (section 7.1.2)."""
        return bool(self.fields.get("locations")) and not self.fields.get("path")

    def _codes(self) -> Iterator[str]:
        nested = (self.extensions.get(key) for key in _NESTED)
        places = (self.extensions, *nested, self.fields)
        for place in places:
            if isinstance(place, dict):
                yield from _codes(place.get(key) for key in _CODE_KEYS)


def read_errors(payload: Mapping[str, Any]) -> list[GraphQLError]:
    """Those that are maps, as the standard wants them; whatever else is there says nothing."""
    errors = payload.get("errors")
    entries = errors if isinstance(errors, list) else []
    return [GraphQLError(entry) for entry in entries if isinstance(entry, dict)]


def is_quota_answer(payload: Mapping[str, Any]) -> bool:
    """Whether an answer that is no GraphQL, of a gateway for instance, speaks of the quota."""
    for key in ("error", "errors"):
        inner = payload.get(key)
        words = inner if isinstance(inner, list) else [inner]
        for word in words:
            fields = word if isinstance(word, dict) else {"message": word}
            if GraphQLError(fields).blame is Blame.QUOTA:
                return True
    return GraphQLError(payload).blame is Blame.QUOTA


def asked_pause(extensions: Any) -> float | None:
    """Seconds to wait, as `extensions` say it: `retryAfter`, or the state of a bucket of points."""
    if not isinstance(extensions, dict):
        return None
    for key in ("retryAfter", "retry_after", "retryAfterSeconds", "retry_after_seconds"):
        if (seconds := _number(extensions.get(key))) is not None and seconds >= 0:
            return seconds
    cost = extensions.get("cost")
    bucket = cost.get("throttleStatus") if isinstance(cost, dict) else None
    if not isinstance(cost, dict) or not isinstance(bucket, dict):
        return None
    wanted, there = _number(cost.get("requestedQueryCost")), bucket.get("currentlyAvailable")
    rate, available = _number(bucket.get("restoreRate")), _number(there)
    if wanted is None or available is None or not rate or rate < 0:
        return None
    return max(0.0, (wanted - available) / rate)


def _codes(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str) and (text := value.strip()):
            is_number = text.isascii() and text.isdigit()
            yield _of_status(int(text[:9])) if is_number else _spelt(text)
        elif isinstance(value, int) and not isinstance(value, bool):
            yield _of_status(value)


def _is_quota(spelt: str) -> bool:
    return bool(_QUOTA.search(_OTHER_QUOTA.sub("", spelt)))


def _is_about_token(words: str) -> bool:
    return bool(_TOKEN.match(words) or _TOKEN_WORDS.match(words))


def _of_status(status: int) -> str:
    return _OF_STATUS.get(status, f"CODE_{status}")


def _spelt(text: str) -> str:
    """`rate-limited`, `RateLimited` and `Rate limited` as RATE_LIMITED."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text[:_LONGEST_MESSAGE].strip())
    return re.sub(r"[^A-Za-z0-9]+", "_", text).upper()


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
