"""The launch: the record that joins a player's session to a learner and an activity. Pure.

The page that starts a player asks for a launch, and says who the learner is, with which authToken,
and which activity is to be played. What the player says later is about that learner and activity.
"""

from __future__ import annotations

from dataclasses import asdict, field
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import orjson

from pointsman.domain.frozen import record
from pointsman.domain.iri import comparable, mailbox_address, same_iri
from pointsman.domain.records import Actor

#: what the store names as the rule where a launch says what its activity is
LAUNCH_RULE = "launch"
#: what a cmi5 launch adds to the address of its unit
_ADDED = frozenset({"endpoint", "fetch", "actor", "registration", "activityId"})
#: where an activity's IRI ends, so that what follows lies below it
_BELOW = ("/", "?", "#")


class PlayerKind(StrEnum):
    """How the player talks."""

    XAPI = "xapi"
    CMI5 = "cmi5"
    SCORM = "scorm"


class LaunchMode(StrEnum):
    """cmi5 section 10.2.2; only Normal writes progress."""

    NORMAL = "Normal"
    BROWSE = "Browse"
    REVIEW = "Review"


@record
class Revoked:
    """The newest revocation of a registration, and of its learner; numbers that only grow."""

    registration: int = 0
    learner: int = 0

    def is_after(self, other: Revoked) -> bool:
        """Whether something was revoked that `other` does not know of."""
        return self.registration > other.registration or self.learner > other.learner


NOTHING_REVOKED = Revoked()


@record
class Launch:
    """One learner, one registration, one activity.

    Times in microseconds since the epoch; IRIs as the player writes them.
    """

    #: a UUID in lower case
    registration: str
    kind: PlayerKind
    #: the platform's learner
    learner: str
    #: the learner as the player knows them
    actor: Actor
    name: str
    activity: str
    opened_at: int
    expires_at: int
    #: further activities that the player may speak of, with what lies below them
    activities: tuple[str, ...] = ()
    #: what it is on the platform; empty where the rules say it
    topic_id: str = ""
    course_by: Literal["id", "slug", "sku", ""] = ""
    course: str = ""
    course_completed: str = "never"
    mode: LaunchMode = LaunchMode.NORMAL
    #: cmi5 section 10.2.4, one of its five words; empty where every completion counts
    move_on: str = ""
    #: the least scaled score that passes
    mastery_score: float | None = None
    #: what else the player is told: launch parameters, where to return to
    player: dict[str, Any] = field(default_factory=dict)
    #: cmi5's session ID, new with each launch of a registration; empty for other players
    session: str = ""
    #: what was revoked before it: its credentials are good until something is revoked after that
    revoked: Revoked = NOTHING_REVOKED
    #: when the learner's work is due, 0 where the launch does not say
    due: int = 0

    @property
    def moves_on(self) -> bool:
        """Whether only a met moveOn completes it."""
        return self.kind is PlayerKind.CMI5 and bool(self.move_on)

    @property
    def says_what_it_is(self) -> bool:
        """Whether it names what is set on the platform, so that no rule has to."""
        return bool(self.topic_id or self.course)


def same_actor(actor: Actor, other: Actor) -> bool:
    """However both are written; a mailbox is the same in any case, as it is for learners."""
    if actor == other:
        return True
    if actor.kind != other.kind or actor.group != other.group:
        return False
    match actor.kind:
        case "mbox":
            return mailbox_address(actor.value).lower() == mailbox_address(other.value).lower()
        case "account":
            return actor.value == other.value and same_iri(actor.home_page, other.home_page)
        case "openid":
            return same_iri(actor.value, other.value)
        case _:
            return False


def covers(launch: Launch, activity: str) -> bool:
    """Whether the player may speak of this activity: the launch's, another it names, or below."""
    wholes = (launch.activity, *launch.activities)
    # what a dot segment or an escape makes of it is only seen once it is normalized
    plain = "/." not in activity and "%" not in activity
    if plain and any(_lies_within(activity, whole) for whole in wholes):
        return True
    activity = comparable(activity)
    return any(_lies_within(activity, comparable(whole)) for whole in wholes)


def is_its_activity(launch: Launch, activity: str) -> bool:
    """Whether it is the very activity of the launch; a slash at the end does not matter."""
    return activity.rstrip("/") == launch.activity.rstrip("/") or comparable(activity).rstrip(
        "/"
    ) == comparable(launch.activity).rstrip("/")


def launch_url_problem(url: str) -> str:
    """What an address has that a cmi5 launch adds to it (section 8.1); empty where it has none."""
    names = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    taken = sorted(names & _ADDED)
    return f"must not have {', '.join(taken)} in its query: the launch adds it" if taken else ""


def launch_actor_json(launch: Launch) -> dict[str, Any]:
    """The learner as an xAPI Agent (xAPI Part 2 section 2.4.2)."""
    actor = launch.actor
    named = {"objectType": "Agent"} | ({"name": launch.name} if launch.name else {})
    if actor.kind == "account":
        return named | {"account": {"homePage": actor.home_page, "name": actor.value}}
    return named | {actor.kind: actor.value}


def launch_to_json(launch: Launch) -> bytes:
    """As the store keeps it."""
    fields = asdict(launch)
    # replicas of a version before these fields do not know them
    if launch.revoked == NOTHING_REVOKED:
        del fields["revoked"]
    if not launch.due:
        del fields["due"]
    return orjson.dumps(fields)


def launch_from_json(content: bytes) -> Launch:
    """What `launch_to_json` wrote."""
    fields = orjson.loads(content)
    return Launch(
        **{
            **fields,
            "actor": Actor(**fields["actor"]),
            "kind": PlayerKind(fields["kind"]),
            "mode": LaunchMode(fields["mode"]),
            "activities": tuple(fields["activities"]),
            "revoked": Revoked(**fields.get("revoked", {})),
        }
    )


def _lies_within(activity: str, whole: str) -> bool:
    if not activity.startswith(whole):
        return False
    rest = activity[len(whole) :]
    return not rest or whole.endswith(_BELOW) or rest.startswith(_BELOW)
