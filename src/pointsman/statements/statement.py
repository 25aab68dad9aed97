"""A statement (xAPI Part 2 section 2.4; what 2.0 adds is accepted in every version).

Two rules span several objects and are checked by `check`: a voiding statement's object, and what
a context may hold where the object is no activity. `digest` tells whether two are the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, TypeAdapter, model_validator

from pointsman.statements.activities import Activity
from pointsman.statements.actors import (
    Agent,
    AnonymousGroup,
    AnyActor,
    Authority,
    Group,
    GroupByAccount,
    GroupByMbox,
    GroupByOpenid,
    GroupBySha1,
    ObjectAgentByAccount,
    ObjectAgentByMbox,
    ObjectAgentByOpenid,
    ObjectAgentBySha1,
)
from pointsman.statements.data_types import (
    NOT_NULL,
    Duration,
    Iri,
    JsonObject,
    LanguageMap,
    LanguageTag,
    OptionalBool,
    OptionalExtensions,
    OptionalIri,
    OptionalMap,
    OptionalNumber,
    OptionalText,
    OptionalTimestamp,
    OptionalUuid,
    Sha2,
    Text,
    Uuid,
    Version,
)

VOIDED = "http://adlnet.gov/expapi/verbs/voided"


class Verb(JsonObject):
    id: Iri
    display: OptionalMap = None


class Score(JsonObject):
    """Section 2.4.5.1."""

    scaled: Annotated[float | None, NOT_NULL, Field(ge=-1, le=1)] = None
    raw: OptionalNumber = None
    min: OptionalNumber = None
    max: OptionalNumber = None

    @model_validator(mode="after")
    def _in_order(self) -> Score:
        if self.min is not None and self.max is not None and self.min >= self.max:
            raise ValueError("min must be less than max")
        if self.raw is not None:
            if self.min is not None and self.raw < self.min:
                raise ValueError("raw must not be less than min")
            if self.max is not None and self.raw > self.max:
                raise ValueError("raw must not be more than max")
        return self


class Result(JsonObject):
    score: Annotated[Score | None, NOT_NULL] = None
    success: OptionalBool = None
    completion: OptionalBool = None
    response: OptionalText = None
    duration: Annotated[Duration | None, NOT_NULL] = None
    extensions: OptionalExtensions = None


_Activities = Annotated[
    Annotated[list[Activity] | Activity, Field(union_mode="left_to_right")] | None, NOT_NULL
]


class ContextActivities(JsonObject):
    parent: _Activities = None
    grouping: _Activities = None
    category: _Activities = None
    other: _Activities = None


class StatementRef(JsonObject):
    object_type: Literal["StatementRef"]
    id: Uuid


_Relevant = Annotated[list[Iri] | None, NOT_NULL, Field(min_length=1)]


class ContextAgent(JsonObject):
    """xAPI 2.0 section 4.2.5.5."""

    object_type: Literal["contextAgent"]
    agent: Agent
    relevant_types: _Relevant = None


class ContextGroup(JsonObject):
    """xAPI 2.0 section 4.2.5.6."""

    object_type: Literal["contextGroup"]
    group: Group
    relevant_types: _Relevant = None


class Context(JsonObject):
    registration: OptionalUuid = None
    instructor: Annotated[AnyActor | None, NOT_NULL] = None
    team: Annotated[Group | None, NOT_NULL] = None
    context_activities: Annotated[ContextActivities | None, NOT_NULL] = None
    revision: OptionalText = None
    platform: OptionalText = None
    language: Annotated[LanguageTag | None, NOT_NULL] = None
    statement: Annotated[StatementRef | None, NOT_NULL] = None
    extensions: OptionalExtensions = None
    context_agents: Annotated[list[ContextAgent] | None, NOT_NULL] = None
    context_groups: Annotated[list[ContextGroup] | None, NOT_NULL] = None


class Attachment(JsonObject):
    """Section 2.4.11. The data of one without `fileUrl` travels beside the statement."""

    usage_type: Iri
    display: LanguageMap
    description: OptionalMap = None
    content_type: Text
    length: Annotated[int, Field(ge=0)]
    sha2: Sha2
    file_url: OptionalIri = None


_Thing = (
    ObjectAgentByMbox
    | ObjectAgentByAccount
    | ObjectAgentBySha1
    | ObjectAgentByOpenid
    | GroupByMbox
    | GroupByAccount
    | GroupBySha1
    | GroupByOpenid
    | AnonymousGroup
    | StatementRef
)
#: the calendar here ends each minute with its 59th second
_LEAP_SECOND = re.compile(r"([Tt]\d\d:?\d\d:?)60")

#: seconds that are finer than a hundredth, and as much of them as counts
_FINE = re.compile(r"([0-9]+[.,][0-9]{2})[0-9]+S$")
#: what the receiving endpoint may assign, so that it says nothing about sameness (section 2.3.1)
_ASSIGNED = frozenset({"id", "stored", "authority", "version"})

_Attachments = Annotated[list[Attachment] | None, NOT_NULL]


class SubStatement(JsonObject):
    """A statement inside a statement: without id, stored, version, authority, or another one."""

    object_type: Literal["SubStatement"]
    actor: AnyActor
    verb: Verb
    object: Annotated[Activity | _Thing, Field(union_mode="left_to_right")]
    result: Annotated[Result | None, NOT_NULL] = None
    context: Annotated[Context | None, NOT_NULL] = None
    timestamp: OptionalTimestamp = None
    attachments: _Attachments = None


class Statement(JsonObject):
    """Section 2.4. Times and ids are the strings that came."""

    id: OptionalUuid = None
    actor: AnyActor
    verb: Verb
    object: Annotated[Activity | _Thing | SubStatement, Field(union_mode="left_to_right")]
    result: Annotated[Result | None, NOT_NULL] = None
    context: Annotated[Context | None, NOT_NULL] = None
    timestamp: OptionalTimestamp = None
    stored: OptionalTimestamp = None
    authority: Annotated[Authority | None, NOT_NULL] = None
    version: Annotated[Version | None, NOT_NULL] = None
    attachments: _Attachments = None


STATEMENT: TypeAdapter[Statement] = TypeAdapter(Statement)


def check(statement: Statement) -> Iterator[tuple[str, str]]:
    """(field, rule) of every rule that spans several objects and is broken."""
    if statement.verb.id == VOIDED and not isinstance(statement.object, StatementRef):
        yield "object", "of a voiding statement must be a StatementRef (section 2.3.2)"
    yield from _check_parts(statement, "")
    if isinstance(statement.object, SubStatement):
        yield from _check_parts(statement.object, "object.")
    for name, text in (("timestamp", statement.timestamp), ("stored", statement.stored)):
        if text is not None and not _exists(text):
            yield name, "must be a day and time that exist"


def _check_parts(part: Statement | SubStatement, prefix: str) -> Iterator[tuple[str, str]]:
    context = part.context
    if context is not None and not isinstance(part.object, Activity):
        for name in ("revision", "platform"):
            if getattr(context, name) is not None:
                yield (
                    f"{prefix}context.{name}",
                    "is only allowed where the object is an activity (section 2.4.6)",
                )


def attached(statement: Statement) -> Iterator[tuple[str, Attachment]]:
    """The attachments of a statement and of one inside it, each with its place."""
    for place, attachment in enumerate(statement.attachments or ()):
        yield f"attachments[{place}]", attachment
    if isinstance(statement.object, SubStatement):
        for place, attachment in enumerate(statement.object.attachments or ()):
            yield f"object.attachments[{place}]", attachment


def moment(text: str) -> datetime:
    """A timestamp as a datetime, perhaps without an offset. ValueError where it does not exist."""
    if "60" in text:
        text = _LEAP_SECOND.sub(r"\g<1>59", text)
    return datetime.fromisoformat(text.upper())


def _exists(text: str) -> bool:
    try:
        moment(text)
    except ValueError:
        return False
    return True


def digest(statement: dict[str, Any]) -> int:
    """A signed 64-bit hash of what makes two statements the same, whatever the order of keys."""
    said = {key: value for key, value in comparable(statement).items() if key not in _ASSIGNED}
    canonical = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.blake2b(canonical, digest_size=8).digest(), "big", signed=True)


def comparable(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement, with durations down to 0.01 s (1.0.3 Part 2 section 4.6, 2.0 section 4.2.7).

    What is finer is kept and shown, and makes no difference.
    """
    cut = _cut(statement)
    inner = cut.get("object")
    if not isinstance(inner, dict):
        return cut
    inner_cut = _cut(inner)
    return cut if inner_cut is inner else {**cut, "object": inner_cut}


def _cut(part: dict[str, Any]) -> dict[str, Any]:
    result = part.get("result")
    duration = result.get("duration") if isinstance(result, dict) else None
    if result is None or not isinstance(duration, str) or not _FINE.search(duration):
        return part
    return {**part, "result": {**result, "duration": _FINE.sub(r"\1S", duration)}}
