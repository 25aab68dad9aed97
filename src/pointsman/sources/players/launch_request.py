"""Reads the body of `POST /launches`, and makes a launch and its answer of it. Pure."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from pointsman.domain.clock import MICROSECONDS, micros
from pointsman.domain.errors import InputRefused
from pointsman.domain.header_value import header_problem
from pointsman.domain.iri import web_address_problem
from pointsman.domain.launch import (
    Launch,
    LaunchMode,
    PlayerKind,
    launch_actor_json,
    launch_url_problem,
)
from pointsman.sources.players.cmi5.launch_data import check_player
from pointsman.sources.players.credentials import CredentialIssuer, Purpose, as_authorization
from pointsman.sources.players.launch_actor import ActorRules, launch_actor
from pointsman.statements.activities import AnyDefinition
from pointsman.statements.adapters.json_values import address_of
from pointsman.statements.data_types import Iri

_MOST_ACTIVITIES = 100
_MOST_PLAYER = 16_384
_MAILTO = "mailto:"

Text = Annotated[str, Field(min_length=1, max_length=1_000)]
#: as `course_completed` of a rule
Completed = Literal["never", "completed", "passed", "completed_or_passed", "completed_and_passed"]


_DEFINITION: TypeAdapter[Any] = TypeAdapter(AnyDefinition)


def _definition(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """As it came, once it is known to be one (xAPI Part 2 section 2.4.4.1)."""
    if value is not None:
        try:
            _DEFINITION.validate_python(value)
        except ValidationError:
            raise ValueError("is no xAPI Activity Definition") from None
    return value


def _learner(text: str) -> str:
    """As `[learners]` names learners: a `mailto:` IRI is the address in it."""
    learner = text.strip()
    if not learner:
        raise ValueError("is empty")
    if learner[: len(_MAILTO)].lower() == _MAILTO and address_of(learner) == learner:
        raise ValueError("begins with mailto: and is not one address and nothing else")
    return address_of(learner)


def _due(written: object) -> datetime:
    """A time of RFC 3339."""
    try:
        due = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        due = None
    if due is None or due.tzinfo is None:
        raise ValueError("is no time with a time zone, such as 2026-12-24T18:00:00Z")
    return due


class LaunchRequest(BaseModel):
    """The body of `POST /launches`, in camelCase."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    #: the platform's learner, as in `[learners]`
    learner: Annotated[Text, AfterValidator(_learner)]
    #: what players show
    name: Annotated[str, Field(max_length=1_000)] = ""
    #: an xAPI Agent, where the player knows the learner by another name
    actor: dict[str, Any] | None = None
    auth_token: SecretStr | None = None
    #: the learner's id on the platform, which meeting attendance needs
    user_id: Text | None = None
    #: seconds until the authToken expires, where that is known
    auth_token_expires_in: Annotated[int, Field(gt=0)] | None = None
    kind: PlayerKind = PlayerKind.XAPI
    activity: Iri
    #: an xAPI Activity Definition: what GET /xapi/activities says of the activity
    definition: Annotated[dict[str, Any] | None, AfterValidator(_definition)] = None
    activities: Annotated[tuple[Iri, ...], Field(max_length=_MOST_ACTIVITIES)] = ()
    #: where the content is; the launch's address is made of it
    url: Annotated[str, Field(max_length=4_000)] | None = None
    #: of an earlier launch, to go on with that attempt
    registration: uuid.UUID | None = None
    lifetime_seconds: Annotated[int, Field(ge=60)] | None = None
    topic_id: Text | None = None
    course_id: Text | None = None
    course_slug: Text | None = None
    course_sku: Text | None = None
    course_completed: Completed | None = None
    mode: LaunchMode = LaunchMode.NORMAL
    move_on: (
        Literal["Passed", "Completed", "CompletedAndPassed", "CompletedOrPassed", "NotApplicable"]
        | None
    ) = None
    mastery_score: Annotated[float, Field(ge=0, le=1)] | None = None
    #: when the learner's work is due: what would come late goes first
    due: Annotated[datetime, BeforeValidator(_due)] | None = None
    #: what else the player is told; for cmi5 as in `cmi5.launch_data.Player`
    player: dict[str, Any] = {}


def parse_launch_request(body: bytes) -> LaunchRequest:
    """Raises `InputRefused`, naming every field that is wrong; never a value."""
    try:
        asked = LaunchRequest.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise InputRefused(f"the body is not JSON: {error.msg}") from None
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, detail['loc'])) or 'the body'}: {detail['msg']}"
            for detail in error.errors(
                include_url=False, include_input=False, include_context=False
            )
        )
        raise InputRefused("; ".join(problems)) from None
    if asked.url is not None and (problem := _url_problem(asked.kind, asked.url)):
        raise InputRefused(f"url: {problem}")
    if asked.auth_token is not None:
        token_problem = header_problem(asked.auth_token.get_secret_value())
        if token_problem is not None:
            raise InputRefused(f"authToken: {token_problem}")
    courses = [name for name in (asked.course_id, asked.course_slug, asked.course_sku) if name]
    if len(courses) > 1:
        raise InputRefused("courseId, courseSlug and courseSku name the same course: give one")
    if asked.course_completed not in {None, "never"} and not courses:
        raise InputRefused("courseCompleted: needs courseId, courseSlug or courseSku")
    if len(orjson.dumps(asked.player)) > _MOST_PLAYER:
        raise InputRefused(f"player: is larger than {_MOST_PLAYER} bytes")
    if asked.kind is PlayerKind.CMI5:
        check_player(asked.player, asked.activity)
    return asked


def _url_problem(kind: PlayerKind, url: str) -> str:
    if problem := web_address_problem(url):
        return problem
    return launch_url_problem(url) if kind is PlayerKind.CMI5 else ""


def launch_from_request(
    asked: LaunchRequest, *, now: int, lifetime: float, longest: float, actors: ActorRules
) -> Launch:
    """The launch; times in microseconds, lifetimes in seconds. Raises `InputRefused`."""
    seconds = asked.lifetime_seconds or lifetime
    if seconds > longest:
        raise InputRefused(
            f"lifetimeSeconds: is more than launches.max_lifetime_hours allows: {longest:g} seconds"
        )
    course_by, course = _course(asked)
    return Launch(
        registration=str(asked.registration or uuid.uuid4()),
        kind=asked.kind,
        learner=asked.learner,
        actor=launch_actor(asked.learner, asked.kind, asked.actor, actors),
        name=asked.name,
        activity=asked.activity,
        opened_at=now,
        expires_at=now + round(seconds * MICROSECONDS),
        activities=asked.activities,
        topic_id=asked.topic_id or "",
        course_by=course_by,
        course=course,
        course_completed=asked.course_completed
        or ("completed_or_passed" if course and not asked.topic_id else "never"),
        mode=asked.mode,
        move_on=asked.move_on or "",
        mastery_score=asked.mastery_score,
        player=asked.player,
        session=str(uuid.uuid4()) if asked.kind is PlayerKind.CMI5 else "",
        due=0 if asked.due is None else micros(asked.due.timestamp()),
    )


def launch_response(
    launch: Launch, credentials: CredentialIssuer, public_url: str, url: str | None
) -> dict[str, Any]:
    """What the caller needs to start the player; addresses are under `public_url`."""
    base = public_url.rstrip("/")
    response: dict[str, Any] = {
        "registration": launch.registration,
        "activity": launch.activity,
        "actor": launch_actor_json(launch),
        "expiresAt": launch.expires_at // MICROSECONDS,
    }
    # the page reads the credential behind "#", which no browser sends
    receipt = credentials.issue(launch, Purpose.RECEIPT)
    response["receiptUrl"] = f"{base}/launches/{launch.registration}/receipt#{receipt}"
    if launch.kind is PlayerKind.SCORM:
        token = credentials.issue(launch, Purpose.SCORM)
        response["commitUrl"] = f"{base}/scorm/{token}/commit"
        response["dataUrl"] = f"{base}/scorm/{token}/data"
        query = {"commit": response["commitUrl"]}
    else:
        response["endpoint"] = f"{base}/xapi/"
        token = credentials.issue(launch, Purpose.XAPI)
        query = {"endpoint": response["endpoint"]}
        if launch.kind is PlayerKind.CMI5:
            fetch = credentials.issue(launch, Purpose.FETCH)
            response["fetchUrl"] = query["fetch"] = f"{base}/cmi5/fetch/{fetch}"
        else:
            response |= {"credential": token, "authorization": as_authorization(token)}
            query["auth"] = response["authorization"]
        query |= {
            "actor": orjson.dumps(launch_actor_json(launch)).decode(),
            "registration": launch.registration,
            # cmi5 section 8.1 writes it otherwise than the Tin Can launch before it
            "activityId" if launch.kind is PlayerKind.CMI5 else "activity_id": launch.activity,
        }
    if url is not None:
        response["launchUrl"] = _with(url, query)
    return response


def _with(url: str, query: dict[str, str]) -> str:
    parts = urlsplit(url)
    added = urlencode(query, quote_via=quote)
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def _course(asked: LaunchRequest) -> tuple[Literal["id", "slug", "sku", ""], str]:
    if asked.course_id:
        return "id", asked.course_id
    if asked.course_slug:
        return "slug", asked.course_slug
    return ("sku", asked.course_sku) if asked.course_sku else ("", "")
