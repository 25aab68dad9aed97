"""The model of a statement (xAPI Part 2 section 2.4; what 2.0 adds is taken in every version).

The rules that span several objects are checked where statements are parsed.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal

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


_NonActivityObject = (
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
#: as nearly all times are written, without what the library does not know
_PLAIN = re.compile(r".{10}T(?!24)..:..:[0-5].*[^z]")
_ORDINAL_DATE = re.compile(r"(\d{4})-?(\d{3})(?=T)")
_FRACTION = re.compile(r"T(\d\d)(?::?(\d\d))?[.,](\d+)")
_LATEST_TIMESTAMPS = 2_048
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LEAP_SECOND = re.compile(r"([Tt]\d\d:?\d\d:?)60")

_Attachments = Annotated[list[Attachment] | None, NOT_NULL]


class SubStatement(JsonObject):
    """A statement inside a statement: without id, stored, version, authority, or another one."""

    object_type: Literal["SubStatement"]
    actor: AnyActor
    verb: Verb
    object: Annotated[Activity | _NonActivityObject, Field(union_mode="left_to_right")]
    result: Annotated[Result | None, NOT_NULL] = None
    context: Annotated[Context | None, NOT_NULL] = None
    timestamp: OptionalTimestamp = None
    attachments: _Attachments = None


class Statement(JsonObject):
    """Section 2.4. Times and ids are the strings that came."""

    id: OptionalUuid = None
    actor: AnyActor
    verb: Verb
    object: Annotated[
        Activity | _NonActivityObject | SubStatement, Field(union_mode="left_to_right")
    ]
    result: Annotated[Result | None, NOT_NULL] = None
    context: Annotated[Context | None, NOT_NULL] = None
    timestamp: OptionalTimestamp = None
    stored: OptionalTimestamp = None
    authority: Annotated[Authority | None, NOT_NULL] = None
    version: Annotated[Version | None, NOT_NULL] = None
    attachments: _Attachments = None


STATEMENT: TypeAdapter[Statement] = TypeAdapter(Statement)


#: a statement's is read several times on its way, and then no longer
@lru_cache(_LATEST_TIMESTAMPS)
def microseconds(text: str) -> int:
    """A timestamp in microseconds since the epoch; without an offset it is UTC.

    `ValueError` where it does not exist.
    """
    at = parse_timestamp(text)
    since = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def parse_timestamp(text: str) -> datetime:
    """A timestamp as a datetime, perhaps without an offset. ValueError where it does not exist."""
    if _PLAIN.fullmatch(text):
        return datetime.fromisoformat(text)
    text = text.upper()
    if "60" in text:
        text = LEAP_SECOND.sub(r"\g<1>59", text)
    if text[10:11] != "T" and (ordinal := _ORDINAL_DATE.match(text)):
        text = _calendar_date(*map(int, ordinal.groups())) + text[ordinal.end() :]
    if "T24" not in text:
        return datetime.fromisoformat(_FRACTION.sub(_in_seconds, text))
    try:
        return datetime.fromisoformat(text.replace("T24", "T00")) + timedelta(days=1)
    except OverflowError as error:
        raise ValueError(str(error)) from None


def _in_seconds(match: re.Match[str]) -> str:
    """An hour or a minute with a fraction, as hour, minute and second."""
    hour, minute, fraction = match.groups()
    unit = 3_600 if minute is None else 60
    micros = int(fraction[:18]) * unit * 1_000_000 // 10 ** len(fraction[:18])
    seconds, micros = divmod(micros, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    return f"T{hour}:{minutes if minute is None else int(minute):02}:{seconds:02}.{micros:06}"


def _calendar_date(year: int, day_of_year: int) -> str:
    day = date(year, 1, 1) + timedelta(days=day_of_year - 1)
    if day.year != year:
        raise ValueError(f"{year} has no day {day_of_year}")
    return day.isoformat()


def is_real_time(text: str) -> bool:
    try:
        microseconds(text)
    except ValueError:
        return False
    return True
