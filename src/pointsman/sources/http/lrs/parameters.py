"""Reads query parameters: which a request may have, and what their texts mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from typing import Any, Literal
from urllib.parse import parse_qsl

import orjson
from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from pointsman.domain.clock import micros
from pointsman.domain.frozen import record
from pointsman.domain.records import Actor
from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.lrs.resources import WITH_ONE_STATEMENT, MethodRules
from pointsman.statements.actor_identity import actor_of, identity
from pointsman.statements.actors import AnyActor
from pointsman.statements.data_types import Iri, Timestamp
from pointsman.statements.statement import parse_timestamp
from pointsman.store.base import StatementPlace

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,10})")
_MOST_FIELDS = 100
_LONGEST_TEXT = 4_000
_LONGEST_COUNT = 9

_ACTOR: TypeAdapter[BaseModel] = TypeAdapter(AnyActor)
_IRI: TypeAdapter[str] = TypeAdapter(Iri)
_TIMESTAMP: TypeAdapter[str] = TypeAdapter(Timestamp)


@record
class AgentParameter:
    """An agent or identified group, as it came and as what identifies it."""

    json: dict[str, Any]
    identity: str
    #: the one person that it is; None for a group
    person: Actor | None


@record
class Parameters:
    """Those of a request. Times in microseconds, ids in lower case; `texts` are as they came."""

    texts: Mapping[str, str]
    activity_id: str | None = None
    agent: AgentParameter | None = None
    state_id: str | None = None
    profile_id: str | None = None
    registration: str | None = None
    since: int | None = None
    until: int | None = None
    statement_id: str | None = None
    voided_statement_id: str | None = None
    verb: str | None = None
    activity: str | None = None
    related_activities: bool = False
    related_agents: bool = False
    attachments: bool = False
    ascending: bool = False
    limit: int = 0
    format: Literal["ids", "exact", "canonical"] = "exact"
    cursor: StatementPlace | None = None


_NONE = Parameters({})
#: what JavaScript makes of a value that is not there
_SAY_NOTHING = frozenset({"", "null", "undefined"})
_FLAGS = frozenset({"related_activities", "related_agents", "attachments", "ascending"})


def raw_query(request: web.Request) -> str:
    """As it came: what is broken in it must not be corrected."""
    return request.raw_path.partition("?")[2].partition("#")[0]


def pairs(query: str) -> list[tuple[str, str]]:
    """Names and values of a query or form. Raises `RequestRefused` where it is broken."""
    if _BROKEN_ESCAPE.search(query):
        raise RequestRefused(400, "a % in the parameters is not followed by two hex digits")
    try:
        return parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:  # of which a UnicodeDecodeError is one
        raise RequestRefused(
            400, f"the parameters are not UTF-8, or more than {_MOST_FIELDS}"
        ) from None


def unique(named_values: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each name once. Raises `RequestRefused`."""
    texts: dict[str, str] = {}
    for name, value in named_values:
        if name in texts:
            raise RequestRefused(400, f"the parameter {name[:80]} must be given once")
        texts[name] = value
    return texts


def check(texts: Mapping[str, str], takes: MethodRules, *, lenient: bool) -> Parameters:
    """The parameters of a request that takes these. Raises `RequestRefused`."""
    if not texts and not takes.required:
        return _NONE
    if lenient:
        texts, takes = _as_meant(texts, takes)
    if missing := sorted(takes.required - texts.keys()):
        raise RequestRefused(400, f"the parameter {missing[0]} is missing")
    known = takes.required | takes.optional
    unknown = sorted(texts.keys() - known)
    if unknown and not lenient:
        raise RequestRefused(
            400,
            f"the parameter {unknown[0][:80]!r} is not known here; for players that send others, "
            "mark the source lenient = true",
        )
    values = {name: value for name, value in texts.items() if name in known}
    if {"statementId", "voidedStatementId"} & values.keys() and "cursor" in known:
        _check_one_statement(values)
    read = {_READERS[name][0]: _read(name, value) for name, value in values.items()}
    return Parameters(values, **read)


def _as_meant(
    texts: Mapping[str, str], takes: MethodRules
) -> tuple[Mapping[str, str], MethodRules]:
    """What players mean: an empty parameter and a null say nothing, and `True` is true.

    A statement that is put has its id in its body, or gets one.
    """
    said = {
        name: value.lower() if name in _FLAGS else value
        for name, value in texts.items()
        if name not in takes.optional or value not in _SAY_NOTHING
    }
    if "null" in said.get("agent", ""):
        said["agent"] = _without_nulls(said["agent"])
    return said, MethodRules(takes.required - {"statementId"}, takes.optional | takes.required)


def _without_nulls(agent: str) -> str:
    """What .NET and Python write of an agent whose name is not known."""
    try:
        value = orjson.loads(agent)
    except orjson.JSONDecodeError:
        return agent
    if not isinstance(value, dict):
        return agent
    return orjson.dumps({name: part for name, part in value.items() if part is not None}).decode()


def _check_one_statement(texts: Mapping[str, str]) -> None:
    if {"statementId", "voidedStatementId"} <= texts.keys():
        raise RequestRefused(400, "statementId and voidedStatementId must not be given together")
    if other := sorted(texts.keys() - WITH_ONE_STATEMENT):
        raise RequestRefused(400, f"{other[0]} must not be given beside the id of one statement")


def _read(name: str, value: str) -> Any:
    try:
        return _READERS[name][1](value)
    except ValueError as error:  # of which a pydantic ValidationError is one
        why = "has a value that is not allowed" if isinstance(error, ValidationError) else error
        raise RequestRefused(400, f"the parameter {name} {why}") from None


def _text(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    if len(value) > _LONGEST_TEXT:
        raise ValueError(f"must not be longer than {_LONGEST_TEXT} characters")
    return value


def _iri(value: str) -> str:
    try:
        return _IRI.validate_python(_text(value))
    except ValidationError:
        raise ValueError("must be an absolute IRI, with a scheme and without spaces") from None


def _uuid(value: str) -> str:
    if not _UUID.fullmatch(value.lower()):
        raise ValueError("must be a UUID")
    return value.lower()


def _agent(value: str) -> AgentParameter:
    try:
        agent = orjson.loads(value)
        actor = _ACTOR.validate_python(agent)
    except (orjson.JSONDecodeError, ValidationError):
        raise ValueError(
            "must be an agent as JSON, with exactly one of mbox, mbox_sha1sum, openid and account"
        ) from None
    if not identity(actor):
        raise ValueError("must not be an anonymous group")
    return AgentParameter(agent, identity(actor), actor_of(actor))


def _time(value: str) -> int:
    try:
        # a + that was not escaped arrives as a space
        at = parse_timestamp(_TIMESTAMP.validate_python(value.replace(" ", "+")))
    except ValueError:
        raise ValueError("must be an ISO 8601 time such as 2026-01-31T12:00:00Z") from None
    return micros((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def _flag(value: str) -> bool:
    if value not in {"true", "false"}:
        raise ValueError("must be true or false")
    return value == "true"


def _count(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= _LONGEST_COUNT):
        raise ValueError("must be a whole number, 0 or more")
    return int(value)


def _format(value: str) -> str:
    if value not in {"ids", "exact", "canonical"}:
        raise ValueError("must be ids, exact or canonical")
    return value


def _cursor(value: str) -> StatementPlace:
    match = _CURSOR.fullmatch(value)
    if match is None:
        raise ValueError("must be one that an answer's more has")
    return StatementPlace(int(match[1]), int(match[2]))


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "activityId": ("activity_id", _iri),
    "agent": ("agent", _agent),
    "stateId": ("state_id", _text),
    "profileId": ("profile_id", _text),
    "registration": ("registration", _uuid),
    "since": ("since", _time),
    "until": ("until", _time),
    "statementId": ("statement_id", _uuid),
    "voidedStatementId": ("voided_statement_id", _uuid),
    "verb": ("verb", _iri),
    "activity": ("activity", _iri),
    "related_activities": ("related_activities", _flag),
    "related_agents": ("related_agents", _flag),
    "attachments": ("attachments", _flag),
    "ascending": ("ascending", _flag),
    "limit": ("limit", _count),
    "format": ("format", _format),
    "cursor": ("cursor", _cursor),
}
