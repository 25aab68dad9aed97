"""The records that the stages hand to one another. Frozen, and without behaviour.

Times are whole microseconds since the Unix epoch, UTC. Progress is a whole percentage, 0-100.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pointsman.domain.evidence import Coverage, Evidence
from pointsman.domain.frozen import record
from pointsman.domain.log_positions import Position
from pointsman.domain.targets import ReadBackPlace, Recipient, Target, Value


@record
class Actor:
    """Who a statement is about: one inverse functional identifier (xAPI Part 2 section 2.4.2.3).

    `kind` names the identifier; `value` is the mailbox (with `mailto:`), the SHA-1, the OpenID
    or the account's name; `home_page` is the account's, empty for the others. A `group` is no
    learner.
    """

    kind: Literal["mbox", "mbox_sha1sum", "openid", "account", "anonymous"]
    value: str
    home_page: str = ""
    group: bool = False


class Reading(StrEnum):
    """What an input may say of a learner, each of which may be nonsense while the rest is not."""

    PROGRESS = "progress"
    #: which spans of a recording were played, its length, and how much of it completes it
    COVERAGE = "coverage"
    COMPLETION = "completion"
    SUCCESS = "success"
    SCORE = "score"
    DURATION = "duration"
    TIMESTAMP = "timestamp"
    #: the attempt, and the number of a commit in it
    ATTEMPT = "attempt"
    #: what nothing is decided by: a name, a language, a property that xAPI does not know
    DETAIL = "detail"


@record
class LeftOut:
    """A reading that makes no sense, so that the input is taken without it."""

    reading: Reading
    #: what it should have been, and was: for a person
    rule: str
    #: where it stood
    field: str = ""

    @property
    def reason(self) -> str:
        return f"{self.field} {self.rule}".lstrip()


@record
class Observation:
    """What one input says about one learner and one activity.

    `progress` is a percentage as the input gave it, fractions included; `score` is scaled, -1..1.
    What is in `left_out` says nothing here.
    """

    #: the statement's id, or the id given to another kind of input
    statement_id: str
    actor: Actor
    #: the verb's IRI
    verb: str
    #: the activity's IRI
    activity: str
    #: the attempt, a UUID in lower case
    registration: str | None
    #: when it happened; never later than its arrival, so a clock that is ahead can't always win
    occurred_at: int
    progress: float | None = None
    completion: bool | None = None
    success: bool | None = None
    score: float | None = None
    #: the IRI of the activity's type, where the statement says it
    activity_type: str | None = None
    #: what was played of a recording, where the statement says it
    coverage: Coverage | None = None
    #: why it may say nothing about progress, for a person
    remark: str = ""
    left_out: tuple[LeftOut, ...] = ()


class Falls(StrEnum):
    """When a value may go down."""

    NEVER = "never"
    #: a newer registration starts again
    NEW_ATTEMPT = "new_attempt"
    #: the newest statement wins whatever it says
    ALWAYS = "always"


#: how long progress may wait where nobody says otherwise, in microseconds
FRESH_WITHIN = 30_000_000


@record
class Change:
    """A move of desired state that one observation asks for.

    With `evidence`, it moves to what all evidence for the same key makes of `value`.
    """

    recipient: Recipient
    target: Target
    value: Value
    occurred_at: int
    statement_id: str
    rule: str
    registration: str | None = None
    falls: Falls = Falls.NEVER
    #: targets of the same observation that must be delivered first
    after: tuple[Target, ...] = ()
    #: where the platform shows it, None where no operation does
    read_back: ReadBackPlace | None = None
    #: what this observation adds to a progress that no single one says
    evidence: Evidence | None = None
    #: how long its progress may wait, in microseconds
    fresh_within: int = FRESH_WITHIN
    #: when the learner's work is due, 0 for never
    deadline: int = 0


class InputOutcome(StrEnum):
    """What became of one accepted input. Each has exactly one (promise 2)."""

    APPLIED = "applied"
    SUPERSEDED = "superseded"
    NO_EFFECT = "no_effect"
    UNMATCHED = "unmatched"
    DEAD = "dead"

    # as the text that it is: an enum's own is slow
    __hash__ = str.__hash__


class WhyNot(StrEnum):
    """Why a statement asks for no change."""

    #: no rule's activity matches
    NO_RULE = "no_rule"
    #: rules match its activity, and none takes its verb and type
    NO_VERB = "no_verb"
    #: its launch is to browse or to review
    LAUNCH_MODE = "launch_mode"
    #: it says nothing about progress, or not about its launch's
    NO_PROGRESS = "no_progress"


@record
class Decision:
    """What the mapping makes of one statement.

    With `changes`, the store decides between applied and superseded; without, `outcome` says
    why there are none and `reason` says it to a person.
    """

    outcome: InputOutcome
    reason: str = ""
    rule: str = ""
    activity: str = ""
    changes: tuple[Change, ...] = ()
    #: what the statement says that makes no sense
    left_out: tuple[LeftOut, ...] = ()
    #: the reason as a code, where there are no changes and no rule failed
    why: WhyNot | None = None


@record
class Item:
    """One valid statement of a submission.

    `index` is its place in the body's array, None where the body is the statement itself.
    `digest` is what xAPI compares when an id comes again, see `statement_digest`.
    """

    statement_id: str
    digest: int
    index: int | None
    decision: Decision
    #: 64-bit hashes that a query finds it by
    keys: tuple[int, ...] = ()
    #: the id of the statement that it is about, where it is about one
    refers_to: str | None = None
    #: it voids that statement
    voids: bool = False
    #: the id that an earlier version gave the same statement, where it was made here
    former_id: str | None = None
    #: the message that it is, and its offset, where messages of a partition share a submission
    body: bytes | None = None
    offset: int | None = None


@record
class AttachedData:
    """What travelled beside a statement: `sha2` in lower case is the name of the bytes."""

    sha2: str
    content_type: str
    content: bytes


@record
class DeadLetter:
    """An input, or a part of one, that could not be understood. Kept whole with the reason."""

    reason: str
    #: where it came from, for a person: "topic lessons, partition 3, offset 1041, item 2"
    origin: str
    body: bytes
    statement_id: str | None = None


@record
class Submission:
    """What arrived together: one HTTP request, or messages of one partition of a log.

    Stored in one transaction. Where it is several messages, each is one statement, and `body` has
    them one after the other. With `all_or_nothing` a conflict refuses the whole of it; without,
    the conflicting statement becomes a dead letter and the rest is applied.
    """

    source: str
    body: bytes
    received_at: int
    items: tuple[Item, ...]
    dead: tuple[DeadLetter, ...] = ()
    position: Position | None = None
    all_or_nothing: bool = True
    attachments: tuple[AttachedData, ...] = ()
    #: the version of xAPI that it was sent in, for statements that don't say their own
    version: str = "1.0.0"


@record
class Receipt:
    """What the store made of a submission, committed.

    `outcomes` counts the new inputs; `duplicates` were known with the same content and were not
    applied again; `conflicts` are ids known with other content.
    """

    outcomes: dict[InputOutcome, int]
    duplicates: int = 0
    conflicts: tuple[str, ...] = ()
    #: nothing was stored: somebody else has claimed the partition since
    fenced: bool = False


@record
class SealedToken:
    """A learner's authToken, encrypted. `expires_at` is None where nobody said."""

    learner: str
    sealed: bytes
    stored_at: int
    expires_at: int | None
