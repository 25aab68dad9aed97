"""Makes the documents that a cmi5 player reads at its start (cmi5 sections 10 and 11)."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from pointsman.domain.errors import InputRefused
from pointsman.domain.iri import web_address_problem
from pointsman.domain.launch import Launch
from pointsman.sources.players.cmi5 import vocabulary
from pointsman.sources.players.cmi5.lms_statements import grouping, move_on
from pointsman.statements.data_types import Iri

_LANGUAGES = r"[A-Za-z0-9-]+(\s*,\s*[A-Za-z0-9-]+)*"
_Languages = Annotated[str, Field(pattern=f"^{_LANGUAGES}$")]
_PREFERENCES = (
    ("languagePreference", re.compile(_LANGUAGES), "language tags with commas between them"),
    ("audioPreference", re.compile("on|off"), "on or off"),
)


def _openable(url: str) -> str:
    if problem := web_address_problem(url):
        raise ValueError(problem)
    return url


_WebAddress = Annotated[str, Field(max_length=4_000), AfterValidator(_openable)]
_Text = Annotated[str, Field(max_length=8_192)]


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True
    )


class EntitlementKey(_Part):
    """Section 10.2.7."""

    course_structure: _Text
    alternate: _Text | None = None


class LearnerPreferences(_Part):
    """Section 11: language tags in order, separated by commas; audio on or off."""

    language_preference: _Languages = ""
    audio_preference: Literal["on", "off", ""] = ""


class PlayerOptions(_Part):
    """`player` in the body of `POST /launches` of a cmi5 player."""

    #: the unit's id in the course structure, unaltered (section 9.6.2.3)
    publisher_id: Iri | None = None
    launch_method: Literal["OwnWindow", "AnyWindow"] = "AnyWindow"
    launch_parameters: _Text | None = None
    #: where the player sends the learner at its end
    return_url: _WebAddress | None = Field(default=None, alias="returnURL")
    entitlement_key: EntitlementKey | None = None
    learner_preferences: LearnerPreferences | None = None


def check_player(options: dict[str, Any], activity: str) -> None:
    """Raises `InputRefused`, naming every field that is wrong; never a value."""
    try:
        player = PlayerOptions.model_validate(options)
    except ValidationError as error:
        problems = (
            f"player.{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
            for detail in error.errors(
                include_url=False, include_input=False, include_context=False
            )
        )
        raise InputRefused("; ".join(problems)) from None
    if player.publisher_id == activity:
        raise InputRefused(
            "player.publisherId: must not be the activity's own id (cmi5 section 8.1.5); give the "
            "activity another one"
        )


def launch_data(launch: Launch) -> dict[str, Any]:
    """The document `LMS.LaunchData`."""
    player = PlayerOptions.model_validate(launch.player)
    activities = {"grouping": group} if (group := grouping(launch)) else {}
    document: dict[str, Any] = {
        "contextTemplate": {
            "registration": launch.registration,
            "contextActivities": activities,
            "extensions": {vocabulary.SESSION_ID: launch.session},
        },
        "launchMode": launch.mode.value,
        "launchMethod": player.launch_method,
        "moveOn": move_on(launch),
    }
    if launch.mastery_score is not None:
        document["masteryScore"] = launch.mastery_score
    if player.launch_parameters is not None:
        document["launchParameters"] = player.launch_parameters
    if player.return_url is not None:
        document["returnURL"] = player.return_url
    if player.entitlement_key is not None:
        document["entitlementKey"] = player.entitlement_key.model_dump(
            by_alias=True, exclude_none=True
        )
    return document


def preferences(launch: Launch) -> dict[str, str] | None:
    """The document `cmi5LearnerPreferences`; None where the launch says nothing of it."""
    wanted = PlayerOptions.model_validate(launch.player).learner_preferences
    if wanted is None:
        return None
    return wanted.model_dump(by_alias=True)


def preferences_problem(media_type: str, body: bytes, *, whole: bool) -> str | None:
    """What is wrong with a player's `cmi5LearnerPreferences`; `whole` if it replaces what is there.

    Sections 11, 11.1 and 11.2.
    """
    if media_type != "application/json":
        return f"must be application/json, not {media_type or 'of no type'}"
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "must be JSON"
    if not isinstance(document, dict):
        return "must be a JSON object"
    for name, allowed, what in _PREFERENCES:
        value = document.get(name)
        if value is None and (whole or name in document):
            return f"must have {name}"
        if value is not None and not (isinstance(value, str) and allowed.fullmatch(value)):
            return f"must have {what} as {name}"
    return None
