"""What a story consists of. Frozen; times in microseconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pointsman.domain.targets import Recipient, Target, Value


class EventKind(StrEnum):
    """What happened at one moment."""

    INPUT = "input"
    DEAD_LETTER = "dead_letter"
    SENT = "sent"
    HELD_BACK = "held_back"
    READ_BACK = "read_back"
    #: the platform said it by itself
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the story with what belongs to it below; `data` is the same for a program."""

    at: int
    kind: EventKind
    headline: str
    details: tuple[str, ...] = ()
    data: dict[str, object] = field(default_factory=dict)


class Cause(StrEnum):
    """Why something is where it is."""

    #: the platform has what is wanted
    DELIVERED = "delivered"
    #: and nobody has confirmed it, or somebody changed it there afterwards, on purpose
    UNCONFIRMED = "unconfirmed"
    CONTRADICTED = "contradicted"
    #: and the audit saw something else once, and looks again
    SUSPECTED = "suspected"
    #: it is sent when its turn comes
    QUEUED = "queued"
    #: it is being sent now
    SENDING = "sending"
    #: it failed and is sent again by itself
    RETRIED = "retried"
    PLATFORM_AWAY = "platform_away"
    KEY_REFUSED = "key_refused"
    QUOTA_SPENT = "quota_spent"
    PAUSED = "paused"
    #: parked, by its code
    NO_TOKEN = "no_token"  # noqa: S105 - a cause, not a token
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a cause, not a token
    NO_USER_ID = "no_user_id"
    USER_ID_REFUSED = "user_id_refused"
    REFUSED_BY_PLATFORM = "refused_by_platform"
    WAITS_FOR = "waits_for"
    FAILED_TOO_OFTEN = "failed_too_often"
    INTERNAL_ERROR = "internal_error"
    DRIFT = "drift"
    PLATFORM_CHANGED = "platform_changed"
    UNKNOWN = "unknown"
    #: the newest input changed nothing
    NO_RULE = "no_rule"
    NO_VERB = "no_verb"
    NO_EFFECT = "no_effect"
    LAUNCH_MODE = "launch_mode"
    DEAD_LETTER = "dead_letter"
    RULE_CHANGED = "rule_changed"
    DUPLICATE = "duplicate"
    SAME = "same"
    LOWER = "lower"
    OLDER = "older"
    OTHER_ATTEMPT = "other_attempt"
    INCOMPLETE = "incomplete"
    BEFORE_RESET = "before_reset"
    #: nothing is known
    NO_INPUT = "no_input"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one target stands, or an input that reached none: why, what comes next, what to do."""

    cause: Cause
    #: one sentence: what the state is, and why
    sentence: str
    #: one sentence: what happens next by itself
    next: str
    #: when that is; None where nobody can say
    next_at: int | None = None
    #: exact commands, or what a person does; empty where nothing is to be done
    cure: tuple[str, ...] = ()
    recipient: Recipient | None = None
    target: Target | None = None
    #: what is wanted, and what was delivered last
    wanted: Value | None = None
    delivered: Value | None = None
    is_delivered: bool = False
    is_parked: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """Events in the order of time, where each target stands, and the end of it all."""

    learner: str
    about: str
    now: int
    events: tuple[Event, ...]
    #: events that are not told here, for there were too many
    left_out: int
    standings: tuple[Standing, ...]
    #: the one of `standings`, or of the inputs, that answers the question
    end: Standing
