"""The record of what an operator, or an operator's credential, did: `pointsman activity` shows it.

Nothing of it is a secret: a credential is named by its key, a launch by its registration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ActionKind(StrEnum):
    """What was done, in the words of its command."""

    LAUNCH = "launch"
    WAIVE = "waive"
    LAUNCHES_REVOKE = "launches revoke"
    PARKED_RETRY = "parked retry"
    PARKED_DROP = "parked drop"
    DEAD_LETTERS_REPLAY = "dead-letters replay"
    DEAD_LETTERS_DROP = "dead-letters drop"
    REPLAY = "replay"
    IMPORT = "import"
    IMPORT_STATE = "import-state"
    FORGET = "forget"
    PAUSE = "pause"
    RESUME = "resume"
    EXPORT = "export"
    RELOAD = "reload"
    CONFIRMATIONS_BACKFILL = "confirmations backfill"


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """One action. It is recorded when it begins; how it ended is added then."""

    #: microseconds since the epoch
    at: int
    kind: ActionKind
    #: the user of the operating system, or the key of the credential
    who: str
    #: the host, or the address of the request
    origin: str
    #: whom it is about; "" for all, or for nobody
    learner: str = ""
    #: what was asked for: options and names, without secrets
    details: Mapping[str, str | int] = field(default_factory=dict)
    #: "" while it is under way, and for ever when its process died
    outcome: str = ""
    #: its number in the store; 0 before it has one
    id: int = 0
