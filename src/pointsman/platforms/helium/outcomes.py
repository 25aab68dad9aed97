"""What an answer says about each mutation. Pure.

`Boolean!` makes one refused mutation turn the whole `data` to null, and the server stops there:
what stood before it HAS run, what stands after it has NOT (platform facts, "What follows from
GraphQL itself"; GraphQL, section 6.4.4). `errors[].path` names the alias.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson

from pointsman.platforms.base import MutationResult, PlatformAnswer, RequestOutcome, Verdict
from pointsman.platforms.helium.rate_headers import read_rate
from pointsman.platforms.helium.transport import HttpAnswer

#: codes of a field that may work when tried again
_PASSING = frozenset({"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT", "GATEWAY_TIMEOUT"})
#: characters
_LONGEST_MESSAGE = 300
#: these may mean the apiKey as well as the authToken
_HTTP_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def read_answer(
    response: HttpAnswer, aliases: Sequence[str], nulls: Sequence[Verdict | None], now: float
) -> PlatformAnswer:
    """What came back, with a result for each alias in order; `now` in Unix seconds.

    `nulls` says of each alias what null means for it, None where its type is non-null.

    HTTP 401 and 403 come back as TOKEN_REFUSED with `key_in_doubt`: the caller, who can ask again
    without a token, tells a refused key from it.
    """
    payload = _json(response.body)
    requested = dict(zip(aliases, nulls, strict=True))
    rate = read_rate(response.headers, now)
    errors = [error for error in payload.get("errors") or () if isinstance(error, dict)]
    if not errors and payload and response.status < HTTPStatus.BAD_REQUEST:
        results = _from_data(payload.get("data"), requested)
        return PlatformAnswer(RequestOutcome.ANSWERED, results, rate)
    messages = dict.fromkeys(_message(error) for error in errors)
    message = _with_status("; ".join(messages), response.status) or _plain(response)
    failed = {alias: error for error in errors if (alias := _alias(error)) in requested}
    codes = {_code(error) for error in errors}
    outcome = _outcome(response.status, payload, codes, failed, aliases)
    if outcome is RequestOutcome.ANSWERED:
        results = _with_errors(payload.get("data"), failed, requested)
    else:
        not_run = outcome is not RequestOutcome.UNREACHABLE
        verdict = Verdict.NOT_RUN if not_run else Verdict.UNKNOWN
        results = (MutationResult(verdict, message),) * len(aliases)
    return PlatformAnswer(
        outcome,
        results,
        rate,
        message,
        key_in_doubt=outcome is RequestOutcome.TOKEN_REFUSED and response.status in _HTTP_REFUSALS,
    )


def _outcome(
    status: int,
    payload: dict[str, Any],
    codes: set[str],
    failed: dict[str, dict[str, Any]],
    aliases: Sequence[str],
) -> RequestOutcome:
    if status == HTTPStatus.TOO_MANY_REQUESTS or "RATE_LIMITED" in codes:
        return RequestOutcome.THROTTLED
    if status in _HTTP_REFUSALS:
        return RequestOutcome.TOKEN_REFUSED
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or not payload:
        return RequestOutcome.UNREACHABLE
    if "UNAUTHENTICATED" in codes and (not failed or aliases[0] in failed):
        return RequestOutcome.TOKEN_REFUSED
    if failed:
        return RequestOutcome.ANSWERED
    return RequestOutcome.UNREACHABLE if codes & _PASSING else RequestOutcome.DOCUMENT_REFUSED


_Requested = Mapping[str, Verdict | None]


def _from_data(data: Any, requested: _Requested) -> tuple[MutationResult, ...]:
    values = data if isinstance(data, dict) else {}
    return tuple(_from_value(alias, values, null) for alias, null in requested.items())


def _from_value(alias: str, values: dict[str, Any], null: Verdict | None) -> MutationResult:
    value = values.get(alias)
    if value is False:
        return MutationResult(Verdict.REFUSED, "the platform answered false, without a reason")
    if value is not None or (alias in values and null is Verdict.DONE):
        return MutationResult(Verdict.DONE)
    if alias not in values or null is None:
        return MutationResult(Verdict.UNKNOWN, "the platform answered nothing for it")
    return MutationResult(null, "the platform answered null: it could not be done, and no reason")


def _with_errors(
    data: Any, failed: dict[str, dict[str, Any]], requested: _Requested
) -> tuple[MutationResult, ...]:
    if isinstance(data, dict):  # nullable fields: each speaks for itself
        return tuple(
            _from_error(failed[alias]) if alias in failed else _from_value(alias, data, null)
            for alias, null in requested.items()
        )
    # The run ended at the last error; what may be null had its errors before it, without an end.
    aliases = list(requested)
    stop = max(aliases.index(alias) for alias in failed)
    results: list[MutationResult] = []
    for place, (alias, null) in enumerate(requested.items()):
        if alias in failed:
            results.append(_from_error(failed[alias]))
        elif place > stop:
            results.append(MutationResult(Verdict.NOT_RUN))
        elif null is None:
            results.append(MutationResult(Verdict.DONE))
        else:
            results.append(MutationResult(Verdict.UNKNOWN, "its answer was lost with another's"))
    return tuple(results)


def _from_error(error: dict[str, Any]) -> MutationResult:
    code = _code(error)
    if code == "UNAUTHENTICATED":
        return MutationResult(Verdict.NOT_RUN, _message(error), token_refused=True)
    verdict = Verdict.UNKNOWN if code in _PASSING else Verdict.REFUSED
    return MutationResult(verdict, _message(error))


def _alias(error: dict[str, Any]) -> str:
    path = error.get("path")
    return path[0] if isinstance(path, list) and path and isinstance(path[0], str) else ""


def _code(error: dict[str, Any]) -> str:
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code if isinstance(code, str) else ""


def _message(error: dict[str, Any]) -> str:
    code = _code(error)
    text = str(error.get("message") or "no message")[:_LONGEST_MESSAGE]
    return f"{code}: {text}" if code else text


def _json(body: bytes) -> dict[str, Any]:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return payload if isinstance(payload, dict) else {}


def _with_status(message: str, status: int) -> str:
    """The code stays in front, for remedies go by it."""
    return f"{message} (HTTP {status})" if message and status >= HTTPStatus.BAD_REQUEST else message


def _plain(response: HttpAnswer) -> str:
    text = response.body[:_LONGEST_MESSAGE].decode(errors="replace").strip()
    return f"HTTP {response.status}" + (f": {text}" if text else "")
