"""What an answer says about each mutation. Pure.

`Boolean!` makes one refused mutation turn the whole `data` to null, and the server stops there:
what stood before it HAS run, what stands after it has NOT (platform facts, "What follows from
GraphQL itself"; GraphQL, section 6.4.4). `errors[].path` names the alias.

Only what blames the document or the datum is final (`graphql_errors`); docs/platform.md has the
table of all answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pointsman.outgoing.json_answers import read_json_answer
from pointsman.platforms.base import MutationResult, PlatformAnswer, RequestOutcome, Verdict
from pointsman.platforms.helium.graphql_errors import (
    Blame,
    GraphQLError,
    asked_pause,
    is_quota_answer,
    read_errors,
)
from pointsman.platforms.helium.rate_headers import read_rate
from pointsman.platforms.helium.transport import HttpAnswer

#: characters
_LONGEST_MESSAGE = 300
#: so many different errors of one answer are told
_MOST_MESSAGES = 5
#: these may mean the apiKey as well as the authToken
_HTTP_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_REDIRECTS = range(300, 400)
#: of a body or a header: the same request will never pass
_TOO_LARGE = frozenset(
    {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE}
)
#: with a time to come back, these are about the load, and not about who asks
_MAY_ASK_TO_WAIT = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE})
_NOTHING = "the platform answered nothing for it"
_DONE = MutationResult(Verdict.DONE)


def read_answer(
    response: HttpAnswer,
    aliases: Sequence[str],
    nulls: Sequence[Verdict | None],
    now: float,
    compares: Sequence[Callable[[Any], str] | None] = (),
) -> PlatformAnswer:
    """What came back, with a result for each alias in order; `now` in Unix seconds.

    `nulls` says of each alias what null means for it, None where it is `Boolean!`; `compares`,
    where it is given, what its answer shows against what was asked, in words.

    HTTP 401 and 403 come back as TOKEN_REFUSED with `key_in_doubt`: the caller, who can ask again
    without a token, tells a refused key from it.
    """
    payload = read_payload(response.body)
    if response.status == HTTPStatus.OK and _all_done(payload, aliases) and not any(compares):
        return PlatformAnswer(
            RequestOutcome.ANSWERED, (_DONE,) * len(aliases), read_rate(response.headers, now)
        )
    checks = dict(zip(aliases, compares, strict=False))
    answer = _Answer(response, payload, dict(zip(aliases, nulls, strict=True)), checks)
    rate = read_rate(response.headers, now, asked=answer.asked_pause())
    if answer.is_throttled(asked_to_wait=rate.retry_after is not None):
        outcome, results = RequestOutcome.THROTTLED, answer.results(Verdict.NOT_RUN)
    else:
        outcome, results = answer.outcome_and_results()
    return PlatformAnswer(
        outcome,
        results,
        rate,
        answer.errors_text if outcome is RequestOutcome.ANSWERED else answer.message,
        key_in_doubt=outcome is RequestOutcome.TOKEN_REFUSED and response.status in _HTTP_REFUSALS,
    )


def read_payload(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; {} for anything else."""
    try:
        payload = read_json_answer(body)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}


def _all_done(payload: dict[str, Any], aliases: Sequence[str]) -> bool:
    """Whether it says true to each, and no more: as nearly every answer does."""
    data = payload.get("data")
    return (
        bool(aliases)
        and isinstance(data, dict)
        and not payload.get("errors")
        and all(data.get(alias) is True for alias in aliases)
    )


def unusable_token(fault: str, mutations: int = 0) -> PlatformAnswer:
    """In place of an answer: the authToken can't be sent, so nobody was asked."""
    message = f"the authToken can't be sent: {fault}"
    not_run = MutationResult(Verdict.NOT_RUN, message)
    return PlatformAnswer(
        RequestOutcome.TOKEN_REFUSED, (not_run,) * mutations, message=message, sent=False
    )


class _Answer:
    """One answer; `requested` has for each alias what null means."""

    def __init__(
        self,
        response: HttpAnswer,
        payload: dict[str, Any],
        requested: dict[str, Verdict | None],
        compares: Mapping[str, Callable[[Any], str] | None],
    ) -> None:
        self._compares = compares
        self._status = response.status
        self._requested = requested
        self._payload = payload
        data = self._payload.get("data")
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        self._errors = read_errors(self._payload)
        self._by_alias: dict[str, GraphQLError] = {}
        for error in self._errors:
            if error.alias in requested:
                self._by_alias.setdefault(error.alias, error)
        self._general = [error for error in self._errors if error.alias not in requested]
        told = list(dict.fromkeys(error.message for error in self._errors))[:_MOST_MESSAGES]
        self.errors_text = "; ".join(told)
        self.message = _with_status(self.errors_text, response.status) or _plain(response)

    @property
    def _is_clean(self) -> bool:
        return bool(self._data) and not self._errors and self._status < HTTPStatus.BAD_REQUEST

    @property
    def _is_graphql(self) -> bool:
        return bool(self._data) or bool(self._errors)

    @property
    def _speaks_of_mutations(self) -> bool:
        return bool(self._by_alias) or any(alias in self._data for alias in self._requested)

    @property
    def _says_null_or_false(self) -> bool:
        """False, or null where it may be: an answer, unless an error stands beside it."""
        return not self._general and any(
            alias in self._data and (self._data[alias] is False or null is not None)
            for alias, null in self._requested.items()
        )

    def asked_pause(self) -> float | None:
        """Seconds to wait, as the body says it; None without an error."""
        if not self._errors:
            return None
        extensions = [error.extensions for error in self._errors]
        pauses = map(asked_pause, [*extensions, self._payload.get("extensions")])
        return max((seconds for seconds in pauses if seconds is not None), default=None)

    def is_throttled(self, *, asked_to_wait: bool) -> bool:
        return (
            self._status == HTTPStatus.TOO_MANY_REQUESTS
            or any(error.blame is Blame.QUOTA for error in self._errors)
            or (
                self._status in _MAY_ASK_TO_WAIT and asked_to_wait and not self._speaks_of_mutations
            )
            or (not self._is_graphql and is_quota_answer(self._payload))
        )

    def outcome_and_results(self) -> tuple[RequestOutcome, tuple[MutationResult, ...]]:
        results = self.results(Verdict.UNKNOWN)
        if not self._requested and self._is_clean:
            return RequestOutcome.ANSWERED, ()
        if self._speaks_of_mutations:
            verdicts = [result.verdict for result in results]
            ran = Verdict.DONE in verdicts
            if results[0].token_refused and not ran:
                return self._nothing_ran(RequestOutcome.TOKEN_REFUSED)
            in_trouble = (
                self._status >= HTTPStatus.INTERNAL_SERVER_ERROR and Verdict.UNKNOWN in verdicts
            )
            if ran or self._by_alias or self._says_null_or_false:
                return (
                    RequestOutcome.UNREACHABLE if in_trouble else RequestOutcome.ANSWERED,
                    results,
                )
        return self._of_whole_request()

    def results(self, otherwise: Verdict) -> tuple[MutationResult, ...]:
        """Alias by alias; `otherwise` for those of which nothing is said."""
        if not self._speaks_of_mutations:
            return (MutationResult(otherwise, self.message),) * len(self._requested)
        if any(alias in self._data for alias in self._requested):
            return tuple(self._from_data(alias, otherwise) for alias in self._requested)
        return self._from_stop()

    def _of_whole_request(self) -> tuple[RequestOutcome, tuple[MutationResult, ...]]:
        """No mutation is named, so it is about all of them, or about none."""
        blamed = {error.blame for error in self._general}
        if self._status in _HTTP_REFUSALS:
            return self._nothing_ran(RequestOutcome.TOKEN_REFUSED)
        if self._status < HTTPStatus.INTERNAL_SERVER_ERROR:
            if Blame.TOKEN in blamed:
                return self._nothing_ran(RequestOutcome.TOKEN_REFUSED)
            if Blame.DOCUMENT in blamed or self._status in _TOO_LARGE:
                return self._nothing_ran(RequestOutcome.DOCUMENT_REFUSED)
        unknown = MutationResult(Verdict.UNKNOWN, self.message)
        return RequestOutcome.UNREACHABLE, (unknown,) * len(self._requested)

    def _nothing_ran(
        self, outcome: RequestOutcome
    ) -> tuple[RequestOutcome, tuple[MutationResult, ...]]:
        return outcome, (MutationResult(Verdict.NOT_RUN, self.message),) * len(self._requested)

    def _from_data(self, alias: str, otherwise: Verdict) -> MutationResult:
        """Each speaks for itself: an error without a path says nothing of a value that is there."""
        value, null = self._data.get(alias), self._requested[alias]
        if value is True or (null is not None and value is not None and value is not False):
            compare = self._compares.get(alias)
            against = "" if compare is None else compare(value)
            return MutationResult(Verdict.UNKNOWN if against else Verdict.DONE, against)
        if alias in self._by_alias:
            return _from_error(self._by_alias[alias])
        if alias not in self._data or self._general:
            return MutationResult(otherwise, self.errors_text or _NOTHING)
        if value is False:
            return MutationResult(Verdict.REFUSED, "the platform answered false, without a reason")
        if value is not None:
            words = f"the platform answered neither true nor false: {str(value)[:50]}"
            return MutationResult(Verdict.UNKNOWN, words)
        if null is None:
            return MutationResult(Verdict.UNKNOWN, _NOTHING)
        if null is Verdict.DONE:
            return MutationResult(Verdict.DONE)
        words = "the platform answered null: it could not be done, and no reason"
        return MutationResult(null, words)

    def _from_stop(self) -> tuple[MutationResult, ...]:
        """The run ended at the last error; what may be null had its errors before it, without."""
        aliases = list(self._requested)
        stop = max(aliases.index(alias) for alias in self._by_alias)
        results: list[MutationResult] = []
        for place, (alias, null) in enumerate(self._requested.items()):
            if alias in self._by_alias:
                results.append(_from_error(self._by_alias[alias]))
            elif place > stop or "data" not in self._payload:
                # without `data` nobody says that anything ran (GraphQL, section 7.1)
                results.append(MutationResult(Verdict.NOT_RUN))
            elif null is None:
                results.append(MutationResult(Verdict.DONE))
            else:
                results.append(
                    MutationResult(Verdict.UNKNOWN, "its answer was lost with another's")
                )
        return tuple(results)


def _from_error(error: GraphQLError) -> MutationResult:
    """An error that names its mutation."""
    if error.blame is Blame.TOKEN:
        return MutationResult(Verdict.NOT_RUN, error.message, token_refused=True)
    if error.blame is Blame.QUOTA:
        return MutationResult(Verdict.NOT_RUN, error.message)
    is_final = error.blame in {Blame.DOCUMENT, Blame.DATUM}
    return MutationResult(Verdict.REFUSED if is_final else Verdict.UNKNOWN, error.message)


def _with_status(message: str, status: int) -> str:
    """The code stays in front, for remedies go by it."""
    return f"{message} (HTTP {status})" if message and status >= HTTPStatus.BAD_REQUEST else message


def _plain(response: HttpAnswer) -> str:
    if response.status in _REDIRECTS and (location := response.headers.get("Location", "")):
        # without its query, which may repeat the key
        address = location.partition("?")[0].partition("#")[0][:_LONGEST_MESSAGE]
        return (
            f"HTTP {response.status}, a redirect to {address}, which is not followed: "
            "see platform.url"
        )
    text = response.body[:_LONGEST_MESSAGE].decode(errors="replace").strip()
    return f"HTTP {response.status}" + (f": {text}" if text else "")
